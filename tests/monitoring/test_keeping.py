"""What is forgotten: only what is old, a few rows at a time, and nobody waits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as all_settings
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import OAuthAttempt
from monitoring.models import TikTokFailure
from monitoring.services.keeping import KEPT, Kept, prune
from publishing.models import Act, ActItem, AssetKind, CircuitEvent, Intake, IntakeState, JobEvent, WebhookReceipt
from publishing.states import ActKind, JobStatus
from subiteya.lib.pruning import oldest_forget
from tests.factories import JobFactory, TikTokAccountFactory, UserFactory, VideoFactory

DAY = timedelta(days=1)


def _act(at: datetime) -> None:
    act = Act.objects.create(
        actor=UserFactory(), key=f"{at}", kind=ActKind.RETRY, begun_at=at, finished_at=at, undo_until=at, done=1
    )
    ActItem.objects.create(act=act, video=VideoFactory())


def _failure(at: datetime) -> None:
    TikTokFailure.objects.create(at=at, endpoint="upload", reason="unavailable", code="x", seconds=1)


def _trip(at: datetime) -> None:
    OAuthAttempt.objects.create(state_hash=f"{at:%f%s}", code_verifier="verifier", created_at=at)


def _intake(at: datetime) -> None:
    Intake.objects.create(
        user=UserFactory(), kind=AssetKind.SOURCE, state=IntakeState.STORED, size=1, started_at=at, ended_at=at
    )


MADE: dict[type, Callable[[datetime], Any]] = {
    JobEvent: lambda at: JobEvent.objects.create(job=JobFactory(), new=JobStatus.QUEUED, at=at),
    TikTokFailure: _failure,
    CircuitEvent: lambda at: CircuitEvent.objects.create(
        account=TikTokAccountFactory(), kind="opened", old="closed", new="open", at=at
    ),
    Act: _act,
    Intake: _intake,
    WebhookReceipt: lambda at: WebhookReceipt.objects.create(body_sha256=f"{at}", event="x", received_at=at),
    OAuthAttempt: _trip,
}


@pytest.mark.django_db
@pytest.mark.parametrize("kept", KEPT, ids=lambda kept: kept.model.__name__)
def test_what_is_past_its_time_is_forgotten_and_nothing_else(kept: Kept) -> None:
    days = getattr(all_settings, kept.setting)
    for age in (days + 2, days + 1, days - 1):
        MADE[kept.model](timezone.now() - age * DAY)

    assert prune() >= 2
    assert kept.model._default_manager.count() == 1
    assert ActItem.objects.count() == Act.objects.count()


@pytest.mark.django_db
@pytest.mark.parametrize("kept", KEPT, ids=lambda kept: kept.model.__name__)
def test_nothing_is_forgotten_where_it_is_kept_for_ever(kept: Kept, settings: Any) -> None:
    setattr(settings, kept.setting, 0)
    MADE[kept.model](timezone.now() - 9_000 * DAY)

    assert kept.forget() == 0
    assert kept.model._default_manager.count() == 1


@pytest.mark.django_db
def test_an_upload_on_its_way_is_never_old() -> None:
    Intake.objects.create(user=UserFactory(), kind=AssetKind.SOURCE, size=1, started_at=timezone.now() - 900 * DAY)
    prune()
    assert Intake.objects.count() == 1


def events(old: int, new: int) -> None:
    job, now = JobFactory(), timezone.now()
    ages = [*(91 * DAY for _row in range(old)), *(DAY for _row in range(new))]
    JobEvent.objects.bulk_create(JobEvent(job=job, new=JobStatus.QUEUED, at=now - age) for age in ages)


def forget(at_once: int) -> int:
    before = timezone.now() - 90 * DAY
    return oldest_forget(JobEvent.objects.all(), moment="at", before=before, at_once=at_once)


@pytest.mark.django_db
def test_it_goes_in_batches() -> None:
    events(old=25, new=5)
    assert [forget(10) for _turn in range(4)] == [10, 10, 5, 0]
    assert JobEvent.objects.count() == 5


@pytest.mark.django_db
def test_no_transaction_begins_for_nothing(django_assert_num_queries: Any) -> None:
    events(old=0, new=5)
    with django_assert_num_queries(1):
        assert forget(10) == 0


@contextmanager
def somebody(inside: Callable[[], object]) -> Iterator[None]:
    """Another process that has done `inside` in a transaction, which stays open meanwhile."""
    held, over = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            if connection.vendor == "sqlite":  # Django's would lock the whole file to write
                with connection.cursor() as cursor:
                    cursor.execute("BEGIN")
                    inside()
                    held.set()
                    over.wait(30)
                    cursor.execute("COMMIT")
            else:
                with transaction.atomic():
                    inside()
                    held.set()
                    over.wait(30)
        finally:
            held.set()
            connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(30)
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.django_db(transaction=True)
def test_a_reader_disturbs_nothing() -> None:
    events(old=10, new=1)
    seen: list[int] = []

    def read() -> None:
        seen.append(JobEvent.objects.count())

    with somebody(read):
        assert forget(100) == 10
    assert seen == [11]


@pytest.mark.django_db(transaction=True)
def test_what_somebody_holds_is_left_for_the_next_time() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer: it waits for the end of the other's short transaction")
    events(old=10, new=1)
    first = JobEvent.objects.order_by("pk")[0]
    with somebody(lambda: JobEvent.objects.select_for_update().get(pk=first.pk)):
        assert forget(100) == 9
    assert forget(100) == 1
