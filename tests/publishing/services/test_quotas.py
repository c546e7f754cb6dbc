"""Quotas of people and accounts: the limit and the hour in the refusal, also when everybody comes at once."""

from __future__ import annotations

import io
import multiprocessing
from datetime import timedelta

import pytest
import time_machine
from django.db import connections
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from publishing.causes import advice
from publishing.errors import IngestRefused
from publishing.models import Asset, AssetKind, Batch, Intake, IntakeState
from publishing.selectors.quotas import OPEN_LIFE, room_of, waiting_of
from publishing.services.batches import SubmissionInvalid
from publishing.services.ingest import brand_file_ingest, source_ingest
from publishing.services.quotas import arriving
from publishing.states import VideoStatus
from tests.factories import AdminFactory, TikTokAccountFactory, UserFactory, VideoFactory
from tests.publishing.editing.bombs import png
from tests.publishing.views.conftest import logged_in

pytestmark = pytest.mark.django_db
NOON = "2026-11-20T12:00:00Z"


def send(user, size: int, *, mark: bytes = b"x") -> Asset:
    return source_ingest(stream=io.BytesIO(mark * size), name="a.mp4", user=user, declared_size=size)


def refusal(user, size: int) -> IngestRefused:
    with pytest.raises(IngestRefused) as refused:
        send(user, size)
    return refused.value


class Unreadable(io.RawIOBase):
    def read(self, size: int = -1, /) -> bytes:
        raise AssertionError("nothing is read of a file for which there is no room")


def test_it_counts_what_a_person_sends_in_a_day(cm, settings):
    settings.QUOTA_DAY_BYTES = 1000
    with time_machine.travel(NOON, tick=False):
        send(cm, 400, mark=b"a")
    with time_machine.travel("2026-11-20T15:00:00Z", tick=False):
        send(cm, 500, mark=b"b")
        refused = refusal(cm, 300)
        assert (refused.code, refused.detail["used"], refused.detail["max_bytes"]) == ("quota_day", 900, 1000)
        assert refused.detail["until"] == "2026-11-21T12:00:00+00:00"
        assert refusal(cm, 700).detail["until"] == "2026-11-21T15:00:00+00:00"
        assert send(cm, 100, mark=b"c").size == 100
        assert send(UserFactory(), 1000).size == 1000
    with time_machine.travel("2026-11-21T12:00:01Z", tick=False):
        assert send(cm, 300, mark=b"d").size == 300


def test_it_says_the_limit_and_the_hour(cm, settings):
    settings.QUOTA_DAY_BYTES = 1000
    with time_machine.travel(NOON, tick=False):
        send(cm, 900)
        refused = refusal(cm, 300)
        assert "1 kB" in str(refused)
        assert "09:00" in advice(refused.code, refused.detail)  # Buenos Aires, tomorrow


def test_it_tells_a_file_that_never_fits(cm, settings):
    settings.QUOTA_DAY_BYTES = 1000
    assert refusal(cm, 1001).code == "quota_too_large"


def test_it_refuses_before_anything_is_read(cm, settings):
    settings.QUOTA_DAY_BYTES = 1000
    with pytest.raises(IngestRefused):
        source_ingest(stream=Unreadable(), name="a.mp4", user=cm, declared_size=1001)
    assert not Intake.objects.exists()


def test_it_counts_what_was_refused_too(cm, settings):
    settings.QUOTA_DAY_BYTES = 1000
    with pytest.raises(IngestRefused):
        source_ingest(stream=io.BytesIO(b"x" * 600), name="a.mp4", user=cm, declared_size=700)
    row = Intake.objects.get()
    assert (row.state, row.size, row.asset) == (IntakeState.FAILED, 600, None)
    assert refusal(cm, 500).code == "quota_day"


def test_it_counts_files_on_their_way_until_their_process_must_be_dead(cm, settings):
    settings.QUOTA_COMING_FILES = 2
    now = timezone.now()
    with (
        arriving(user=cm, kind=AssetKind.SOURCE, size=10),
        arriving(user=cm, kind=AssetKind.SOURCE, size=10),
    ):
        assert room_of(cm).waits
        refused = refusal(cm, 10)
        assert (refused.code, refused.detail) == ("quota_coming", {"count": 2, "limit": 2})
    send(cm, 10)
    for _each in range(2):
        Intake.objects.create(user=cm, kind="source", size=10**12, started_at=now - OPEN_LIFE - timedelta(seconds=1))
    assert (room_of(cm).coming, room_of(cm).day) == (0, 10)
    assert send(cm, 10, mark=b"y")


def test_it_names_the_hour_by_what_counts(cm, settings, django_assert_num_queries):
    """What a killed process left open long ago moves no hour."""
    settings.QUOTA_DAY_BYTES = 1000
    left = timezone.now() - OPEN_LIFE - timedelta(hours=1)
    Intake.objects.create(user=cm, kind="source", size=10**12, started_at=left)
    sent = send(cm, 900)
    hour = Intake.objects.get(asset=sent).started_at + timedelta(days=1)
    with django_assert_num_queries(2):
        assert room_of(cm).frees_at == hour
    assert refusal(cm, 300).detail["until"] == hour.isoformat()


def test_it_counts_what_a_person_has_stored(cm, settings):
    settings.QUOTA_STORED_BYTES = 1000
    send(cm, 900)
    Intake.objects.all().delete()
    refused = refusal(cm, 101)
    assert (refused.code, refused.detail["used"]) == ("quota_stored", 900)
    with pytest.raises(IngestRefused):
        brand_file_ingest(stream=io.BytesIO(png(9, 9) + b"x" * 100), name="l.png", kind=AssetKind.LOGO, user=cm)
    assert not Asset.objects.filter(kind=AssetKind.LOGO).exists()


def test_it_knows_no_limit_where_none_is_set(cm, settings):
    settings.QUOTA_DAY_BYTES = settings.QUOTA_STORED_BYTES = settings.QUOTA_COMING_FILES = 0
    assert send(cm, 5000)
    assert room_of(cm).left is None


def _contend(number: int, pk: int, barrier, answers) -> None:
    user = User.objects.get(pk=pk)
    barrier.wait(60)
    try:
        send(user, 300, mark=str(number).encode())
        answers.put("taken")
    except IngestRefused as refused:
        answers.put(refused.code)
    connections.close_all()


@pytest.mark.django_db(transaction=True)
def test_it_holds_when_eight_processes_send_at_once(cm, settings):
    settings.QUOTA_DAY_BYTES, settings.QUOTA_COMING_FILES = 1000, 0
    fork = multiprocessing.get_context("fork")
    barrier, answers = fork.Barrier(8), fork.Queue()
    connections.close_all()
    processes = [fork.Process(target=_contend, args=(n, cm.pk, barrier, answers)) for n in range(8)]
    for process in processes:
        process.start()
    given = sorted(answers.get(timeout=60) for _each in processes)
    for process in processes:
        process.join(60)
    assert given == ["quota_day"] * 5 + ["taken"] * 3
    assert room_of(cm).day == 900


def test_it_holds_an_account_to_its_waiting_videos(connect, submit, settings):
    settings.QUOTA_ACCOUNT_WAITING = 2
    account, other = connect("panaderia"), connect("kiosco")
    submit(account)
    video = submit(account).videos.get()
    with pytest.raises(SubmissionInvalid) as invalid:
        submit(account, other)
    (error,) = invalid.value.errors
    assert (error.field, error.code, error.account_id) == ("accounts", "quota_waiting", account.pk)
    assert (error.detail["waiting"], error.detail["limit"]) == (2, 2)
    assert "2" in error.sentence
    assert Batch.objects.count() == 2
    type(video).objects.filter(pk=video.pk).update(status=VideoStatus.CANCELLED)
    assert submit(account, other).videos.count() == 2


def test_it_says_when_the_next_of_an_account_is_due(connect, submit, settings):
    settings.QUOTA_ACCOUNT_WAITING = 1
    account = connect("panaderia")
    due = timezone.now() + timedelta(days=3)
    submit(account, scheduled_at=due)
    with pytest.raises(SubmissionInvalid) as invalid:
        submit(account)
    assert invalid.value.errors[0].detail["until"] == due.isoformat()


def test_it_takes_the_same_submission_twice_on_the_last_place(connect, submit, settings):
    settings.QUOTA_ACCOUNT_WAITING = 1
    account = connect("panaderia")
    assert submit(account, submission_key="one").pk == submit(account, submission_key="one").pk


def test_it_shows_the_room_before_anything_is_uploaded(cm, settings):
    settings.QUOTA_DAY_BYTES, settings.QUOTA_STORED_BYTES = 5_000_000, 0
    send(cm, 2_000_000)
    page = logged_in(cm).get(reverse("publishing:batch_new")).content.decode()
    line = page[page.index('id="room"') :][:900]
    assert "3 MB" in line
    assert "2 MB" in line
    assert "5 MB" in line


def test_it_answers_an_upload_without_room_with_a_sentence(cm, settings):
    settings.QUOTA_DAY_BYTES = 1000
    headers = {"X-File-Name": "a.mp4", "Accept": "application/json"}
    send(cm, 900)
    answer = logged_in(cm).post("/assets/", b"x" * 300, content_type="video/mp4", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (429, "quota_day")
    assert "1 kB" in answer.json()["error"]


def test_it_shows_administrators_who_sends_what(cm):
    send(cm, 900)
    client, row = logged_in(AdminFactory()), Intake.objects.get()
    listed = client.get(reverse("admin:publishing_intake_changelist")).content.decode()
    assert "ana" in listed
    page = client.get(reverse("admin:publishing_intake_change", args=[row.pk])).content.decode()
    assert "900 B / 50 GB" in page


def test_it_counts_a_waiting_video_of_any_status_that_has_not_ended(settings):
    account = TikTokAccountFactory()
    for status in (VideoStatus.EDITED, VideoStatus.HELD, VideoStatus.CANCELLED):
        VideoFactory(account=account, status=status)
    assert waiting_of([account.pk]) == {account.pk: 2}
