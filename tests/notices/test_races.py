"""Several schedulers and workers at once: one notice, one mail, one summary, whoever is first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from accounts.models import User
from notices.models import MessageKind, Notice, NoticeCopy, NoticeMessage
from notices.services.catching import notices_catch_up
from notices.services.mails import mails_compose
from notices.services.making import WINDOW, notice_of_video, notice_safely
from notices.services.sending import message_send
from notices.services.summaries import summaries_compose
from publishing.models import VideoEvent
from publishing.states import VideoStatus
from tests.factories import VideoFactory

pytestmark = pytest.mark.django_db(transaction=True)

T = TypeVar("T")
NINE = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def at_once(act: Callable[[], T], times: int = 4) -> list[T]:
    """What each of `times` threads answered that did this in the same moment."""
    answers: list[T] = []
    start = threading.Barrier(times)

    def one() -> None:
        start.wait()
        try:
            answers.append(act())
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _each in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == times
    return answers


@pytest.fixture(autouse=True)
def noon(settings: Any) -> Any:
    settings.NOTICE_MAILS = True
    with time_machine.travel(NINE, tick=False) as clock:
        yield clock


@pytest.fixture
def event(account: Any) -> VideoEvent:
    video = VideoFactory(account=account, status=VideoStatus.FAILED_EDIT, reason_code="edit_failed")
    return VideoEvent.objects.create(
        video=video, old="editing", new="failed_edit", code="edit_failed", at=timezone.now()
    )


def test_one_of_four_makes_the_notice(event: VideoEvent) -> None:
    def make() -> Notice | None:
        return notice_safely(notice_of_video, VideoEvent.objects.select_related("video").get(pk=event.pk))

    assert sum(notice is not None for notice in at_once(make)) == 1
    assert (Notice.objects.count(), NoticeCopy.objects.count()) == (1, 1)


def test_one_of_four_makes_up_for_it(event: VideoEvent) -> None:
    assert sum(at_once(notices_catch_up)) == 1
    assert NoticeCopy.objects.count() == 1


def test_one_of_four_puts_the_notices_in_a_mail(fail: Any, noon: Any) -> None:
    for _video in range(3):
        fail()
    noon.shift(WINDOW)
    assert sum(at_once(lambda: mails_compose(timezone.now()))) == 1
    assert NoticeMessage.objects.count() == 1
    assert NoticeCopy.objects.filter(mail=NoticeMessage.objects.get()).count() == 3


def test_one_of_four_sends_the_mail(fail: Any, noon: Any, mailbox: Any) -> None:
    fail()
    noon.shift(WINDOW)
    mails_compose(timezone.now())
    sent = at_once(lambda: message_send(NoticeMessage.objects.select_related("user").get()))
    assert sorted(sent) == [False, False, False, True]
    assert len(mailbox.mails) == 1


def test_one_of_four_writes_the_summary(fail: Any, ana: User) -> None:
    fail()
    assert sum(at_once(lambda: summaries_compose(NINE))) == 1
    assert NoticeMessage.objects.filter(kind=MessageKind.SUMMARY, user=ana).count() == 1
    assert sum(at_once(lambda: summaries_compose(NINE + timedelta(hours=1)))) == 0
