"""What a person holds stays held: whatever the account, the scheduler or TikTok do meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone, translation

from accounts.models import AccountEvent
from accounts.signals import account_connected
from publishing.errors import LeaseLost, NotPossible
from publishing.models import AccountCircuit, UploadSession, Video
from publishing.services.circuits import circuit_isolate, circuit_probe_now, circuit_release
from publishing.services.held import held_head, resume_held
from publishing.services.jobs import job_claim, job_write
from publishing.services.moves import video_move
from publishing.services.reconcile import reconcile_tick
from publishing.services.videos import (
    video_cancel,
    video_hold,
    video_release,
    video_reschedule,
    video_retry,
)
from publishing.states import VIDEO_HOLDABLE, CircuitState, JobKind, JobStatus, UploadState, VideoStatus
from tests.factories import (
    EditedAssetFactory,
    JobFactory,
    TikTokAccountFactory,
    UploadSessionFactory,
    UserFactory,
    VideoFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def ana():
    return UserFactory()


@pytest.fixture
def account():
    return TikTokAccountFactory()


@pytest.fixture
def make(account):
    def make(status=VideoStatus.EDITED, **fields) -> Video:
        edited = {} if status in {VideoStatus.PENDING, VideoStatus.EDITING} else {"edited": EditedAssetFactory()}
        return VideoFactory(account=account, status=status, **edited | fields)

    return make


@pytest.fixture
def held(make, ana):
    """An upload that was on its way when a person held it."""
    video = make()
    JobFactory(video=video, kind=JobKind.UPLOAD)
    return video_hold(video=video, actor=ana)


def is_held(video: Video) -> bool:
    video = Video.objects.get(pk=video.pk)
    return (video.status, video.reason_code, video.resume_at) == (VideoStatus.HELD, "held_by_person", None)


@pytest.mark.parametrize("status", sorted(VIDEO_HOLDABLE))
def test_it_holds_what_is_on_its_way_and_stops_its_work(status, make, ana):
    video = make(status)
    job = JobFactory(video=video, kind=JobKind.UPLOAD)
    video_hold(video=video, actor=ana)
    job.refresh_from_db()
    assert is_held(video)
    assert job.status == JobStatus.CANCELLED


@pytest.mark.parametrize("status", sorted(set(VideoStatus) - VIDEO_HOLDABLE))
def test_it_holds_nothing_else(status, make, ana):
    fields = {"posted_at": timezone.now()} if status == VideoStatus.POSTED else {}
    with pytest.raises(NotPossible, match="nothing to hold"):
        video_hold(video=make(status, **fields), actor=ana)


def test_it_does_not_hold_what_is_at_tiktok(make, ana):
    video = make(VideoStatus.UPLOADING)
    UploadSessionFactory(video=video, state=UploadState.UPLOADING, sent_at=timezone.now())
    with pytest.raises(NotPossible, match="on its way to TikTok"):
        video_hold(video=video, actor=ana)


def test_it_stops_a_worker_in_the_middle_of_the_upload(make, ana):
    video = make()
    claim = job_claim(JobFactory(video=video, kind=JobKind.UPLOAD).pk, owner="one:1")
    video_move(video=claim.job.video, to=VideoStatus.UPLOADING)
    session = UploadSessionFactory(video=video, state=UploadState.UPLOADING)

    video_hold(video=Video.objects.get(pk=video.pk), actor=ana)

    with pytest.raises(LeaseLost):
        job_write(claim, progress=0.9)
    assert UploadSession.objects.get(pk=session.pk).state == UploadState.DEAD
    assert is_held(video)


def test_it_stays_held_when_the_account_publishes_again(held, account, ana):
    circuit_isolate(account=account, reason="", actor=ana)
    assert is_held(held)  # and the account's own cause does not take the place of the person's
    circuit_release(account=account, reason="", actor=ana)
    resume_held(account_id=account.pk)
    assert is_held(held)


def test_it_stays_held_when_the_account_is_connected_again(held, account, ana):
    circuit_isolate(account=account, reason="", actor=ana, code="access_token_invalid")
    account_connected.send(
        type(account),
        account=account,
        actor=ana,
        event=AccountEvent.objects.create(account=account, kind="connected", actor=ana, at=timezone.now()),
    )
    assert is_held(held)


def test_it_is_never_the_one_that_tries(held, account, ana):
    AccountCircuit.objects.create(account=account, state=CircuitState.OPEN, open_until=timezone.now())
    circuit_probe_now(account=account, reason="", actor=ana)
    assert held_head(account.pk) is None
    reconcile_tick()
    assert is_held(held)


def test_it_takes_over_what_the_account_held(make, ana, account):
    """From then on the account's recovery is not enough."""
    video = make(VideoStatus.HELD, reason_code="circuit_open", resume_at=timezone.now())
    JobFactory(video=video, kind=JobKind.UPLOAD, status=JobStatus.HELD)
    video_hold(video=video, actor=ana)
    resume_held(account_id=account.pk)
    assert is_held(video)


@pytest.mark.parametrize("hours", [-1, -13, -100])
def test_it_is_not_missed_and_does_not_start_when_its_hour_passes(hours, make, ana):
    video = video_hold(video=make(VideoStatus.SCHEDULED), actor=ana)
    Video.objects.update(scheduled_at=timezone.now() + timedelta(hours=hours))
    reconcile_tick()
    assert is_held(video)


def test_it_cannot_be_held_twice_nor_retried(held, ana):
    with pytest.raises(NotPossible, match="holds it already"):
        video_hold(video=held, actor=ana)
    with pytest.raises(NotPossible):
        video_retry(video=held, actor=ana)


def test_it_can_be_cancelled(held, ana):
    video_cancel(video=held, actor=ana)
    assert Video.objects.get(pk=held.pk).status == VideoStatus.CANCELLED


def test_it_stays_held_with_another_hour(held, ana):
    at = timezone.now() + timedelta(days=1)
    video_reschedule(video=held, at=at, actor=ana)
    assert is_held(held)
    assert Video.objects.get(pk=held.pk).scheduled_at == at


@pytest.mark.parametrize(
    ("hours", "edited", "status", "kind"),
    [
        (None, True, VideoStatus.EDITED, JobKind.UPLOAD),
        (None, False, VideoStatus.PENDING, JobKind.EDIT),
        (5, True, VideoStatus.SCHEDULED, None),
        (5, False, VideoStatus.SCHEDULED, JobKind.EDIT),
        (-30, True, VideoStatus.EDITED, JobKind.UPLOAD),
        (-30, False, VideoStatus.PENDING, JobKind.EDIT),
    ],
)
def test_it_goes_on_from_where_it_was_when_it_is_released(hours, edited, status, kind, account, ana):
    at = timezone.now() + timedelta(hours=hours) if hours else None
    asset = EditedAssetFactory() if edited else None
    video = VideoFactory(
        account=account, status=VideoStatus.HELD, reason_code="held_by_person", scheduled_at=at, edited=asset
    )
    video_release(video=video, actor=ana)
    video.refresh_from_db()
    assert (video.status, video.reason_code) == (status, "released_by_person")
    assert [job.kind for job in video.jobs.all()] == ([kind] if kind else [])
    reconcile_tick()
    assert Video.objects.get(pk=video.pk).status == status  # its hour passed, but a person let it go


def test_it_releases_only_what_a_person_holds(make, ana):
    video = make(VideoStatus.HELD, reason_code="circuit_open")
    with pytest.raises(NotPossible, match="Nobody holds it"):
        video_release(video=video, actor=ana)
