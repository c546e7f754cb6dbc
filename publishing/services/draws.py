"""Who gets subtitles when the system chooses: a draw inside each account, decided once, at submission."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Max
from django.utils.crypto import salted_hmac

from accounts.models import TikTokAccount
from publishing.models import SubtitleDraw, Video
from publishing.states import SubtitleAssignment, SubtitleChoice

#: Of each account's four draws in a row, two get subtitles: both arms stay alike in every week of an account.
BLOCK = (SubtitleChoice.AUTO, SubtitleChoice.AUTO, SubtitleChoice.NONE, SubtitleChoice.NONE)


def variant_at(*, account_id: int, position: int) -> SubtitleChoice:
    """What the draw at `position` (from 0) of an account gives: the same for ever, while SECRET_KEY is the same.

    Nobody who chooses what to submit can foresee it: the order inside a block is that of a keyed hash.
    """
    block, place = divmod(position, len(BLOCK))
    keys = [
        salted_hmac("publishing.subtitle_draw", f"{account_id}/{block}/{slot}", algorithm="sha256").hexdigest()
        for slot in range(len(BLOCK))
    ]
    order = sorted(range(len(BLOCK)), key=lambda slot: keys[slot])
    return BLOCK[order[place]]


def accounts_lock(accounts: Iterable[TikTokAccount]) -> None:
    """Two submissions for the same account are written one after the other. In the order of keys, against a deadlock.

    Rows that only name the account, which is most of what workers write, do not wait for it. Whether it asks for an
    approval is read again: an administrator may have said so since the form was opened.
    """
    asked = {account.pk: account for account in accounts}
    rows = TikTokAccount.objects.select_for_update(no_key=True).filter(pk__in=asked).order_by("pk")
    for pk, needs_approval in rows.values_list("pk", "needs_approval"):
        asked[pk].needs_approval = needs_approval


def subtitles_draw(video: Video) -> SubtitleDraw:
    """Draw for a video that is about to be written, and set its arm; the account is locked. Save both afterwards."""
    last = SubtitleDraw.objects.filter(account=video.account_id).aggregate(last=Max("position"))["last"]
    position = 0 if last is None else last + 1
    variant = variant_at(account_id=video.account_id, position=position)
    video.subtitle_variant, video.subtitle_assignment = variant, SubtitleAssignment.DRAW
    return SubtitleDraw(account=video.account, video=video, position=position, variant=variant)
