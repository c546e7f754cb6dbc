"""The invented past: what is written is what the product itself could have written."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Max, Min
from django.test import Client
from django.utils import timezone

from accounts.models import OAuthToken, TikTokAccount, User
from insights.models import (
    Outcome,
    Publication,
    PublicationTopic,
    TopicAccount,
    TopicDay,
    TopicSectorDay,
    TopicStanding,
)
from insights.services.publications import outcome_of
from monitoring.metrics import registry
from monitoring.selectors.document import metrics_document
from publishing.causes import CATALOGUE
from publishing.models import (
    AccountCircuit,
    CircuitEvent,
    Job,
    JobEvent,
    UploadSession,
    Video,
    VideoEvent,
)
from publishing.states import (
    FAMILIES,
    JOB_ALLOWED,
    JOB_TERMINAL,
    UPLOAD_LIVE,
    VIDEO_ALLOWED,
    CircuitState,
    Family,
    JobStatus,
    UploadState,
    VideoStatus,
)
from tests.monitoring.conftest import verified

VIDEOS, ACCOUNTS = 2_000, 120


@pytest.fixture(scope="module")
def history(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A history for all tests of this page; nothing of it stays."""
    with django_db_blocker.unblock(), transaction.atomic():
        call_command("seed_history", videos=VIDEOS, accounts=ACCOUNTS, months=6, seed=3, verbosity=0)
        yield
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def within(history: None, db: None) -> None:
    """Each test sees it, and undoes what it does itself."""


def test_there_is_as_much_as_was_asked_for() -> None:
    assert Video.objects.count() == VIDEOS
    assert TikTokAccount.objects.count() == OAuthToken.objects.count() == ACCOUNTS
    assert OAuthToken.objects.order_by("pk")[0].access_token.startswith("act.")  # it opens
    seen = Video.objects.aggregate(first=Min("created_at"), last=Max("created_at"))
    assert 170 < (seen["last"] - seen["first"]).days < 190


def test_every_reference_leads_somewhere() -> None:
    connection.check_constraints()


def test_every_sum_is_what_a_rebuild_counts(capsys: Any) -> None:
    topics = [list(model.objects.order_by().values()) for model in (TopicSectorDay, TopicAccount, TopicStanding)]
    call_command("rebuild_summaries")
    assert capsys.readouterr().out == "Every sum agreed with the rows.\n"
    again = [list(model.objects.order_by().values()) for model in (TopicSectorDay, TopicAccount, TopicStanding)]
    for before, after in zip(topics, again, strict=True):
        assert before
        assert _without_keys(before) == _without_keys(after)


def _without_keys(rows: list[dict[str, Any]]) -> list[list[tuple[str, Any]]]:
    named = [sorted((name, _rounded(value)) for name, value in row.items() if name != "id") for row in rows]
    return sorted(named, key=str)


def _rounded(value: Any) -> Any:
    """Sums of floats depend on the order in which the rows come."""
    return round(value, 9) if isinstance(value, float) else value


def test_events_lead_to_the_status_along_what_is_allowed() -> None:
    stands: dict[int, str] = {}
    events = VideoEvent.objects.order_by("video", "at", "pk").values_list("video", "old", "new", "code", "at")
    for video, old, new, code, at in events:
        assert stands.get(video, "") == old
        assert not old or new in VIDEO_ALLOWED[VideoStatus(old)]
        assert not code or code in CATALOGUE
        assert at <= timezone.now()
        stands[video] = new
    assert stands == dict(Video.objects.values_list("pk", "status"))


def test_jobs_went_the_way_of_jobs() -> None:
    for old, new in JobEvent.objects.values_list("old", "new").distinct():
        assert not old or new in JOB_ALLOWED[JobStatus(old)]
    assert not Job.objects.filter(status__in=JOB_TERMINAL, finished_at=None).exists()
    assert not Job.objects.exclude(status__in=JOB_TERMINAL).exclude(finished_at=None).exists()
    assert not Job.objects.exclude(status__in=JOB_TERMINAL).filter(video__status=VideoStatus.POSTED).exists()


def test_what_is_published_was_taken_whole() -> None:
    posted = Video.objects.filter(status=VideoStatus.POSTED)
    taken = UploadSession.objects.filter(state=UploadState.COMPLETE, sent_at__isnull=False, settled_at__isnull=False)
    assert posted.count() == taken.filter(video__status=VideoStatus.POSTED).values("video").distinct().count()
    assert not posted.filter(edited=None).exists()
    assert not UploadSession.objects.filter(state__in=UPLOAD_LIVE, video__status=VideoStatus.POSTED).exists()


def test_most_is_published_and_some_waits_for_a_person() -> None:
    found = Counter(Video.objects.values_list("status", flat=True))
    stuck = sum(found[status] for status in FAMILIES[Family.ATTENTION])
    assert found[VideoStatus.POSTED] > 0.85 * VIDEOS
    assert 20 < stuck < 100
    always = {VideoStatus.CANCELLED, VideoStatus.FAILED_UPLOAD, VideoStatus.SCHEDULED, VideoStatus.UPLOADING}
    assert always <= set(found)


def test_a_paused_account_failed_three_times() -> None:
    paused = AccountCircuit.objects.filter(state=CircuitState.OPEN)
    assert paused
    for circuit in paused:
        assert CircuitEvent.objects.filter(account=circuit.account, counted=True).count() >= 3


def test_publications_say_what_became_of_their_videos() -> None:
    rows = Publication.objects.exclude(outcome=Outcome.IN_FLIGHT).select_related("video")
    assert rows
    for row in rows:
        assert row.outcome == outcome_of(row)
        assert row.posted_at == row.video.posted_at


def test_days_of_topics_add_up() -> None:
    days: Counter[tuple[Any, ...]] = Counter()
    uses = PublicationTopic.objects.select_related("publication")
    for use in uses:
        row = use.publication
        days[row.posted_at.date(), row.account_id, row.sector_id, use.topic_id] += 1
    told = TopicDay.objects.values_list("day", "account", "sector", "topic", "videos")
    assert dict(days) == {tuple(key): videos for *key, videos in told}


def test_the_monitor_reads_it() -> None:
    body = metrics_document(30).body
    assert json.dumps(body)
    assert sum(body["videoStatus"].values()) == VIDEOS
    assert sum(day["created"] for day in body["dailyThroughput"]) > 0
    assert body["topicLeaders"]["overall"]
    assert any(family.name == "videos" for family in registry().collect())


@pytest.mark.parametrize("address", ["/", "/videos/", "/videos/?family=attention", "/reports/hashtags/"])
def test_a_manager_can_look_at_it(client: Client, address: str) -> None:
    client.force_login(User.objects.get(username="seed-cm01"))
    assert client.get(address).status_code == 200


def test_the_administrator_can_look_at_it() -> None:
    browser = verified(User.objects.get(username="seed-admin"))
    video = Video.objects.order_by("pk")[0]
    for address in ("/", "/monitor/", "/reports/subtitles/", f"/videos/{video.pk}/"):
        assert browser.get(address).status_code == 200


def test_new_rows_get_numbers_of_their_own() -> None:
    video = Video.objects.latest("pk")
    event = VideoEvent.objects.create(video=video, old=video.status, new=video.status, at=timezone.now())
    assert event.pk > VideoEvent.objects.exclude(pk=event.pk).latest("pk").pk


def test_a_second_one_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command("seed_history", videos=10, json=True)
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "not_empty"
    assert Video.objects.count() == VIDEOS


def test_it_stays_away_from_tiktok(settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    settings.TIKTOK_SANDBOX = False
    with pytest.raises(SystemExit):
        call_command("seed_history", videos=10, json=True)
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "not_a_sandbox"
