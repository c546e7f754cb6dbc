"""Before what can do harm, a session proves again that its person is there: within the last ten minutes.

Logging in counts, with the second factor where there is one. What was posted without a proof is not repeated
afterwards: the person is told that nothing was done, and comes back to the page.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar, Concatenate, ParamSpec, cast

from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext

from accounts.access import MemberRequest, leave_for
from accounts.models import User
from accounts.services import second_factor

P = ParamSpec("P")
WINDOW_SECONDS = 10 * 60
#: In the session: when the person last proved who they are.
PROVED_AT = "proved_at"


def proof_note(request: HttpRequest) -> None:
    """The person has just proved who they are."""
    request.session[PROVED_AT] = int(time.time())


@receiver(user_logged_in)
def log_in_proves(sender: object, request: HttpRequest, user: User, **_kwargs: object) -> None:
    """The password is proof enough of whoever has no second factor."""
    if not second_factor.has_second_factor(user):
        proof_note(request)


def is_proved(request: HttpRequest) -> bool:
    return 0 <= time.time() - int(request.session.get(PROVED_AT, 0)) < WINDOW_SECONDS


def proof_asked(request: HttpRequest) -> HttpResponse | None:
    """What to answer instead of doing it; None when the person has proved it lately."""
    if is_proved(request):
        return None
    where = reverse("accounts:prove") + ("" if request.method in {"GET", "HEAD"} else "?undone=1")
    sentence = gettext("Nothing was done: prove that it is you first, in another tab (Security), then do it again.")
    return leave_for(request, where, sentence, why="proof")


def proof_wanted(
    page: Callable[Concatenate[MemberRequest, P], HttpResponseBase],
) -> Callable[Concatenate[MemberRequest, P], HttpResponseBase]:
    """For a view, below `signed_in`: only after a proof."""

    @wraps(page)
    def guarded(request: MemberRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        return proof_asked(request) or page(request, *args, **kwargs)

    return cast(Callable[Concatenate[MemberRequest, P], HttpResponseBase], guarded)


class ProofWanted:
    """For an admin: its forms, deletions and `proof_actions` (all, when None) only after a proof.

    It is asked for when the form opens, so that nothing typed is lost.
    """

    proof_actions: ClassVar[frozenset[str] | None] = None

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        dangerous = self.proof_actions is None or request.POST.get("action") in self.proof_actions
        asked = proof_asked(request) if request.method == "POST" and dangerous else None
        return asked or super().changelist_view(request, *args, **kwargs)  # type: ignore[misc]

    def changeform_view(self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any) -> Any:
        may = self.has_change_permission if object_id else self.has_add_permission  # type: ignore[attr-defined]
        asked = proof_asked(request) if request.method == "POST" or may(request) else None
        return asked or super().changeform_view(request, object_id, *args, **kwargs)  # type: ignore[misc]

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return proof_asked(request) or super().delete_view(request, *args, **kwargs)  # type: ignore[misc]
