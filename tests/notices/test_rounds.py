"""The scheduler's tick: everything is done at its own pace, and nothing is asked in between."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.utils import timezone

from notices.models import Notice, NoticeMessage
from notices.services import rounds
from notices.services.making import WINDOW
from publishing.models import VideoEvent
from publishing.services.reconcile import reconcile_tick
from publishing.signals import ticked
from publishing.states import VideoStatus
from tests.factories import VideoFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def fresh() -> None:
    rounds.turns.forget()


def test_a_tick_makes_up_writes_and_sends(account: Any, fail: Any, mailbox: Any, clock: Any) -> None:
    fail()
    lost = VideoFactory(account=account, status=VideoStatus.MISSED)
    VideoEvent.objects.create(video=lost, old="scheduled", new="missed", code="missed", at=timezone.now())
    clock.shift(WINDOW)
    assert [error for _receiver, error in ticked.send_robust(reconcile_tick) if error] == []
    for thread in threading.enumerate():
        if thread.name.startswith("notice-"):
            thread.join()
    assert Notice.objects.count() == 2
    assert NoticeMessage.objects.exclude(sent_at=None).count() == len(mailbox.mails) > 0


def test_it_asks_nothing_between_its_turns(django_assert_num_queries: Any) -> None:
    rounds.notices_tick()
    with django_assert_num_queries(0):
        rounds.notices_tick()
