"""Acts while others act: workers and people between the reading and the lock, and two requests at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import IntegrityError
from django.utils import timezone

from publishing.models import Act, Job, Video
from publishing.services.acts import act_do
from publishing.services.jobs import job_claim
from publishing.services.moves import video_move
from publishing.services.undo import act_undo
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


@pytest.fixture
def ana():
    return UserFactory()


@pytest.fixture
def two(ana) -> list[Video]:
    """Two uploads that wait, the older first."""
    account = TikTokAccountFactory(managers=[ana])
    videos = [VideoFactory(account=account, status=VideoStatus.EDITED, edited=EditedAssetFactory()) for _ in range(2)]
    for video in videos:
        JobFactory(video=video, kind=JobKind.UPLOAD)
    return videos


@contextmanager
def meanwhile(what: Callable[[], Any]) -> Iterator[None]:
    """Do `what` once, when the first video has moved: the act has read all rows and locked none of the others."""
    done = []

    def hear(sender: object, **_rest: Any) -> None:
        if not done:
            done.append(True)
            what()

    video_moved.connect(hear)
    try:
        yield
    finally:
        video_moved.disconnect(hear)


def status(video: Video) -> str:
    return Video.objects.get(pk=video.pk).status


def test_it_refuses_what_a_worker_sent_meanwhile_and_stops_no_other(ana, two):
    first, second = two

    def send() -> None:
        claim = job_claim(second.jobs.get().pk, owner="one:1")
        video_move(video=claim.job.video, to=VideoStatus.UPLOADING)
        UploadSessionFactory(video=second, state=UploadState.UPLOADING, sent_at=timezone.now())

    with meanwhile(send):
        act = act_do(user=ana, kind=ActKind.CANCEL, videos=Video.objects.all())

    assert (act.done, act.refused) == (1, 1)
    assert act.items.get(video=second).code == "already_sent"
    assert (status(first), status(second)) == (VideoStatus.CANCELLED, VideoStatus.UPLOADING)


def test_it_stops_the_worker_that_began_meanwhile(ana, two):
    second = two[1]

    def begin() -> None:
        claim = job_claim(second.jobs.get().pk, owner="one:1")
        video_move(video=claim.job.video, to=VideoStatus.UPLOADING)

    with meanwhile(begin):
        act = act_do(user=ana, kind=ActKind.HOLD, videos=Video.objects.all())

    assert (act.done, status(second)) == (2, VideoStatus.HELD)
    assert second.jobs.get().status == JobStatus.CANCELLED
    act_undo(user=ana, act=act)
    assert status(second) == VideoStatus.EDITED
    assert second.jobs.order_by("-pk").first().status == JobStatus.QUEUED


def test_it_leaves_to_another_person_what_they_did_meanwhile(ana, two):
    boss = UserFactory(is_staff=True)
    second = Video.objects.filter(pk=two[1].pk)
    with meanwhile(lambda: act_do(user=boss, kind=ActKind.CANCEL, videos=second)):
        act = act_do(user=ana, kind=ActKind.HOLD, videos=Video.objects.all())

    assert (act.done, act.refused) == (1, 1)
    assert (status(two[0]), status(two[1])) == (VideoStatus.HELD, VideoStatus.CANCELLED)
    assert len(act_undo(user=ana, act=act).restored) == 1
    assert status(two[1]) == VideoStatus.CANCELLED  # the other person's act is not undone with it


def test_it_does_nothing_when_the_same_form_arrives_while_it_is_at_work(ana, two):
    answers = []

    def again() -> None:
        answers.append(act_do(user=ana, kind=ActKind.CANCEL, videos=Video.objects.all(), key="form"))

    with meanwhile(again):
        act = act_do(user=ana, kind=ActKind.CANCEL, videos=Video.objects.all(), key="form")

    assert [answer.pk for answer in answers] == [act.pk]
    assert (act.done, Act.objects.count()) == (2, 1)
    assert all(video.events.filter(code="cancelled_by_person").count() == 1 for video in two)


def test_it_undoes_each_video_once_when_two_browsers_ask(ana, two):
    act = act_do(user=ana, kind=ActKind.CANCEL, videos=Video.objects.all())
    with meanwhile(lambda: act_undo(user=ana, act=Act.objects.get(pk=act.pk))):
        act_undo(user=ana, act=Act.objects.get(pk=act.pk))
    for video in two:
        assert status(video) == VideoStatus.EDITED
        assert video.events.filter(code="undone").count() == 1
        assert Job.objects.filter(video=video, status=JobStatus.QUEUED).count() == 1


def test_it_can_be_undone_as_far_as_it_went_when_it_died(ana, two):
    """A crash in the middle leaves an act without counts; its time runs from its beginning."""

    class Killed(BaseException):
        pass

    def die() -> None:
        raise Killed

    act_do(user=ana, kind=ActKind.CANCEL, videos=Video.objects.filter(pk=two[0].pk), key="form")
    Act.objects.update(done=0, finished_at=None)
    with meanwhile(die), pytest.raises(Killed):
        act_do(user=ana, kind=ActKind.CANCEL, videos=Video.objects.filter(pk=two[1].pk), key="other")
    assert status(two[1]) == VideoStatus.EDITED

    act_undo(user=ana, act=Act.objects.get(key="form"))

    assert status(two[0]) == VideoStatus.EDITED


def test_it_lets_the_database_refuse_a_second_item_of_a_video(ana, two):
    act = act_do(user=ana, kind=ActKind.CANCEL, videos=Video.objects.filter(pk=two[0].pk))
    with pytest.raises(IntegrityError):
        act.items.create(video=two[0])
