"""What a person does to one video: each parses, calls one service, and says what happened."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from accounts.access import MemberRequest, signed_in
from publishing.causes import sentence
from publishing.errors import NotPossible, StateConflict
from publishing.forms import RescheduleForm, ResolveForm
from publishing.models import Video
from publishing.services import videos as service
from publishing.views.rows import zone_of
from publishing.views.scope import video_or_404


@require_POST
@signed_in
def video_cancel(request: MemberRequest, pk: int) -> HttpResponse:
    """Cancel or discard it."""
    video = video_or_404(request.user, pk)
    return _do(request, video, lambda: service.video_cancel(video=video, actor=request.user), gettext("Cancelled."))


@require_POST
@signed_in
def video_retry(request: MemberRequest, pk: int) -> HttpResponse:
    """Take it up again; also *Publish now* of a late one."""
    video = video_or_404(request.user, pk)
    done = gettext("It is on its way again.")
    return _do(request, video, lambda: service.video_retry(video=video, actor=request.user), done)


@require_POST
@signed_in
def video_reschedule(request: MemberRequest, pk: int) -> HttpResponse:
    """Form fields `day` and `hour`, in the video's zone."""
    video = video_or_404(request.user, pk)
    form = RescheduleForm(request.POST, zone=zone_of(video))
    if not form.is_valid():
        return _say(request, video, _first_error(form))
    at = form.cleaned_data["at"]
    done = gettext("It has a new time.")
    return _do(request, video, lambda: service.video_reschedule(video=video, at=at, actor=request.user), done)


@require_POST
@signed_in
def video_resolve(request: MemberRequest, pk: int) -> HttpResponse:
    """Form fields `posted` (yes, no) and `post_url`: what the person saw on the profile."""
    video = video_or_404(request.user, pk)
    form = ResolveForm(request.POST)
    if not form.is_valid():
        return _say(request, video, _first_error(form))
    posted, url = form.cleaned_data["posted"] == "yes", form.cleaned_data["post_url"]
    done = gettext("It counts as published.") if posted else gettext("It is uploaded again.")

    def resolve() -> Video:
        return service.video_resolve(video=video, posted=posted, post_url=url, actor=request.user)

    return _do(request, video, resolve, done)


def _do(request: MemberRequest, video: Video, act: Callable[[], Video], done: str) -> HttpResponse:
    try:
        act()
    except NotPossible as error:
        return _say(request, video, str(error))
    except StateConflict:
        return _say(request, video, sentence("state_changed"))
    messages.success(request, f"{video.account}: {done}")
    return _back(request, video)


def _say(request: MemberRequest, video: Video, text: str) -> HttpResponse:
    messages.error(request, f"{video.account}: {text}")
    return _back(request, video)


def _first_error(form: RescheduleForm | ResolveForm) -> str:
    return str(next(iter(form.errors.values()))[0])


def _back(request: MemberRequest, video: Video) -> HttpResponse:
    """Where the button was pressed: the list names itself in `next`."""
    target = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return redirect(target)
    return redirect("publishing:video_detail", pk=video.pk)
