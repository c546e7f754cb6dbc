"""TikTok's webhooks: checked, remembered once, and taken as a hint to look now."""

from __future__ import annotations

import hashlib
import time

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from publishing.services.webhooks import webhook_heard
from subiteya.lib.ratelimits import limited
from subiteya.tiktok import WebhookInvalid, parse_webhook, verify_webhook

BODY_MAX = 64_000


@limited("webhook", per_minute=1200, by="address")
@csrf_exempt
@require_POST
def tiktok_webhook(request: HttpRequest) -> HttpResponse:
    """200 for a signed webhook, first or repeated; 400 for anything else."""
    body = request.read(BODY_MAX)
    try:
        verify_webhook(
            request.headers.get("TikTok-Signature", ""),
            body,
            # While the secret is replaced on TikTok's site, both sign.
            secrets=[settings.TIKTOK_CLIENT_SECRET, settings.TIKTOK_CLIENT_SECRET_OLD],
            now=time.time(),
        )
        event = parse_webhook(body)
    except WebhookInvalid as error:
        return HttpResponseBadRequest(error.code)
    webhook_heard(event=event, body_sha256=hashlib.sha256(body).hexdigest())
    return HttpResponse("ok")
