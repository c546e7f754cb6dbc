"""What a person does to one video: each parses, calls one service, and says what happened."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from accounts.access import MemberRequest, signed_in
from publishing.causes import sentence
from publishing.errors import NotPossible, StateConflict
from publishing.forms import RescheduleForm, ResolveForm
from publishing.models import Video
from publishing.services import videos as service
from publishing.states import VideoStatus
from publishing.views.rows import zone_of
from publishing.views.scope import video_or_404
from subiteya.lib.ratelimits import limited


@limited("acts", per_minute=120)
@require_POST
@signed_in
def video_cancel(request: MemberRequest, pk: int) -> HttpResponse:
    """Cancel or discard it."""
    video = video_or_404(request.user, pk)
    return do_and_say(
        request, video, lambda: service.video_cancel(video=video, actor=request.user), gettext("Cancelled.")
    )


@limited("acts", per_minute=120)
@require_POST
@signed_in
def video_retry(request: MemberRequest, pk: int) -> HttpResponse:
    """Take it up again; also *Publish now* of a late one."""
    video = video_or_404(request.user, pk)
    done = gettext("It is on its way again.")
    return do_and_say(request, video, lambda: service.video_retry(video=video, actor=request.user), done)


@limited("acts", per_minute=120)
@require_POST
@signed_in
def video_hold(request: MemberRequest, pk: int) -> HttpResponse:
    """Keep it from going out until a person releases it."""
    video = video_or_404(request.user, pk)
    done = gettext("It is held until somebody lets it go.")
    return do_and_say(request, video, lambda: service.video_hold(video=video, actor=request.user), done)


@limited("acts", per_minute=120)
@require_POST
@signed_in
def video_release(request: MemberRequest, pk: int) -> HttpResponse:
    """Let a held one go on."""
    video = video_or_404(request.user, pk)
    done = gettext("It is on its way again.")
    return do_and_say(request, video, lambda: service.video_release(video=video, actor=request.user), done)


@limited("acts", per_minute=120)
@require_POST
@signed_in
def video_reschedule(request: MemberRequest, pk: int) -> HttpResponse:
    """Form fields `day` and `hour`, in the video's zone."""
    video = video_or_404(request.user, pk)
    form = RescheduleForm(request.POST, zone=zone_of(video))
    if not form.is_valid():
        return say(request, video, _first_error(form))
    at = form.cleaned_data["at"]
    done = gettext("It has a new time.")
    return do_and_say(request, video, lambda: service.video_reschedule(video=video, at=at, actor=request.user), done)


@limited("acts", per_minute=120)
@require_POST
@signed_in
def video_resolve(request: MemberRequest, pk: int) -> HttpResponse:
    """Form fields `posted` (yes, no) and `post_url`: what the person saw on the profile.

    `then=next` asks about the account's next unconfirmed video, until there is none.
    """
    video = video_or_404(request.user, pk)
    form = ResolveForm(request.POST)
    if not form.is_valid():
        return say(request, video, _first_error(form))
    posted, url = form.cleaned_data["posted"] == "yes", form.cleaned_data["post_url"]
    done = gettext("It counts as published.") if posted else gettext("It is uploaded again.")

    def resolve() -> Video:
        return service.video_resolve(video=video, posted=posted, post_url=url, actor=request.user)

    answer = do_and_say(request, video, resolve, done)
    return _next_question(request, video) if request.POST.get("then") == "next" else answer


def _next_question(request: MemberRequest, video: Video) -> HttpResponse:
    asked = Video.objects.for_user(request.user).filter(account=video.account_id, status=VideoStatus.UNCONFIRMED)
    following = asked.exclude(pk=video.pk).order_by("pk").first()
    if following is None:
        return redirect("/")
    return redirect(f"{reverse('publishing:video_detail', args=[following.pk])}?then=next#dialog-resolve")


def do_and_say(request: MemberRequest, video: Video, act: Callable[[], Video], done: str) -> HttpResponse:
    """Do it, say how it went, and go back to where the button was pressed."""
    try:
        act()
    except NotPossible as error:
        return say(request, video, str(error))
    except StateConflict:
        return say(request, video, sentence("state_changed"))
    messages.success(request, f"{video.account}: {done}")
    return _back(request, video)


def say(request: MemberRequest, video: Video, text: str) -> HttpResponse:
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
