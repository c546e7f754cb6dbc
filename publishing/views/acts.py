"""Acts over many videos: the dialog that says what will happen, the act, and its undo."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST

from accounts.access import MemberRequest, signed_in
from publishing.causes import sentence
from publishing.clocks import city
from publishing.errors import NotPossible
from publishing.forms import ActForm
from publishing.models import Act, Video
from publishing.services import acts as service
from publishing.services.acts import Preview
from publishing.services.undo import act_undo as undo
from publishing.states import ActKind
from publishing.views.undoing import forget_undo, offer_undo
from subiteya.lib.ratelimits import limited

#: Accounts named in a line of the dialog.
NAMED = 4


@limited("acts", per_minute=120)
@require_POST
@signed_in
def act_preview(request: MemberRequest) -> HttpResponse:
    """A dialog with what the act would do to each video, or the reason why it cannot be done. See `ActForm`."""
    form = ActForm(request.POST)
    context: dict[str, Any] = {
        "asked": form.data, "next": _next(request), "key": uuid4().hex, "kind": request.POST.get("kind", ""),
        "keys": ",".join(request.POST.getlist("videos")), "others": ",".join(request.POST.getlist("others")),
        "on_a_day": request.POST.get("tomorrow") == "",
    }  # fmt: skip
    try:
        context |= _shown(_preview(request, form)) if form.is_valid() else {"error": _first_error(form)}
    except NotPossible as error:
        context["error"] = str(error)
    template = "publishing/_act_dialog.html" if request.htmx else "publishing/act.html"
    return render(request, template, context)


def _preview(request: MemberRequest, form: ActForm) -> Preview:
    asked = form.cleaned_data
    videos = form.chosen(request.user, "others")
    return service.act_preview(user=request.user, kind=ActKind(asked["kind"]), videos=videos, when=asked["when"])


def _shown(preview: Preview) -> dict[str, Any]:
    possible = [video for video, _words in preview.possible]
    # Another time may be possible for what this one is not.
    kept = preview.refused if preview.kind == ActKind.RESCHEDULE else []
    zones = sorted({city(video.time_zone) for video in possible})
    return {
        "preview": preview,
        "possible": possible,
        "kind": preview.kind,
        "keys": ",".join(str(video.pk) for video in possible),
        "others": ",".join(str(video.pk) for video, _code in kept),
        "effects": [(words, len(videos), _who(videos)) for words, videos in _grouped(preview.possible)],
        "refusals": [(sentence(code), len(videos), _who(videos)) for code, videos in _grouped(preview.refused)],
        "refused": len(preview.refused),
        "zones": ", ".join(zones),
        "button": _button(preview.kind, len(possible)),
    }


def _grouped(pairs: Iterable[tuple[Video, str]]) -> list[tuple[str, list[Video]]]:
    """What is said of several is said once, with those it is said of; the largest group first."""
    by_words = groupby(sorted(pairs, key=lambda pair: pair[1]), key=lambda pair: pair[1])
    groups = [(words, [video for video, _words in same]) for words, same in by_words]
    return sorted(groups, key=lambda group: -len(group[1]))


def _who(videos: list[Video]) -> str:
    """The accounts, each once; of many the first few."""
    names = sorted({str(video.account) for video in videos})
    return ", ".join(names[:NAMED]) + ("…" if len(names) > NAMED else "")


def _button(kind: ActKind, count: int) -> str:
    words = {
        ActKind.RETRY: ngettext("Retry %(count)s", "Retry %(count)s", count),
        ActKind.HOLD: ngettext("Hold %(count)s", "Hold %(count)s", count),
        ActKind.RELEASE: ngettext("Let %(count)s go", "Let %(count)s go", count),
        ActKind.RESCHEDULE: ngettext("Move %(count)s", "Move %(count)s", count),
        ActKind.CANCEL: ngettext("Cancel %(count)s videos", "Cancel %(count)s videos", count),
        ActKind.APPROVE: ngettext("Approve %(count)s", "Approve %(count)s", count),
    }
    return words[kind] % {"count": count}


@limited("acts", per_minute=120)
@require_POST
@signed_in
def act_do(request: MemberRequest) -> HttpResponse:
    """Do it, offer the undo, and go back to where the button was pressed."""
    form = ActForm(request.POST)
    if not form.is_valid():
        messages.error(request, _first_error(form))
        return redirect(_next(request))
    asked = form.cleaned_data
    try:
        act = service.act_do(
            user=request.user, kind=ActKind(asked["kind"]), videos=form.chosen(request.user), when=asked["when"],
            key=asked["key"],
        )  # fmt: skip
    except NotPossible as error:
        messages.error(request, str(error))
        return redirect(_next(request))
    if act.undoable:
        offer_undo(
            request, target=reverse("publishing:act_undo", args=[act.pk]), text=done_words(act), until=act.undo_until
        )
    for code, count in _refused(act).items():
        messages.error(request, _not_done(count, code))
    if not (act.done or act.refused):
        messages.error(request, gettext("No video was chosen."))
    return redirect(_next(request))


def _refused(act: Act) -> dict[str, int]:
    """How many were refused, by code."""
    codes = [] if not act.refused else act.items.exclude(code="").values_list("code", flat=True)
    return {code: len(list(same)) for code, same in groupby(sorted(codes))}


def done_words(act: Act) -> str:
    """What an act did, as its toast says it."""
    words = {
        ActKind.RETRY: ngettext(
            "%(count)s video is on its way again.", "%(count)s videos are on their way again.", act.done
        ),
        ActKind.HOLD: ngettext("%(count)s video is held.", "%(count)s videos are held.", act.done),
        ActKind.RELEASE: ngettext("%(count)s video was let go.", "%(count)s videos were let go.", act.done),
        ActKind.RESCHEDULE: ngettext("%(count)s video has a new time.", "%(count)s videos have a new time.", act.done),
        ActKind.CANCEL: ngettext("%(count)s video is cancelled.", "%(count)s videos are cancelled.", act.done),
        ActKind.APPROVE: ngettext("%(count)s video is approved.", "%(count)s videos are approved.", act.done),
    }  # fmt: skip
    return words[ActKind(act.kind)] % {"count": act.done}


def _not_done(count: int, code: str) -> str:
    words = ngettext("%(count)s could not be done: %(why)s", "%(count)s could not be done: %(why)s", count)
    return words % {"count": count, "why": sentence(code)}


@limited("acts", per_minute=120)
@require_POST
@signed_in
def act_undo(request: MemberRequest, pk: int) -> HttpResponse:
    """Put everything back that can be, and say what cannot."""
    act = get_object_or_404(Act.objects.for_user(request.user), pk=pk)
    forget_undo(request)
    try:
        undone = undo(user=request.user, act=act)
    except NotPossible as error:
        messages.error(request, str(error))
        return redirect(_next(request))
    if undone.restored:
        count = len(undone.restored)
        words = ngettext("%(count)s video is as it was.", "%(count)s videos are as they were.", count)
        messages.success(request, words % {"count": count})
    for code, videos in _grouped(undone.refused):
        words = ngettext("%(count)s was not put back: %(why)s", "%(count)s were not put back: %(why)s", len(videos))
        messages.error(request, words % {"count": len(videos), "why": sentence(code)})
    return redirect(_next(request))


def _first_error(form: ActForm) -> str:
    return str(next(iter(form.errors.values()))[0])


def _next(request: MemberRequest) -> str:
    """Where the button was pressed, if that is one of our pages; else the list."""
    target = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if ours else reverse("publishing:video_list")
