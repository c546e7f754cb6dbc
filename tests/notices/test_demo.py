"""The demo's failures are told as if the month had been lived: there from the first look, and by no mail."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from notices.demo import UNREAD
from notices.models import Notice, NoticeCopy, NoticeMessage
from notices.services.catching import notices_catch_up
from publishing.demo.load import demo_load
from publishing.demo.stand_in import StandIn
from publishing.models import VideoEvent
from publishing.signals import demo_loaded
from publishing.states import FAMILIES, Family

#: A day on which the last failure of the invented month lies further back than a notice is made up for.
LONG_AGO = datetime(2026, 11, 29, 11, 37, tzinfo=UTC)


@pytest.mark.django_db
def test_it_tells_each_failure_of_the_demo_once_and_leaves_the_newest_unread(tiktok: Any, settings: Any) -> None:
    settings.NOTICE_MAILS, settings.NOTICE_WEBHOOK_URL = True, "https://hooks.example/"
    with time_machine.travel(LONG_AGO, tick=True):
        demo_load(StandIn(tiktok.url))
        demo_loaded.send(None)
        assert notices_catch_up() == 0

    failures = VideoEvent.objects.filter(new__in=sorted(FAMILIES[Family.ATTENTION]))
    assert Notice.objects.count() == failures.count() > 0
    for name in ("ana", "bruno"):
        copies = NoticeCopy.objects.filter(user__username=name)
        unread = copies.filter(read_at=None)
        assert unread.count() == UNREAD < copies.count()
        assert set(unread) == set(copies.order_by("-at", "-pk")[:UNREAD])
    assert not NoticeCopy.objects.exclude(mail_at=None).exists()
    assert not NoticeMessage.objects.exists()
