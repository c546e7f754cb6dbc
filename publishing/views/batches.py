"""The New page: one file, several accounts, one submission."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import MemberRequest, signed_in
from accounts.models import TikTokAccount
from accounts.selectors import accounts_for
from publishing.forms import SubmissionForm
from publishing.models import AccountBrand, Batch, Video
from publishing.selectors.duplicates import Duplicate, duplicates_of
from publishing.selectors.quotas import room_of
from publishing.selectors.sending import sending_of
from publishing.services.batches import Submission, SubmissionInvalid, batch_draft, batch_submit
from publishing.services.creators import Problem, creator_infos
from publishing.states import PostMode, PrivacyLevel, SubtitleChoice
from publishing.views.assets import asset_json
from subiteya.lib.ratelimits import limited
from subiteya.tiktok import TITLE_MAX_UTF16, CreatorInfo

#: More at once would take longer than a person waits; the page asks one account at a time.
ASK_AT_ONCE = 20


@limited("publish", per_minute=30)
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
        "room": room_of(request.user),
        "modes": PostMode,
        "subtitle_choices": SubtitleChoice,
        "preset_json": json.dumps(_preset(request)),
    }
    return render(request, "publishing/batch_new.html", context)


def _preset(request: MemberRequest) -> dict[str, Any]:
    """What `?from=<video>` brings along: text and account, and the file unless it is what must change.

    With `&all=1` every account of its batch that ended in the same way.
    """
    pk = request.GET.get("from", "")
    videos = Video.objects.for_user(request.user).select_related("batch__source")
    video = videos.filter(pk=int(pk)).first() if pk.isdecimal() and len(pk) < 18 else None
    if video is None:
        return {}
    preset: dict[str, Any] = {"caption": video.caption, "mode": video.mode, "account": video.account_id}
    if "all" in request.GET:
        preset["accounts"] = list(
            videos.filter(batch=video.batch, status=video.status, reason_code=video.reason_code)
            .order_by()
            .values_list("account", flat=True)
        )
    if "file" in request.GET:
        preset["asset"] = asset_json(video.batch.source)
    return preset


def _submit(request: MemberRequest) -> JsonResponse:
    form = SubmissionForm(request.POST, user=request.user)
    if not form.is_valid():
        return _invalid(_form_errors(form))
    key, fields = form.cleaned_data["submission_key"], form.fields_of(request.user)
    try:
        if not Batch.objects.filter(submission_key=key, created_by=request.user).exists():
            found = duplicates_of(batch_draft(Submission(**fields)), key=key)
            if errors := list(_unaccepted(found, request.POST.getlist("anyway"))):
                return _invalid(errors)
        batch = batch_submit(**fields, submission_key=key)
    except SubmissionInvalid as invalid:
        return _invalid(_errors(invalid))
    messages.success(request, _thanks(batch))
    return JsonResponse({"location": f"{reverse('publishing:video_list')}?batch={batch.pk}"})


def _unaccepted(duplicates: Mapping[int, list[Duplicate]], accepted: list[str]) -> Iterable[dict[str, Any]]:
    """A duplicate goes out only where the person ticked that it may."""
    for account, found in duplicates.items():
        if str(account) not in accepted:
            yield {"field": "anyway", "account": account, "message": found[0].sentence}


@limited("publish_check", per_minute=60)
@require_POST
@signed_in
def batch_check(request: MemberRequest) -> HttpResponse:
    """The dialog before sending: per account what TikTok receives, and what it would have twice. Writes nothing.

    Takes the form of `batch_new`, and answers its errors in the same way.
    """
    form = SubmissionForm(request.POST, user=request.user)
    if not form.is_valid():
        return _invalid(_form_errors(form))
    try:
        drafts = batch_draft(Submission(**form.fields_of(request.user)))
    except SubmissionInvalid as invalid:
        return _invalid(_errors(invalid))
    brands = dict(
        AccountBrand.objects.filter(account__in=[draft.account_id for draft in drafts]).values_list(
            "account", "pattern__name"
        )
    )
    duplicates = duplicates_of(drafts, key=form.cleaned_data["submission_key"])
    context = {
        "parts": [
            {
                "video": draft,
                "sent": sending_of(draft),
                "brand": brands.get(draft.account_id, ""),
                "duplicates": duplicates.get(draft.account_id, []),
            }
            for draft in drafts
        ],
        "inbox": drafts[0].mode == PostMode.INBOX,
        "paid": drafts[0].brand_content_toggle,
        "scheduled_at": drafts[0].scheduled_at,
    }
    return render(request, "publishing/new/_confirm.html", context)


def _errors(invalid: SubmissionInvalid) -> Iterable[dict[str, Any]]:
    for error in invalid.errors:
        yield {"field": error.field, "account": error.account_id, "message": error.sentence}


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
