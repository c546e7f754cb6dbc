"""Accounts' pictures, from our own address."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, signed_in
from accounts.selectors import accounts_for
from accounts.services.pictures import PictureBusy, account_picture


@require_safe
@signed_in
def picture(request: MemberRequest, pk: int) -> HttpResponse:
    """The picture of an account in the person's charge; 404 where there is none, and the page shows its initials.

    503 while others are fetched.
    """
    account = get_object_or_404(accounts_for(request.user), pk=pk)
    try:
        found = account_picture(account)
    except PictureBusy:
        return HttpResponse(status=503, headers={"Cache-Control": "no-store", "Retry-After": "10"})
    if found is None:
        raise Http404
    response = HttpResponse(found.body, content_type=found.content_type)
    response["Cache-Control"] = "private, max-age=86400"
    # Somebody else's bytes from our own address: opened by itself, even an SVG runs nothing.
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Content-Disposition"] = "inline"
    return response
