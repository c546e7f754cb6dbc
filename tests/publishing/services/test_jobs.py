"""Jobs: one worker at a time, every write under the fence."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from publishing.errors import LeaseLost, StateConflict
from publishing.models import AccountCircuit, Job, JobEvent, Video, VideoEvent
from publishing.queues import LEAST, get_queue
from publishing.services.jobs import (
    LEASE,
    UPLOADS_PER_ACCOUNT,
    job_abandon,
    job_cancel_active,
    job_claim,
    job_create,
    job_finish,
    job_move,
    job_release,
    job_renew,
    job_ring,
    job_ring_next,
    job_unanswered,
    job_write,
)
from publishing.services.moves import video_move
from publishing.services.reconcile import reconcile_tick
from publishing.services.runner import job_run
from publishing.services.videos import video_retry
from publishing.states import JobKind, JobStatus, VideoStatus
from publishing.stopping import Stopping
from tests.factories import EditedAssetFactory, JobFactory, TikTokAccountFactory, VideoFactory

pytestmark = pytest.mark.django_db


def test_it_claims_a_due_job_once():
    job = JobFactory()
    claim = job_claim(job.pk, owner="a")
    assert claim is not None
    assert (claim.job.status, claim.fence) == (JobStatus.RUNNING, 1)
    assert job_claim(job.pk, owner="b") is None


def test_it_ignores_a_bell_for_a_job_that_is_not_due_or_gone():
    later = JobFactory(run_at=timezone.now() + timedelta(minutes=1))
    assert job_claim(later.pk, owner="a") is None
    assert job_claim(later.pk + 1000, owner="a") is None


def test_it_refuses_every_write_of_a_worker_that_lost_its_job():
    job = JobFactory()
    first = job_claim(job.pk, owner="a")
    Job.objects.filter(pk=job.pk).update(status=JobStatus.QUEUED, lease_until=None)
    second = job_claim(job.pk, owner="b")
    assert second.fence == first.fence + 1
    assert not job_renew(first)
    with pytest.raises(LeaseLost):
        job_write(first, progress=0.5)
    with pytest.raises(LeaseLost):
        job_finish(first, to=JobStatus.SUCCEEDED, video_to=VideoStatus.EDITED)
    job_write(second, progress=0.25)
    assert Job.objects.get(pk=job.pk).progress == 0.25


def test_it_keeps_the_lease_by_renewing_it():
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False) as clock:
        claim = job_claim(JobFactory().pk, owner="a")
        clock.shift(LEASE / 2)
        assert job_renew(claim)
        assert Job.objects.get(pk=claim.job.pk).lease_until == timezone.now() + LEASE


def test_it_moves_a_job_only_along_the_machine_and_records_it():
    job = JobFactory(status=JobStatus.SUCCEEDED)
    with pytest.raises(StateConflict):
        job_move(job=job, to=JobStatus.RUNNING)
    assert not JobEvent.objects.filter(job=job).exists()


def test_it_moves_from_the_status_it_saw_or_not_at_all():
    job = JobFactory()
    stale = Job.objects.get(pk=job.pk)
    job_move(job=job, to=JobStatus.CANCELLED)
    with pytest.raises(StateConflict):
        job_move(job=stale, to=JobStatus.RUNNING)


def test_it_finishes_job_and_video_together_or_neither():
    video = VideoFactory(status=VideoStatus.EDITING)
    claim = job_claim(JobFactory(video=video).pk, owner="a")
    with pytest.raises(StateConflict):
        job_finish(claim, to=JobStatus.SUCCEEDED, video_to=VideoStatus.POSTED)
    assert Job.objects.get(pk=claim.job.pk).status == JobStatus.RUNNING
    assert not VideoEvent.objects.filter(video=video, new=VideoStatus.POSTED).exists()


def test_it_allows_one_active_job_per_video():
    job = JobFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        job_create(video=job.video, kind=JobKind.EDIT)


def test_it_gives_a_job_back_without_using_an_attempt():
    claim = job_claim(JobFactory().pk, owner="a")
    job_release(claim)
    job = Job.objects.get(pk=claim.job.pk)
    assert (job.status, job.attempt, job.lease_until) == (JobStatus.QUEUED, 1, None)


@pytest.mark.parametrize("moment", ["SELECT", "INSERT", '"traceparent" ='])
def test_it_has_the_bell_rung_again_at_once_when_it_is_stopped_before_it_could_work(moment):
    """Before, within and after the claim: nobody waits for a lease, or for the bell to count as unanswered."""
    job = JobFactory(belled_at=timezone.now())

    def stop(execute, sql, *rest):
        if moment in sql and "publishing_job" in sql:
            moments.append(sql)
            if len(moments) == 1:
                raise Stopping
        return execute(sql, *rest)

    moments = []
    with connection.execute_wrapper(stop), pytest.raises(Stopping):
        job_run(job.pk)

    job.refresh_from_db()
    if job.status == JobStatus.QUEUED:
        assert job.belled_at is None
    else:
        assert job.lease_until <= timezone.now()


def test_it_lets_a_bell_stand_that_was_rung_after_its_own():
    """A worker that gives its job back has rung for it."""
    job = JobFactory(belled_at=timezone.now())

    job_unanswered(job.pk, owner="a", since=timezone.now() - timedelta(seconds=1))

    job.refresh_from_db()
    assert job.belled_at is not None


def test_it_stops_the_worker_of_a_cancelled_job_at_its_next_write():
    claim = job_claim(JobFactory().pk, owner="a")
    job_cancel_active(video=claim.job.video)
    assert not job_renew(claim)
    with pytest.raises(LeaseLost):
        job_write(claim, progress=0.9)


def lane(account, count):
    videos = [VideoFactory(account=account, status=VideoStatus.EDITED) for _ in range(count)]
    return [JobFactory(video=video, kind=JobKind.UPLOAD) for video in videos]


def test_it_starts_only_a_few_uploads_of_an_account_and_in_order():
    jobs = lane(TikTokAccountFactory(), UPLOADS_PER_ACCOUNT + 2)
    assert job_claim(jobs[-1].pk, owner="late") is None
    claims = [job_claim(job.pk, owner="w") for job in jobs]
    assert [claim is not None for claim in claims] == [True] * UPLOADS_PER_ACCOUNT + [False, False]
    video_move(video=claims[0].job.video, to=VideoStatus.UPLOADING)
    job_finish(claims[0], to=JobStatus.FAILED, video_to=VideoStatus.FAILED_UPLOAD, code="unavailable")
    assert job_claim(jobs[-1].pk, owner="w") is None
    assert job_claim(jobs[-2].pk, owner="w") is not None


def test_it_orders_a_lane_by_due_time():
    account = TikTokAccountFactory()
    jobs = lane(account, UPLOADS_PER_ACCOUNT + 1)
    jobs[-1].video.scheduled_at = timezone.now() - timedelta(hours=1)
    jobs[-1].video.save(update_fields=["scheduled_at"])
    assert job_claim(jobs[-1].pk, owner="w") is not None
    assert job_claim(jobs[-2].pk, owner="w") is None


def test_it_keeps_the_place_of_an_upload_that_our_own_rate_holds_up():
    account = TikTokAccountFactory()
    AccountCircuit.objects.create(account=account, closed_at=timezone.now())  # one after the other
    first, second, third = lane(account, 3)
    soon = timezone.now() + timedelta(seconds=1)
    for job, run_at in ((first, soon), (second, timezone.now())):
        job_move(job=job, to=JobStatus.RUNNING)
        job_move(job=job, to=JobStatus.WAITING, code="rate_limit_own", run_at=run_at)
    assert [job_claim(job.pk, owner="w") for job in (second, third)] == [None, None]
    with time_machine.travel(soon):
        claims = [job_claim(job.pk, owner="w") for job in (second, third, first)]
    assert [claim is not None for claim in claims] == [False, False, True]


def test_it_keeps_accounts_out_of_each_others_lanes():
    for job in lane(TikTokAccountFactory(), UPLOADS_PER_ACCOUNT):
        assert job_claim(job.pk, owner="w")
    assert job_claim(lane(TikTokAccountFactory(), 1)[0].pk, owner="w")


def rung(kind="upload"):
    """The jobs that a bell in the queue asks to look at."""
    return [message.args[0] for message in get_queue(kind).get_jobs()]


def test_it_leaves_a_new_job_to_the_reconciler_while_too_many_bells_wait(redis, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        jobs = [job_create(video=VideoFactory(), kind=JobKind.EDIT) for _ in range(2 * LEAST + 1)]

    assert rung("edit") == [job.pk for job in jobs[:-1]]
    assert [job.pk for job in jobs if Job.objects.get(pk=job.pk).belled_at is None] == [jobs[-1].pk]


def test_it_wakes_as_many_of_an_account_as_have_a_place(redis, django_capture_on_commit_callbacks):
    jobs = lane(TikTokAccountFactory(), UPLOADS_PER_ACCOUNT + 2)
    claims = [job_claim(job.pk, owner="w") for job in jobs[:-2]]
    job_release(claims[0])
    get_queue("upload").empty()

    with django_capture_on_commit_callbacks(execute=True):
        job_ring_next(account_id=jobs[0].video.account_id)

    assert rung() == [jobs[0].pk]


def test_it_wakes_no_second_of_an_account_before_others_that_wait(redis, django_capture_on_commit_callbacks):
    (mine,), (other,) = lane(TikTokAccountFactory(), 1), lane(TikTokAccountFactory(), 1)
    with django_capture_on_commit_callbacks(execute=True):
        job_ring(other)
        job_ring_next(account_id=mine.video.account_id)

    assert rung() == [other.pk]
    reconcile_tick()
    assert rung() == [other.pk, mine.pk]


def test_it_lets_go_at_once_of_the_jobs_of_a_process_that_is_dead_for_certain():
    mine, other = JobFactory(), JobFactory()
    job_claim(mine.pk, owner="host:7")
    claim = job_claim(other.pk, owner="host:8")

    assert job_abandon(owner="host:7") == 1
    reconcile_tick()

    mine.refresh_from_db()
    assert (mine.status, mine.crash_count) == (JobStatus.QUEUED, 1)
    assert job_renew(claim)


def test_it_keeps_the_hour_of_an_edited_video_that_is_taken_up_again():
    later = timezone.now() + timedelta(days=3)
    video = VideoFactory(status=VideoStatus.CANCELLED, edited=EditedAssetFactory(), scheduled_at=later)

    video_retry(video=video, actor=None)

    assert Video.objects.get(pk=video.pk).status == VideoStatus.SCHEDULED
    assert not Job.objects.filter(video=video).exists()
