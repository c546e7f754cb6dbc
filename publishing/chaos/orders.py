"""What is submitted: orders as `manage.py publish` places them, from the seed, until there are enough videos."""

from __future__ import annotations

import io
import logging
import random
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from accounts.models import TikTokAccount, User
from publishing.chaos.verdict import Asked
from publishing.cli.bars import Bars
from publishing.cli.choices import Allowed
from publishing.cli.orders import Order, place
from publishing.states import PostMode, PrivacyLevel, SubtitleChoice
from subiteya.lib.cli import Refused

logger = logging.getLogger(__name__)

PAUSE_SECONDS = (0.0, 2.0)
AGAIN_SECONDS = 1.0
#: Some accounts do not offer friends only; these two all of them do.
PRIVACY = (PrivacyLevel.PUBLIC_TO_EVERYONE, PrivacyLevel.SELF_ONLY)


def make_orders(
    *, rng: random.Random, seed: int, videos: int, user: User, sources: Sequence[Path], names: Sequence[str]
) -> Iterator[Order]:
    """Orders of `videos` videos in all; each has a caption that no other has."""
    accounts = list(TikTokAccount.objects.filter(username__in=names).order_by("username"))
    number = 0
    while videos:
        number += 1
        chosen = rng.sample(accounts, min(videos, rng.randint(1, len(accounts))))
        videos -= len(chosen)
        yield Order(
            file=rng.choice(sources), user=user, accounts=tuple(chosen), caption=f"Chaos {seed}, batch {number}",
            mode=PostMode.DIRECT, allowed=Allowed(privacy_level=str(rng.choice(PRIVACY))),
            subtitles=SubtitleChoice.NONE, subtitle_file=None, script="", language="es", at=None,
            key=f"chaos-{seed}-{number}",
        )  # fmt: skip


def submit(order: Order, *, deadline: float, say: Callable[[str], None]) -> list[Asked]:
    """Place `order`, again with the same key while TikTok does not answer; the videos that were submitted.

    `deadline` is in monotonic seconds. Raises Refused when it has passed.
    """
    bars = Bars(io.StringIO())
    while True:
        try:
            place(order, bars)
        except Refused as refusal:
            if time.monotonic() > deadline:
                raise
            say(f"Placed again after a refusal: {refusal}")
            time.sleep(AGAIN_SECONDS)
        else:
            return [Asked(account.username, order.caption) for account in order.accounts]
