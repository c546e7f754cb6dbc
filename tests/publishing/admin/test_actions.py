"""The admin's actions do what they say through the services, and tell how it went."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import time_machine
from django.contrib.auth.models import Permission

from publishing.models import Asset, AssetKind, AssetStatus, Batch, Job, Video, VideoEvent
from publishing.queues import get_queue
from publishing.states import JobKind, JobStatus, VideoStatus
from subiteya.lib.admin_actions import MOST
from tests.factories import (
    AssetFactory,
    EditedAssetFactory,
    JobFactory,
    TikTokAccountFactory,
    UserFactory,
    VideoFactory,
)
from tests.publishing.admin.conftest import list_url, told


def reload(row):
    return type(row).objects.get(pk=row.pk)


def rung(kind):
    return [message.args[0] for message in get_queue(kind).get_jobs()]


class TestRetry:
    def test_it_retries_and_says_which_it_could_not(self, act):
        red, late = VideoFactory(status=VideoStatus.FAILED_EDIT), VideoFactory(status=VideoStatus.MISSED)
        busy = [VideoFactory(status=VideoStatus.VERIFYING) for _each in range(4)]
        answer = act("retry", red, late, *busy)
        assert [reload(video).status for video in (red, late, busy[0])] == ["pending", "pending", "verifying"]
        assert Job.objects.get(video=red).kind == JobKind.EDIT
        done, refused = told(answer)
        assert done == "Taken up again: 2."
        assert refused.startswith("4 are not possible (Video ")
        assert refused.endswith("…): It is not in a state to be retried.")

    def test_it_records_who_did_it(self, act):
        video = VideoFactory(status=VideoStatus.FAILED_EDIT)
        act("retry", video)
        assert VideoEvent.objects.get(video=video).actor.username == "carla"


class TestCancel:
    def test_it_asks_first(self, act):
        video = VideoFactory(status=VideoStatus.PENDING)
        answer = act("cancel", video)
        assert answer.template_name == "admin/confirm_action.html"
        assert f"{video} · {video.account}" in answer.content.decode()
        assert reload(video).status == VideoStatus.PENDING

    def test_it_cancels_what_can_be_cancelled(self, act):
        video, posted = VideoFactory(status=VideoStatus.PENDING), VideoFactory(status=VideoStatus.VERIFYING)
        job = JobFactory(video=video)
        answer = act("cancel", video, posted, confirmed="yes")
        assert (reload(video).status, reload(posted).status) == ("cancelled", "verifying")
        assert reload(job).status == JobStatus.CANCELLED
        assert told(answer) == [
            "Cancelled: 1.",
            f"1 is not possible ({posted}): It cannot be cancelled any more.",
        ]

    def test_it_does_not_take_more_than_a_request_can_do(self, act, administrator):
        first = VideoFactory(status=VideoStatus.PENDING)
        batches = Batch.objects.bulk_create(
            Batch(created_by=first.batch.created_by, source=first.batch.source, submission_key=f"more-{number}")
            for number in range(MOST)
        )
        fields = {"account": first.account, "privacy_level": first.privacy_level, "time_zone": "UTC"}
        Video.objects.bulk_create(Video(batch=batch, status=VideoStatus.PENDING, **fields) for batch in batches)
        data = {"action": "cancel", "_selected_action": [first.pk], "select_across": "1", "confirmed": "yes"}
        answer = administrator.post(list_url(Video), data, follow=True)
        assert told(answer) == [f"Choose {MOST} at most."]
        assert not Video.objects.filter(status=VideoStatus.CANCELLED).exists()


class TestReschedule:
    @pytest.fixture(autouse=True)
    def a_monday_in_november(self):
        with time_machine.travel(datetime(2026, 11, 23, 12, tzinfo=UTC), tick=False):
            yield

    def test_it_asks_for_a_time_and_keeps_what_was_wrong(self, act):
        video = VideoFactory(status=VideoStatus.SCHEDULED)
        assert act("reschedule", video).context["form"].fields.keys() == {"day", "hour"}
        answer = act("reschedule", video, confirmed="yes", day="2026-12-01", hour="25:00")
        assert answer.context["form"].errors.keys() == {"hour"}
        assert reload(video).scheduled_at is None

    def test_it_reads_the_hour_in_the_zone_of_each_account(self, act):
        zones = {"America/Argentina/Buenos_Aires": 21, "Europe/Madrid": 17}
        videos = [
            VideoFactory(status=VideoStatus.SCHEDULED, account=TikTokAccountFactory(time_zone=zone)) for zone in zones
        ]
        answer = act("reschedule", *videos, confirmed="yes", day="2026-12-01", hour="18:00")
        assert [reload(video).scheduled_at.astimezone(UTC).hour for video in videos] == list(zones.values())
        assert told(answer) == ["Rescheduled: 2."]

    def test_it_refuses_an_hour_that_has_passed_or_that_clocks_skip(self, act):
        madrid = TikTokAccountFactory(time_zone="Europe/Madrid")
        video = VideoFactory(status=VideoStatus.SCHEDULED, account=madrid)
        (past,) = told(act("reschedule", video, confirmed="yes", day="2026-11-23", hour="09:00"))
        assert past.endswith("That time has already passed.")
        (skipped,) = told(act("reschedule", video, confirmed="yes", day="2027-03-28", hour="02:30"))
        assert "Europe/Madrid" in skipped
        assert reload(video).scheduled_at is None


class TestJobs:
    @pytest.mark.django_db(transaction=True)
    def test_it_rings_for_work_that_waits_and_not_for_what_is_over(self, act, redis):
        waiting, over = JobFactory(status=JobStatus.WAITING), JobFactory(status=JobStatus.FAILED)
        answer = act("look_again", waiting, over)
        assert rung(JobKind.EDIT) == [waiting.pk]
        assert told(answer) == [
            "A worker was asked to look: 1.",
            f"1 is not possible ({over}): it is over; retry its video.",
        ]


class TestFiles:
    @pytest.mark.django_db(transaction=True)
    def test_it_has_a_source_checked_again(self, act, redis):
        source = AssetFactory(status=AssetStatus.REFUSED, refused_code="unreadable")
        edited = EditedAssetFactory()
        answer = act("check_again", source, edited)
        assert (reload(source).status, reload(source).refused_code) == (AssetStatus.PENDING, "")
        assert Asset.objects.get(kind=AssetKind.EDITED).status == AssetStatus.READY
        assert rung(JobKind.EDIT) == [source.pk]
        assert told(answer)[1] == f"1 is not possible ({edited}): only sources are checked."


def test_it_lets_nobody_act_who_may_only_look(client, db):
    person = UserFactory(is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="view_video"))
    client.force_login(person)
    video = VideoFactory(status=VideoStatus.FAILED_EDIT)
    assert client.get(list_url(Video)).status_code == 200
    client.post(list_url(Video), {"action": "retry", "_selected_action": [video.pk]})
    assert reload(video).status == VideoStatus.FAILED_EDIT
