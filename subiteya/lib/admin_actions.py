"""Actions of the admin: ask first, do each row by its service, tell how it went."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext

#: More at once would not fit into one request, in time or in fields.
MOST = 500
SHOWN = 3

Text = str | Promise
Act = Callable[[Any], object]


class Refused(Exception):
    """This row does not allow the action; str() is a sentence for a person."""


@dataclass(frozen=True, kw_only=True)
class Asking:
    """What the page before an action says. `effect` is the consequence; `form` asks what the action must know."""

    title: Text
    effect: Text
    button: Text
    danger: bool = False
    form: type[forms.Form] | None = None
    describe: Callable[[Any], object] = str


def report_each(
    request: HttpRequest, rows: Iterable[Model], act: Act, *, done: Text, refused: tuple[type[Exception], ...] = (),
) -> None:  # fmt: skip
    """Do `act` to each row and tell how many went through (`done` names it) and why others did not.

    Each row is its own transaction: one that is refused, by `Refused` or one of `refused`, stops no other.
    """
    through, reasons = 0, defaultdict[str, list[str]](list)
    expected: tuple[type[Exception], ...] = (Refused, *refused)
    for row in rows:
        try:
            act(row)
            through += 1
        except expected as error:
            reasons[str(error)].append(str(row))
    if through:
        messages.success(request, gettext("%(done)s: %(count)s.") % {"done": done, "count": through})
    for reason, names in reasons.items():
        messages.warning(request, _not_possible(reason, names))


def _not_possible(reason: str, names: list[str]) -> str:
    """One line per reason: how many, which, why."""
    shown = ", ".join(names[:SHOWN]) + ("…" if len(names) > SHOWN else "")
    text = ngettext(
        "%(count)s is not possible (%(names)s): %(reason)s", "%(count)s are not possible (%(names)s): %(reason)s",
        len(names),
    )  # fmt: skip
    return text % {"count": len(names), "names": shown, "reason": reason}


def ask_first(
    model_admin: admin.ModelAdmin[Any], request: HttpRequest, rows: QuerySet[Any], *, asking: Asking,
    act: Callable[[Any, dict[str, Any]], object], done: Text, refused: tuple[type[Exception], ...] = (),
) -> TemplateResponse | None:  # fmt: skip
    """Show what will happen; once the person says yes, do it and report.

    `act` gets a row and the answers to `asking.form`.
    """
    chosen = list(rows[: MOST + 1])
    if len(chosen) > MOST:
        messages.error(request, gettext("Choose %(most)s at most.") % {"most": MOST})
        return None
    confirmed = "confirmed" in request.POST
    form = asking.form(request.POST if confirmed else None) if asking.form else None
    if not confirmed or (form and not form.is_valid()):
        return _page(model_admin, request, chosen, asking, form)
    answers = form.cleaned_data if form else {}
    report_each(request, chosen, lambda row: act(row, answers), done=done, refused=refused)
    return None


def _page(
    model_admin: admin.ModelAdmin[Any], request: HttpRequest, rows: list[Any], asking: Asking, form: forms.Form | None
) -> TemplateResponse:
    context = {
        **model_admin.admin_site.each_context(request),
        "title": asking.title,
        "opts": model_admin.opts,
        "asking": asking,
        "form": form,
        "rows": [(row.pk, asking.describe(row)) for row in rows],
        "action": request.POST["action"],
        "checkbox_name": ACTION_CHECKBOX_NAME,
        "media": model_admin.media + (form.media if form else forms.Media()),
    }
    return TemplateResponse(request, "admin/confirm_action.html", context)
