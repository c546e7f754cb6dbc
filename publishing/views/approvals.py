"""An approver's answer to a video that waits for it."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from accounts.access import MemberRequest, refuse, signed_in
from publishing.causes import sentence
from publishing.forms import SendBackForm
from publishing.services import approvals as service
from publishing.views.actions import do_and_say, say
from publishing.views.scope import video_or_404
from subiteya.lib.ratelimits import limited


@limited("acts", per_minute=120)
@require_POST
@signed_in
def video_approve(request: MemberRequest, pk: int) -> HttpResponse:
    """Let it go on."""
    video = video_or_404(request.user, pk)
    if not request.user.may_approve:
        return refuse(request, sentence("not_approver"))
    done = gettext("Approved.")
    return do_and_say(request, video, lambda: service.video_approve(video=video, actor=request.user), done)


@limited("acts", per_minute=120)
@require_POST
@signed_in
def video_send_back(request: MemberRequest, pk: int) -> HttpResponse:
    """Form field `reason`: what whoever submitted it is told."""
    video = video_or_404(request.user, pk)
    if not request.user.may_approve:
        return refuse(request, sentence("not_approver"))
    form = SendBackForm(request.POST)
    if not form.is_valid():
        return say(request, video, gettext("Say why: whoever submitted it will want to know."))
    reason, done = form.cleaned_data["reason"], gettext("Sent back; whoever submitted it is told why.")
    return do_and_say(
        request, video, lambda: service.video_send_back(video=video, reason=reason, actor=request.user), done
    )
