"""Taking an act back: each video exactly as it was, or a reason why not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone, translation

from accounts.models import User
from publishing.errors import LeaseLost, NotPossible
from publishing.models import Act, Job, UploadSession, Video
from publishing.services.acts import When, act_do
from publishing.services.jobs import job_claim, job_write
from publishing.services.moves import video_move
from publishing.services.undo import Undone, act_undo
from publishing.services.videos import video_cancel, video_hold
from publishing.signals import video_moved
from publishing.states import ActKind, JobKind, JobStatus, UploadState, VideoStatus
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


#: What an undo has to put back.
FIELDS = ("status", "reason_code", "reason_detail", "resume_at", "scheduled_at", "edited_id")
DETAIL = {"account": "@a", "log_id": "L1"}


@pytest.fixture
def ana() -> User:
    return UserFactory()


@pytest.fixture
def account(ana):
    return TikTokAccountFactory(managers=[ana])


@pytest.fixture
def make(account):
    def make(status, **fields) -> Video:
        return VideoFactory(account=account, status=status, **fields)

    return make


def do(user: User, kind: ActKind, *videos: Video, when: When | None = None) -> Act:
    keys = [video.pk for video in videos]
    return act_do(user=user, kind=kind, videos=Video.objects.filter(pk__in=keys), when=when)


def undo(user: User, act: Act) -> Undone:
    return act_undo(user=user, act=Act.objects.get(pk=act.pk))


def state(video: Video) -> dict:
    return Video.objects.filter(pk=video.pk).values(*FIELDS).get()


def active(video: Video) -> Job | None:
    return video.jobs.exclude(status__in=[JobStatus.CANCELLED, JobStatus.SUCCEEDED]).first()


CASES = [
    (ActKind.RETRY, VideoStatus.FAILED_EDIT, {"reason_code": "edit_failed"}),
    (ActKind.RETRY, VideoStatus.FAILED_UPLOAD, {"reason_code": "unavailable", "reason_detail": DETAIL, "edited": True}),
    (ActKind.RETRY, VideoStatus.MISSED, {"reason_code": "missed", "edited": True, "hours": -5}),
    (ActKind.RETRY, VideoStatus.CANCELLED, {"reason_code": "cancelled_by_person", "edited": True}),
    (ActKind.CANCEL, VideoStatus.SCHEDULED, {"edited": True, "hours": 5}),
    (ActKind.CANCEL, VideoStatus.FAILED_UPLOAD, {"reason_code": "unavailable", "reason_detail": DETAIL}),
    (ActKind.CANCEL, VideoStatus.MISSED, {"reason_code": "missed", "hours": -5}),
    (ActKind.HOLD, VideoStatus.SCHEDULED, {"edited": True, "hours": 5}),
    (ActKind.RELEASE, VideoStatus.HELD, {"reason_code": "held_by_person", "edited": True}),
    (ActKind.RELEASE, VideoStatus.HELD, {"reason_code": "held_by_person", "edited": True, "hours": 5}),
    # In four days: what is already tomorrow's does not move to tomorrow.
    (ActKind.RESCHEDULE, VideoStatus.SCHEDULED, {"edited": True, "hours": 96}),
    (ActKind.RESCHEDULE, VideoStatus.HELD, {"reason_code": "held_by_person", "edited": True, "hours": -5}),
    (ActKind.RESCHEDULE, VideoStatus.FAILED_UPLOAD, {"reason_code": "unavailable", "edited": True}),
]


@pytest.mark.parametrize(("kind", "status", "fields"), CASES)
def test_it_puts_back_everything_that_an_act_changed(kind, status, fields, ana, make):
    fields = dict(fields)
    if hours := fields.pop("hours", 0):
        fields["scheduled_at"] = timezone.now() + timedelta(hours=hours)
    if fields.pop("edited", False):
        fields["edited"] = EditedAssetFactory()
    video = make(status, **fields)
    before = state(video)
    act = do(ana, kind, video, when=When(to_tomorrow=True) if kind == ActKind.RESCHEDULE else None)
    assert (act.done, state(video) == before) == (1, False)

    undone = undo(ana, act)

    assert [one.pk for one in undone.restored] == [video.pk]
    assert state(video) == before
    assert active(video) is None
    assert video.events.order_by("-pk").first().code == "undone"


@pytest.mark.parametrize("kind", [ActKind.CANCEL, ActKind.HOLD])
@pytest.mark.parametrize(
    ("status", "job_status", "back_to", "job_back_to"),
    [
        (VideoStatus.EDITED, JobStatus.QUEUED, VideoStatus.EDITED, JobStatus.QUEUED),
        (VideoStatus.RETRYING, JobStatus.WAITING, VideoStatus.RETRYING, JobStatus.WAITING),
        (VideoStatus.DEFERRED, JobStatus.WAITING, VideoStatus.DEFERRED, JobStatus.WAITING),
        (VideoStatus.HELD, JobStatus.HELD, VideoStatus.HELD, JobStatus.HELD),
        (VideoStatus.UPLOADING, JobStatus.RUNNING, VideoStatus.EDITED, JobStatus.QUEUED),
    ],
)
def test_it_gives_the_work_that_it_ended_back_with_its_attempts(
    kind, status, job_status, back_to, job_back_to, ana, make
):
    later = timezone.now() + timedelta(minutes=5)
    resume = later if job_status == JobStatus.WAITING else None
    code = {VideoStatus.HELD: "circuit_open", VideoStatus.RETRYING: "unavailable"}.get(status, "")
    video = make(status, edited=EditedAssetFactory(), resume_at=resume, reason_code=code)
    JobFactory(video=video, kind=JobKind.UPLOAD, status=job_status, attempt=3, run_at=later)
    act = do(ana, kind, video)
    assert active(video) is None

    undo(ana, act)

    job = active(video)
    assert (state(video)["status"], state(video)["reason_code"], state(video)["resume_at"]) == (back_to, code, resume)
    assert (job.status, job.attempt, job.kind) == (job_back_to, 3, JobKind.UPLOAD)
    assert (job.run_at == later) == (job_status in {JobStatus.WAITING, JobStatus.HELD})


def test_it_stops_the_work_that_a_retry_began(ana, make):
    video = make(VideoStatus.FAILED_EDIT, reason_code="edit_failed")
    act = do(ana, ActKind.RETRY, video)
    claim = job_claim(video.jobs.get().pk, owner="one:1")
    video_move(video=claim.job.video, to=VideoStatus.EDITING)

    undone = undo(ana, act)

    assert not undone.refused
    assert state(video)["status"] == VideoStatus.FAILED_EDIT
    with pytest.raises(LeaseLost):
        job_write(claim, progress=0.5)


def test_it_closes_the_upload_that_a_retry_began(ana, make):
    video = make(VideoStatus.FAILED_UPLOAD, reason_code="unavailable", edited=EditedAssetFactory())
    act = do(ana, ActKind.RETRY, video)
    claim = job_claim(video.jobs.get().pk, owner="one:1")
    video_move(video=claim.job.video, to=VideoStatus.UPLOADING)
    session = UploadSessionFactory(video=video, state=UploadState.UPLOADING)

    undo(ana, act)

    assert state(video)["status"] == VideoStatus.FAILED_UPLOAD
    assert UploadSession.objects.get(pk=session.pk).state == UploadState.DEAD


def test_it_leaves_alone_what_is_at_tiktok_by_now_and_says_so(ana, make):
    gone = make(VideoStatus.FAILED_UPLOAD, reason_code="unavailable", edited=EditedAssetFactory())
    other = make(VideoStatus.FAILED_EDIT, reason_code="edit_failed")
    act = do(ana, ActKind.RETRY, gone, other)
    claim = job_claim(gone.jobs.get().pk, owner="one:1")
    video_move(video=claim.job.video, to=VideoStatus.UPLOADING)
    UploadSessionFactory(video=gone, state=UploadState.UPLOADING, sent_at=timezone.now())

    undone = undo(ana, act)

    assert [(video.pk, code) for video, code in undone.refused] == [(gone.pk, "already_sent")]
    assert [video.pk for video in undone.restored] == [other.pk]
    assert state(gone)["status"] == VideoStatus.UPLOADING


def test_it_leaves_alone_what_a_person_moved_since(ana, make):
    video = make(VideoStatus.FAILED_EDIT, reason_code="edit_failed")
    act = do(ana, ActKind.RETRY, video)
    video_hold(video=Video.objects.get(pk=video.pk), actor=UserFactory())
    assert [code for _video, code in undo(ana, act).refused] == ["state_changed"]
    assert state(video)["reason_code"] == "held_by_person"


def test_it_leaves_alone_a_cancelled_one_that_was_taken_up_and_cancelled_again(ana, make):
    video = make(VideoStatus.SCHEDULED, edited=EditedAssetFactory())
    act = do(ana, ActKind.CANCEL, video)
    do(ana, ActKind.RETRY, video)
    video_cancel(video=Video.objects.get(pk=video.pk), actor=ana)
    assert [code for _video, code in undo(ana, act).refused] == ["state_changed"]


def test_it_says_the_same_twice_and_does_it_once(ana, make):
    video = make(VideoStatus.FAILED_EDIT, reason_code="edit_failed")
    act = do(ana, ActKind.RETRY, video)
    first, second = undo(ana, act), undo(ana, act)
    assert [one.pk for one in first.restored] == [one.pk for one in second.restored] == [video.pk]
    assert video.events.filter(code="undone").count() == 1


def test_it_lets_nobody_undo_what_another_did(ana, make):
    act = do(ana, ActKind.RETRY, make(VideoStatus.FAILED_EDIT, reason_code="edit_failed"))
    with pytest.raises(NotPossible, match="Only the person"):
        undo(UserFactory(is_staff=True), act)


def test_it_refuses_when_its_time_is_over(ana, make):
    video = make(VideoStatus.FAILED_EDIT, reason_code="edit_failed")
    act = do(ana, ActKind.RETRY, video)
    with time_machine.travel(timezone.now() + timedelta(seconds=31)), pytest.raises(NotPossible, match="30 s"):
        undo(ana, act)
    assert state(video)["status"] == VideoStatus.PENDING


def test_it_leaves_alone_what_is_no_longer_in_the_persons_charge(ana, make, account):
    act = do(ana, ActKind.RETRY, make(VideoStatus.FAILED_EDIT, reason_code="edit_failed"))
    account.managers.clear()
    assert [code for _video, code in undo(ana, act).refused] == ["account_not_yours"]


def test_it_tells_the_other_apps_that_it_was_an_undo(ana, make):
    video = make(VideoStatus.FAILED_EDIT, reason_code="edit_failed")
    act = do(ana, ActKind.RETRY, video)
    heard = []

    def hear(sender, new, code, **_rest):
        heard.append((new, code))

    video_moved.connect(hear)
    undo(ana, act)
    video_moved.disconnect(hear)
    assert heard == [(VideoStatus.FAILED_EDIT, "undone")]
