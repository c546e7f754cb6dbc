"""Accounts' pictures, fetched from where TikTok keeps them and shown from our own address.

A page that took them from there would need to trust that host, and would tell it who looks at which account.
"""

from __future__ import annotations

import hashlib
from threading import BoundedSemaphore

from django.core.cache import cache

from accounts.models import TikTokAccount
from subiteya.lib.outgoing import Answer, OutgoingRefused, fetch

MOST_BYTES = 300_000
KINDS = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif", "image/svg+xml"})
#: Seconds for which a picture is kept, and for which one that did not come is not asked for again.
LIFE, PAUSE = 86_400, 600
DEADLINE, PATIENCE = 6.0, 0.2
#: A page full of new accounts must not take every thread of the web server: who finds both at work hardly waits.
_FETCHING = BoundedSemaphore(2)


class PictureBusy(Exception):
    """Others are being fetched; the next page that shows the account asks again."""


def account_picture(account: TikTokAccount) -> Answer | None:
    """The account's picture, or None when there is none that can be shown. Raises PictureBusy."""
    if not account.avatar_url:
        return None
    # TikTok signs the address anew each time: what is before the query names the picture.
    place = hashlib.sha256(account.avatar_url.partition("?")[0].encode()).hexdigest()
    key = f"picture:{account.pk}:{place}"
    kept: Answer | str | None = cache.get(key)
    if kept is None:
        kept = _fetched(account.avatar_url) or "none"
        cache.set(key, kept, LIFE if isinstance(kept, Answer) else PAUSE)
    return kept if isinstance(kept, Answer) else None


def _fetched(url: str) -> Answer | None:
    if not _FETCHING.acquire(timeout=PATIENCE):
        raise PictureBusy
    try:
        answer = fetch(url, most_bytes=MOST_BYTES, deadline=DEADLINE)
    except OutgoingRefused:
        return None
    finally:
        _FETCHING.release()
    return answer if answer.status == 200 and answer.content_type in KINDS and answer.body else None
