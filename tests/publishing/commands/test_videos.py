"""`manage.py videos`: the same rows as the list on the screen, as a table or as one document."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from publishing.models import Video
from publishing.states import VideoStatus
from tests.factories import BatchFactory, EditedAssetFactory, TikTokAccountFactory, UserFactory, VideoFactory
from tests.publishing.commands.conftest import Ran

Run = Callable[..., Ran]


@pytest.fixture
def cast(transactional_db: None) -> dict[str, Video]:
    """A published, a rejected and a scheduled video, on two accounts."""
    panaderia = TikTokAccountFactory(username="panaderia", managers=[UserFactory(username="ana")])
    cafe = TikTokAccountFactory(username="cafe", time_zone="Europe/Madrid")
    batch = BatchFactory()
    return {
        "posted": VideoFactory(
            batch=batch, account=panaderia, status=VideoStatus.POSTED, edited=EditedAssetFactory(), post_id="7",
            post_url="https://example.test/@panaderia/video/7", posted_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
        ),
        "rejected": VideoFactory(
            batch=batch, account=cafe, status=VideoStatus.REJECTED, reason_code="spam_risk_text",
            reason_detail={"account": "@cafe", "log_id": "2026"},
        ),
        "scheduled": VideoFactory(
            account=cafe, status=VideoStatus.SCHEDULED, scheduled_at=datetime(2099, 3, 1, 12, tzinfo=UTC)
        ),
    }  # fmt: skip


def ids(ran: Ran) -> list[int]:
    assert ran.code == 0
    return [video["id"] for video in ran.document["videos"]]


def test_it_lists_the_newest_first_as_one_document(run: Run, cast):
    ran = run("videos", "--json")

    assert ids(ran) == [cast["scheduled"].pk, cast["rejected"].pk, cast["posted"].pk]
    scheduled, rejected, posted = ran.document["videos"]
    assert posted["post"] == {"id": "7", "url": "https://example.test/@panaderia/video/7"}
    assert (posted["postedAt"], posted["editedSha256"]) == ("2026-03-01T12:00:00Z", cast["posted"].edited.sha256)
    assert (rejected["family"], rejected["reason"]["code"]) == ("attention", "spam_risk_text")
    assert rejected["reason"]["sentence"] and rejected["reason"]["advice"]
    assert (scheduled["scheduledAt"], scheduled["post"]) == ("2099-03-01T12:00:00Z", None)


def test_it_narrows_the_list(run: Run, cast):
    posted, rejected, scheduled = (cast[name].pk for name in ("posted", "rejected", "scheduled"))

    assert ids(run("videos", "--json", "--status", "posted")) == [posted]
    assert ids(run("videos", "--json", "--family", "attention")) == [rejected]
    assert ids(run("videos", "--json", "--account", "@cafe")) == [scheduled, rejected]
    assert ids(run("videos", "--json", "--batch", cast["posted"].batch_id)) == [rejected, posted]
    assert ids(run("videos", "--json", "--user", "ana")) == [posted]


def test_it_shows_so_many_and_counts_all(run: Run, cast):
    ran = run("videos", "--json", "--limit", "1")

    assert ids(ran) == [cast["scheduled"].pk]
    assert ran.document["total"] == 3
    assert len(ids(run("videos", "--json", "--limit", "0"))) == 3


def test_it_draws_a_table_for_a_person(run: Run, cast):
    ran = run("videos", "--limit", "2")

    head, scheduled, rejected = ran.out.splitlines()
    assert head.split()[0] == "id"
    assert "@cafe" in scheduled and "2099-03-01 13:00 (Europe/Madrid)" in scheduled
    assert scheduled.index("@cafe") == rejected.index("@cafe")
    assert "3" in ran.err


def test_it_says_that_there_is_nothing(run: Run, transactional_db):
    ran = run("videos")

    assert (ran.code, len(ran.out.splitlines())) == (0, 1)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("--status", "lost"), None),
        (("--family", "blue"), None),
        (("--batch", "x"), None),
        (("--limit", "-1"), "limit"),
        (("--account", "@nobody"), "account"),
        (("--user", "nobody"), "user"),
    ],
)
def test_it_refuses_what_was_mistyped_with_a_document(run: Run, transactional_db, arguments, field):
    ran = run("videos", *arguments, "--json")

    assert (ran.code, ran.error["field"]) == (2, field)
