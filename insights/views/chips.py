"""The suggestions in New: chips for the accounts that were chosen."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.access import MemberRequest, signed_in
from accounts.models import TikTokAccount
from insights.models import BlockedTopic
from insights.selectors.sectors import sectors_of
from insights.services.suggestions import NoHashtag, suggestions_show, topic_block

MOST_ACCOUNTS, KEY_MAX = 200, 64


@require_POST
@signed_in
def suggestions(request: MemberRequest) -> HttpResponse:
    """A fragment: the chips of each sector of the accounts in `accounts`, kept under `submission_key`."""
    pks = [int(pk) for pk in request.POST.getlist("accounts")[:MOST_ACCOUNTS] if pk.isdecimal() and len(pk) < 18]
    accounts = TikTokAccount.objects.for_user(request.user).filter(pk__in=pks).select_related("sector")
    key = request.POST.get("submission_key", "")[:KEY_MAX]
    found = suggestions_show(user=request.user, accounts=list(accounts.distinct()), submission_key=key)
    context = {"found": found, "today": timezone.now().date()}
    return render(request, "insights/_chips.html", context)


@require_POST
@signed_in
def block(request: MemberRequest) -> JsonResponse:
    """Never suggest `topic` again in `sector`, one of the person's. Answers where that can be taken back."""
    sector = get_object_or_404(sectors_of(request.user), pk=_number(request, "sector"))
    try:
        row = topic_block(typed=request.POST.get("topic", "")[:200], sector=sector, user=request.user)
    except NoHashtag as error:
        return JsonResponse({"error": str(error)}, status=400)
    return JsonResponse({"blocked": row.pk})


@require_POST
@signed_in
def unblock(request: MemberRequest) -> JsonResponse:
    """Take back a block of one of the person's sectors."""
    rows = BlockedTopic.objects.filter(sector__in=sectors_of(request.user), pk=_number(request, "blocked"))
    return JsonResponse({"removed": rows.delete()[0]})


def _number(request: HttpRequest, name: str) -> int:
    text = request.POST.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 18 else 0
