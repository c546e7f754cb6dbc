"""Publications: the unit as submitted, and what became of it in a day."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from insights.models import Outcome, Publication, PublicationTopic
from insights.services.publications import publications_reconcile
from insights.services.rounds import insights_tick, turns
from publishing.models import Video
from publishing.services.approvals import video_approve
from publishing.services.batches import AccountChoice, batch_submit
from publishing.services.corrections import subtitles_replace
from publishing.services.moves import video_move
from publishing.services.reconcile import reconcile_tick
from publishing.states import PostMode, PrivacyLevel, SubtitleChoice, VideoStatus
from tests.factories import AdminFactory, SubtitleTrackFactory, TikTokAccountFactory, VideoFactory

pytestmark = pytest.mark.django_db

DAY = timedelta(hours=24)


@pytest.fixture(autouse=True)
def nobody_ticked() -> None:
    turns.forget()


def submitted(*, mode=PostMode.DIRECT, subtitles=SubtitleChoice.AUTO, needs_approval=False, **fields) -> Video:
    account, track = TikTokAccountFactory(needs_approval=needs_approval), SubtitleTrackFactory()
    batch = batch_submit(
        user=AdminFactory(), source=track.asset, caption="Ricas #pan",
        choices=[AccountChoice(account=account, privacy_level=PrivacyLevel.PUBLIC_TO_EVERYONE)], mode=mode,
        subtitles=subtitles, submission_key=f"k{account.pk}", track=track, **fields,
    )  # fmt: skip
    return batch.videos.get()


def a_day_later(video: Video, **more: float) -> Publication:
    """What is decided when the day of `video` is over."""
    with time_machine.travel(timezone.now() + DAY + timedelta(minutes=1, **more)):
        publications_reconcile()
    return Publication.objects.get(video=video)


def go(video: Video, *steps: VideoStatus, **fields) -> None:
    for step in steps[:-1]:
        video_move(video=video, to=step)
    video_move(video=video, to=steps[-1], **fields)


def publish(video: Video, **later: float) -> None:
    at = timezone.now() + timedelta(**later)
    go(video, VideoStatus.EDITING, VideoStatus.EDITED, VideoStatus.UPLOADING, VideoStatus.VERIFYING)
    video_move(video=video, to=VideoStatus.POSTED, posted_at=at, post_id="77")


def test_it_keeps_what_was_submitted_whatever_is_corrected_later() -> None:
    video = submitted()
    row = Publication.objects.get()
    assert (row.arm, row.assignment, row.outcome) == ("auto", "person", Outcome.IN_FLIGHT)
    assert (row.account, row.sector, row.due_at) == (video.account, video.account.sector, video.created_at)

    go(video, VideoStatus.EDITING, VideoStatus.FAILED_EDIT)
    subtitles_replace(video=video, track=None, actor=None)

    row.refresh_from_db()
    assert (video.subtitle_variant, row.arm, row.has_failed) == ("none", "auto", True)


def test_it_has_no_unit_for_what_a_person_publishes_in_the_app() -> None:
    submitted(mode=PostMode.INBOX)
    assert publications_reconcile(whole=True) == 0
    assert not Publication.objects.exists()


def test_it_reads_the_topics_at_publication_and_asks_for_counts() -> None:
    video = submitted()
    publish(video)
    row = Publication.objects.get()
    assert row.posted_at == video.posted_at
    assert row.next_count_at > row.posted_at
    assert [use.hashtag for use in row.topics.all()] == ["pan"]


@pytest.mark.parametrize(("hours", "outcome"), [(1, Outcome.PUBLISHED), (25, Outcome.FAILED)])
def test_it_decides_when_the_day_is_over_and_not_before(hours: int, outcome: Outcome) -> None:
    video = submitted()
    publish(video, hours=hours)
    assert publications_reconcile() == 0
    assert Publication.objects.get().outcome == Outcome.IN_FLIGHT
    assert a_day_later(video).outcome == outcome


def test_it_counts_what_failed_before_it_was_cancelled() -> None:
    calm, red, stuck = submitted(), submitted(), submitted()
    go(red, VideoStatus.EDITING, VideoStatus.FAILED_EDIT)
    for video in (calm, red):
        go(video, VideoStatus.CANCELLED)
    assert a_day_later(calm).outcome == Outcome.CANCELLED
    assert Publication.objects.get(video=red).outcome == Outcome.FAILED
    assert Publication.objects.get(video=stuck).outcome == Outcome.FAILED


def test_it_follows_the_hour_that_a_person_gave_before_anything_failed() -> None:
    video = submitted()
    later = timezone.now() + timedelta(days=3)
    Video.objects.filter(pk=video.pk).update(scheduled_at=later)
    row = a_day_later(video)
    assert (row.outcome, row.due_at) == (Outcome.IN_FLIGHT, later)


def test_it_waits_for_what_a_person_holds() -> None:
    video = submitted()
    go(video, VideoStatus.HELD, code="held_by_person")
    row = a_day_later(video)
    assert row.outcome == Outcome.IN_FLIGHT
    assert row.due_at > video.created_at + DAY


def test_it_counts_no_approval_that_does_not_come_as_a_failure() -> None:
    waits, missed = submitted(needs_approval=True), submitted(needs_approval=True)
    Video.objects.filter(pk=missed.pk).update(scheduled_at=timezone.now() - timedelta(hours=2))
    reconcile_tick()
    missed.refresh_from_db()
    assert missed.status == VideoStatus.MISSED
    for video in (waits, missed):
        row = a_day_later(video)
        assert (row.outcome, row.has_failed) == (Outcome.IN_FLIGHT, False)


def test_it_gives_a_late_approval_a_day_from_then_on() -> None:
    with time_machine.travel(timezone.now() - timedelta(hours=30), tick=False):
        video = submitted(needs_approval=True)
    approved = video_approve(video=video, actor=AdminFactory())
    assert publications_reconcile() == 1
    row = Publication.objects.get()
    assert row.outcome == Outcome.IN_FLIGHT
    assert row.due_at == approved.events.latest("pk").at
    publish(approved, hours=1)
    assert a_day_later(video).outcome == Outcome.PUBLISHED


def test_it_makes_good_what_is_missing() -> None:
    old = timezone.now() - timedelta(days=40)
    video = VideoFactory(
        status=VideoStatus.POSTED, posted_at=old, post_id="77", caption="#pan", subtitle_variant="file"
    )
    Video.objects.filter(pk=video.pk).update(created_at=old)
    insights_tick()  # the first of a process looks at all history
    row = Publication.objects.get()
    assert (row.arm, row.outcome, row.posted_at) == ("file", Outcome.PUBLISHED, old)
    assert PublicationTopic.objects.count() == 1
    assert publications_reconcile(whole=True) == 0


def test_it_counts_as_made_good_only_what_is(caplog) -> None:
    """Who calls again while something was made good would go round for ever over one that fails each time."""
    VideoFactory(caption="#pan", status=VideoStatus.POSTED, posted_at=timezone.now(), post_id="77")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE insights_topic RENAME TO away")
    try:
        made = publications_reconcile(whole=True)
        again = publications_reconcile(whole=True)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE away RENAME TO insights_topic")
    assert "insight_lost" in caplog.text
    assert (made > 0, again) == (True, 0)
    assert publications_reconcile(whole=True) == 1
    assert PublicationTopic.objects.count() == 1


def test_it_never_stops_a_submission_that_it_cannot_learn_from(caplog) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE insights_publication RENAME TO away")
    try:
        video = submitted()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE away RENAME TO insights_publication")
    assert "insight_lost" in caplog.text
    publications_reconcile()
    assert Publication.objects.get().video == video
