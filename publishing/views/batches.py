"""The New page: one file, several accounts, one submission."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access import MemberRequest, signed_in
from accounts.models import TikTokAccount
from accounts.selectors import accounts_for
from publishing.forms import SubmissionForm
from publishing.models import Batch, Video
from publishing.services.batches import Problem, SubmissionInvalid, batch_submit, creator_infos
from publishing.states import PostMode, PrivacyLevel, SubtitleChoice
from publishing.views.assets import asset_json
from subiteya.tiktok import TITLE_MAX_UTF16, CreatorInfo

#: More at once would take longer than a person waits; the page asks one account at a time.
ASK_AT_ONCE = 20


@require_http_methods(["GET", "POST"])
@signed_in
def batch_new(request: MemberRequest) -> HttpResponse:
    """GET: the form. POST: submit it; answers {"location"} or, with 422, {"errors": [{field, account, message}]}."""
    if request.method == "POST":
        return _submit(request)
    accounts = list(accounts_for(request.user))
    context = {
        "accounts": accounts,
        "zones": sorted({account.time_zone for account in accounts} | {settings.TIME_ZONE}),
        "submission_key": uuid.uuid4().hex,
        "caption_max": TITLE_MAX_UTF16,
        "max_file_bytes": settings.MAX_FILE_BYTES,
        "modes": PostMode,
        "subtitle_choices": SubtitleChoice,
        "preset_json": json.dumps(_preset(request)),
    }
    return render(request, "publishing/batch_new.html", context)


def _preset(request: MemberRequest) -> dict[str, Any]:
    """What `?from=<video>` brings along: text and account, and the file unless it is what must change."""
    pk = request.GET.get("from", "")
    videos = Video.objects.for_user(request.user).select_related("batch__source")
    video = videos.filter(pk=int(pk)).first() if pk.isdecimal() and len(pk) < 18 else None
    if video is None:
        return {}
    preset: dict[str, Any] = {"caption": video.caption, "mode": video.mode, "account": video.account_id}
    if "file" in request.GET:
        preset["asset"] = asset_json(video.batch.source)
    return preset


def _submit(request: MemberRequest) -> JsonResponse:
    form = SubmissionForm(request.POST, user=request.user)
    if not form.is_valid():
        return _invalid(_form_errors(form))
    asked = form.cleaned_data
    direct = asked["mode"] == PostMode.DIRECT  # the inbox takes the file and ignores the rest
    try:
        batch = batch_submit(
            user=request.user,
            source=asked["source"],
            caption=asked["caption"] if direct else "",
            choices=form.choices(),
            mode=PostMode(asked["mode"]),
            subtitles=SubtitleChoice(asked["subtitles"]),
            track=asked["track"],
            scheduled_at=asked.get("scheduled_at"),
            submission_key=asked["submission_key"],
            is_aigc=asked["is_aigc"] and direct,
            cover_timestamp_ms=(asked["cover_timestamp_ms"] or 0) if direct else 0,
        )
    except SubmissionInvalid as invalid:
        return _invalid(
            {"field": error.field, "account": error.account_id, "message": error.sentence} for error in invalid.errors
        )
    messages.success(request, _thanks(batch))
    return JsonResponse({"location": f"{reverse('publishing:video_list')}?batch={batch.pk}"})


def _thanks(batch: Batch) -> str:
    count = batch.videos.count()
    text = ngettext(
        "%(count)d video is on its way. TikTok can take a few minutes; here you see when it is published.",
        "%(count)d videos are on their way. TikTok can take a few minutes; here you see when each is published.",
        count,
    )
    return text % {"count": count}


def _invalid(errors: Iterable[dict[str, Any]]) -> JsonResponse:
    return JsonResponse({"errors": list(errors)}, status=422)


def _form_errors(form: SubmissionForm) -> Iterable[dict[str, Any]]:
    for field, sentences in form.errors.items():
        for text in sentences:
            yield {"field": field, "account": None, "message": str(text)}


@require_GET
@signed_in
def creator_info(request: MemberRequest) -> HttpResponse:
    """The posting form of `?accounts=1,2`, as TikTok answers about each account this moment."""
    wanted = {int(pk) for pk in request.GET.get("accounts", "").split(",") if pk.isdecimal() and len(pk) < 18}
    accounts = list(accounts_for(request.user).filter(pk__in=wanted)[:ASK_AT_ONCE])
    infos = creator_infos(accounts=accounts)
    context = {"parts": [_part(account, infos[account.pk]) for account in accounts], "caption_max": TITLE_MAX_UTF16}
    response = render(request, "publishing/_posting.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _part(account: TikTokAccount, info: CreatorInfo | Problem) -> dict[str, Any]:
    """One account's part: TikTok's options as (value, words, why it cannot be chosen), or the problem."""
    if isinstance(info, Problem):
        return {"account": account, "problem": info}
    known = dict(PrivacyLevel.choices)
    options = [(value, known.get(value, value), _closed(value)) for value in info.privacy_level_options]
    return {"account": account, "info": info, "options": options}


def _closed(privacy_level: str) -> bool:
    """Before TikTok's audit only private posts are accepted."""
    return not settings.TIKTOK_AUDITED and privacy_level != PrivacyLevel.SELF_ONLY
