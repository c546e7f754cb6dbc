"""The sums are the rows: after whatever happened to them, however often they were folded, on both databases."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import TikTokAccount, User
from monitoring.models import SummaryDelta, SummaryTotal
from monitoring.models.summaries import EVERY, NOW
from monitoring.selectors.jobs import jobs_by_kind_and_status
from monitoring.selectors.summaries import by_name, sums_now
from monitoring.selectors.videos import Day, daily_throughput, publish_success_rate, video_status
from monitoring.services.summaries import summaries, summaries_fold, summaries_rebuild
from monitoring.triggers import day, offsets, triggers_current, triggers_remove
from publishing.models import Act, Job, Video, VideoEvent
from publishing.services.acts import act_do
from publishing.services.jobs import job_create, job_move
from publishing.services.moves import video_move
from publishing.services.undo import act_undo
from publishing.states import (
    FAMILIES,
    JOB_ALLOWED,
    VIDEO_ALLOWED,
    ActKind,
    Family,
    JobKind,
    JobStatus,
    SubtitleChoice,
    VideoStatus,
)
from tests.factories import JobFactory, TikTokAccountFactory, UserFactory, VideoFactory

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
RED = sorted(FAMILIES[Family.ATTENTION])


class Story:
    """What people and workers do, one step at a time; `pick` chooses among what is possible."""

    def __init__(self, clock: time_machine.Traveller) -> None:
        self.clock = clock
        self.user: User = UserFactory()
        self.accounts: list[TikTokAccount] = TikTokAccountFactory.create_batch(2, managers=[self.user])
        self.create(0)

    def step(self, name: str, pick: int) -> None:
        getattr(self, name)(pick)

    def create(self, pick: int) -> None:
        variant = list(SubtitleChoice)[pick % 3]
        video = VideoFactory(account=self.accounts[pick % 2], subtitle_variant=variant)
        job_create(video=video, kind=JobKind.EDIT)

    def move(self, pick: int) -> None:
        if video := self._video(pick):
            self._to(video, sorted(VIDEO_ALLOWED[VideoStatus(video.status)]), pick)

    def fail(self, pick: int) -> None:
        if video := self._video(pick):
            self._to(video, sorted(VIDEO_ALLOWED[VideoStatus(video.status)] & set(RED)), pick)

    def work(self, pick: int) -> None:
        jobs = list(Job.objects.order_by("pk"))
        if jobs and (to := sorted(JOB_ALLOWED[JobStatus((job := jobs[pick % len(jobs)]).status)])):
            job_move(job=job, to=to[pick % len(to)])

    def retry(self, _pick: int) -> None:
        act_do(user=self.user, kind=ActKind.RETRY, videos=Video.objects.all())

    def cancel(self, _pick: int) -> None:
        act_do(user=self.user, kind=ActKind.CANCEL, videos=Video.objects.all())

    def undo(self, _pick: int) -> None:
        if act := Act.objects.filter(undone_at=None).order_by("-pk").first():
            with transaction.atomic():
                act_undo(user=self.user, act=Act.objects.get(pk=act.pk)) if act.undoable else None

    def delete(self, pick: int) -> None:
        if video := self._video(pick):
            video.delete()

    def wait(self, pick: int) -> None:
        self.clock.shift(timedelta(hours=pick))

    def fold(self, _pick: int) -> None:
        summaries_fold()

    def roll_back(self, pick: int) -> None:
        with transaction.atomic():
            self.create(pick)
            self.move(pick)
            transaction.set_rollback(True)

    def _video(self, pick: int) -> Video | None:
        videos = list(Video.objects.order_by("pk"))
        return videos[pick % len(videos)] if videos else None

    def _to(self, video: Video, allowed: list[VideoStatus], pick: int) -> None:
        if allowed:
            to = allowed[pick % len(allowed)]
            video_move(video=video, to=to, **({"posted_at": timezone.now()} if to == VideoStatus.POSTED else {}))


STEPS = ["create", "move", "move", "fail", "work", "retry", "cancel", "undo", "delete", "wait", "fold", "roll_back"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 23)), max_size=20))
def test_it_keeps_what_a_rebuild_counts(steps: list[tuple[str, int]]) -> None:
    with transaction.atomic(), time_machine.travel(NOON, tick=False) as clock:
        story = Story(clock)
        for name, pick in steps:
            story.step(name, pick)
        kept = summaries()
        summaries_rebuild()

        assert kept == summaries()
        assert not SummaryDelta.objects.exists()
        transaction.set_rollback(True)


def test_it_agrees_with_the_rows_to_the_digit() -> None:
    """What the pages and the JSON say of all accounts comes from the sums, of some from their rows."""
    with time_machine.travel(NOON, tick=False) as clock:
        story = Story(clock)
        for pick, name in enumerate(["create", "create", "move", "fail", "wait", "work", "fail", "move", "create"] * 5):
            story.step(name, pick + 3)
        VideoFactory(status=VideoStatus.POSTED, posted_at=timezone.now() - timedelta(days=29, hours=23))
        VideoFactory(status=VideoStatus.POSTED, posted_at=timezone.now() - timedelta(days=30, hours=1))
        every = TikTokAccount.objects.all()

        assert daily_throughput(45) == daily_throughput(45, every)
        assert publish_success_rate() == publish_success_rate(every)
        assert publish_success_rate()["all"].ended > publish_success_rate()["all"].published > 0
        assert by_name(sums_now(every), "video") == by_name(sums_now(), "video")
        assert {status: Video.objects.filter(status=status).count() for status in VideoStatus.values} == video_status()
        for (kind, status), n in jobs_by_kind_and_status().items():
            assert n == Job.objects.filter(kind=kind, status=status).count()


def test_it_folds_an_account_into_itself_and_into_all() -> None:
    video = VideoFactory(status=VideoStatus.EDITING)
    assert SummaryDelta.objects.filter(account=video.account_id).exists()

    assert summaries_fold() == 2
    assert summaries_fold() == 0

    found = dict(SummaryTotal.objects.filter(day=NOW, what="video:editing").values_list("account", "n"))
    assert found == {EVERY: 1, video.account_id: 1}


def test_it_counts_a_batch_of_failures_of_one_day_once() -> None:
    """One statement, two events of a video: the second finds the first, in and out."""
    video = VideoFactory()
    events = [VideoEvent(video=video, old="uploading", new="failed_upload", at=NOON) for _turn in range(2)]
    VideoEvent.objects.bulk_create(events)
    assert summaries()[EVERY, date(2026, 11, 23), "failed"] == 1

    VideoEvent.objects.filter(video=video).update(at=NOON - timedelta(days=1))
    assert summaries().get((EVERY, date(2026, 11, 23), "failed")) is None
    assert summaries()[EVERY, date(2026, 11, 22), "failed"] == 1

    VideoEvent.objects.filter(video=video).delete()
    assert (EVERY, date(2026, 11, 22), "failed") not in summaries()


@pytest.mark.parametrize("zone", ["America/Argentina/Buenos_Aires", "Europe/Madrid", "Asia/Kolkata"])
@pytest.mark.parametrize("month", [1, 3, 7, 10])
def test_it_knows_the_day_as_the_agencys_clocks_do(zone: str, month: int, settings: object) -> None:
    settings.TIME_ZONE = zone  # type: ignore[attr-defined]
    place = timezone.zoneinfo.ZoneInfo(zone)
    for hour in range(0, 31 * 24, 5):
        at = datetime(2026, month, 1, 0, 30, tzinfo=UTC) + timedelta(hours=hour)
        column = f"'{at:%Y-%m-%d %H:%M:%S+00}'::timestamptz" if connection.vendor == "postgresql" else (
            f"'{at:%Y-%m-%d %H:%M:%S}'"
        )  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {day(column, connection.vendor)}")
            assert str(cursor.fetchone()[0]) == at.astimezone(place).date().isoformat()


def test_it_finds_the_changes_of_the_clock() -> None:
    before, last = offsets("Europe/Madrid")
    assert (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), 3600) in before
    assert (datetime(2026, 10, 25, 1, 0, tzinfo=UTC), 7200) in before
    assert last == 3600
    assert offsets("America/Argentina/Buenos_Aires") == ([], -10800)


class TestRebuilding:
    def rebuilt(self) -> str:
        said = StringIO()
        call_command("rebuild_summaries", stdout=said)
        return said.getvalue()

    def test_it_says_what_differed(self) -> None:
        video = VideoFactory(status=VideoStatus.EDITING)
        assert self.rebuilt() == "Every sum agreed with the rows.\n"
        SummaryTotal.objects.filter(what="video:editing", account=EVERY).update(n=7)

        said = self.rebuilt()

        assert said == "video:editing account=every day=now: 7 -> 1\n1 sums differed.\n"
        assert summaries()[video.account_id, NOW, "video:editing"] == 1

    def test_a_migrate_brings_the_triggers_back_and_counts_what_they_missed(self) -> None:
        triggers_remove(connection)
        VideoFactory(status=VideoStatus.EDITING)
        assert not triggers_current(connection)
        assert video_status()["editing"] == 0

        call_command("migrate", verbosity=0)

        assert triggers_current(connection)
        assert video_status()["editing"] == 1

    def test_another_time_zone_counts_the_days_anew(self, settings: object) -> None:
        VideoFactory()
        Video.objects.update(created_at=datetime(2026, 11, 23, 2, 0, tzinfo=UTC))
        try:
            with time_machine.travel(NOON, tick=False):
                assert daily_throughput(2)[0] == Day(date(2026, 11, 22), 1, 0, 0)
                settings.TIME_ZONE = "Asia/Kolkata"  # type: ignore[attr-defined]
                call_command("migrate", verbosity=0)
                assert daily_throughput(2)[1].created == 1
        finally:
            settings.TIME_ZONE = "America/Argentina/Buenos_Aires"  # type: ignore[attr-defined]
            call_command("migrate", verbosity=0)


@pytest.mark.django_db(transaction=True)
def test_it_loses_and_doubles_nothing_while_many_write_and_others_fold_and_rebuild() -> None:
    jobs = JobFactory.create_batch(3)
    done = threading.Event()

    def work(job: Job) -> None:
        for to in [JobStatus.RUNNING, JobStatus.QUEUED] * 8:
            job_move(job=job, to=to)
        connection.close()

    def keep(step: object) -> None:
        while not done.is_set():
            step()  # type: ignore[operator]
        connection.close()

    with ThreadPoolExecutor(6) as pool:
        keepers = [pool.submit(keep, step) for step in (summaries_fold, summaries_fold, summaries_rebuild)]
        for worker in [pool.submit(work, job) for job in jobs]:
            worker.result(timeout=60)
        done.set()
        for keeper in keepers:
            keeper.result(timeout=60)

    kept = summaries()
    summaries_rebuild()
    assert kept == summaries()
    assert kept[EVERY, NOW, "job:edit:queued"] == 3
