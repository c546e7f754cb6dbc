"""Orders: as many videos as were wanted, the same for the same seed, no caption twice on an account."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accounts.models import TikTokAccount, User
from publishing.chaos.orders import make_orders, submit
from publishing.cli.orders import Order
from publishing.models import Video
from subiteya.lib.cli import Refused

pytestmark = pytest.mark.django_db(transaction=True)  # accounts are asked in threads


@pytest.fixture
def accounts(connect: Callable[..., TikTokAccount]) -> list[TikTokAccount]:
    return [connect(name) for name in ("luna", "sol", "mar")]


def orders(user: User, accounts: list[TikTokAccount], *, seed: int, videos: int, source: Path) -> list[Order]:
    names = [account.username for account in accounts]
    return list(
        make_orders(rng=random.Random(seed), seed=seed, videos=videos, user=user, sources=[source], names=names)
    )


def test_it_orders_what_was_wanted_and_the_same_again(cm: User, accounts: list[TikTokAccount], clip: Path) -> None:
    made = orders(cm, accounts, seed=5, videos=20, source=clip)

    videos = [(account.username, order.caption) for order in made for account in order.accounts]
    assert len(videos) == len(set(videos)) == 20
    assert made == orders(cm, accounts, seed=5, videos=20, source=clip)
    assert made != orders(cm, accounts, seed=6, videos=20, source=clip)


def test_it_submits_once_although_tiktok_refuses_first(
    cm: User, accounts: list[TikTokAccount], clip: Path, tiktok: Any, redis: Any
) -> None:
    tiktok.sandbox.fault("refuse", "creator_info")
    (order,) = orders(cm, accounts, seed=1, videos=1, source=clip)
    said: list[str] = []

    asked = submit(order, deadline=time.monotonic() + 30, say=said.append)
    submit(order, deadline=0, say=said.append)

    assert [(one.username, one.caption) for one in asked] == [
        (video.account.username, video.caption) for video in Video.objects.all()
    ]
    assert len(said) == 1


def test_it_gives_up_at_the_deadline(cm: User, accounts: list[TikTokAccount], clip: Path, tiktok: Any) -> None:
    tiktok.sandbox.fault("refuse", "creator_info", times=None)
    (order,) = orders(cm, accounts, seed=1, videos=1, source=clip)

    with pytest.raises(Refused, match="TikTok"):
        submit(order, deadline=0, say=print)
