"""What notices do by themselves, on the tick of the scheduler that leads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from notices.models import Notice, NoticeMessage
from notices.services.catching import notices_catch_up
from notices.services.mails import mails_compose
from notices.services.sending import messages_send_aside
from notices.services.summaries import summaries_compose
from subiteya.lib.pruning import oldest_forget
from subiteya.lib.turns import Turns

SEND_SECONDS, SUMMARY_SECONDS, CATCH_UP_SECONDS, PRUNE_SECONDS = 5.0, 30.0, 30.0, 600.0
#: For how long notices, and the messages about them, are kept.
KEEP = timedelta(days=180)
PRUNE_AT_ONCE = 500
turns = Turns()


def notices_tick() -> None:
    """Each part at its own pace. One that fails has its next turn like all, and the others theirs at the next tick."""
    now = timezone.now()
    _every(CATCH_UP_SECONDS, "catch_up", notices_catch_up)
    _every(SUMMARY_SECONDS, "summaries", lambda: summaries_compose(now))
    _every(SEND_SECONDS, "mails", lambda: mails_compose(now))
    _every(SEND_SECONDS, "send", messages_send_aside)
    _every(PRUNE_SECONDS, "prune", notices_prune)


def _every(seconds: float, name: str, part: Callable[[], object]) -> None:
    if turns.is_due(name, seconds):
        part()


def notices_prune() -> int:
    """Forget notices and messages past their time, some at once; how many of both."""
    old = timezone.now() - KEEP
    gone = 0
    for rows, moment in ((Notice.objects.all(), "at"), (NoticeMessage.objects.all(), "made_at")):
        gone += oldest_forget(rows, moment=moment, before=old, at_once=PRUNE_AT_ONCE)
    return gone
