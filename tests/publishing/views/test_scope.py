"""Nobody sees or touches what is in somebody else's charge: every address, as the other CM and as a stranger."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import TikTokAccount
from insights.models import BlockedTopic, Publication, Suggestion, TopicDay
from notices.models import NoticeCopy
from publishing.models import (
    AccountCircuit,
    ActItem,
    Batch,
    BrandPattern,
    CircuitEvent,
    Job,
    SavedFilter,
    SubtitleTrack,
    UploadSession,
    Video,
    VideoEvent,
)
from tests.publishing.views.conftest import SECRETS, logged_in

pytestmark = pytest.mark.django_db

#: Open by nature: the log-in itself, the language cookie, TikTok's signed calls, the health check, signed links, a new
#: password by mail.
OPEN = {
    "accounts:account_invitation", "accounts:login", "accounts:password_forgotten", "accounts:password_link",
    "accounts:password_new", "accounts:set_language", "publishing:health", "publishing:webhook",
}  # fmt: skip


def addresses(patterns: list[URLPattern | URLResolver] | None = None, prefix: str = "", app: str = "") -> Iterator:
    """(name, route) of every address of the product; the admin has tests of its own."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if pattern.namespace != "admin":
                yield from addresses(pattern.url_patterns, route, pattern.namespace or app)
        else:
            yield f"{app}:{pattern.name}", route


ALL = sorted(addresses())


def path_of(route: str, story: SimpleNamespace) -> str:
    """The route with the first CM's own rows in it."""
    pks = {
        "assets/": story.source.pk,
        "tracks/": story.track.pk,
        "videos/": story.uploading.pk,
        "accounts/": story.account.pk,
        "notices/": story.notice.pk,
        "brands/": story.pattern.pk,
        "setup/": story.account.pk,
        "acts/": story.act.pk,
        "filters/": story.saved.pk,
        "reports/": story.blocked.pk,
    }
    pk = next((pk for start, pk in pks.items() if route.startswith(start)), 0)
    return "/" + route.replace("<int:pk>", str(pk)).replace("<slug:name>", "isolate")


def ask_in_every_way(client: Client, path: str, story: SimpleNamespace) -> Iterator:
    """GET with and without each parameter that names a row, and POST with the rows in its fields."""
    yield client.get(path)
    query = {
        "account": story.account.pk,
        "accounts": story.account.pk,
        "batch": story.batch.pk,
        "from": story.uploading.pk,
        "file": 1,
        "v": f"{story.uploading.pk}-00000000",
        "newest": 0,
        "sector": story.account.sector_id,
        "q": "palabra",
        "who": "secretanit",
    }
    yield client.get(path, query, headers={"HX-Request": "true"})
    fields = {
        "source": story.source.pk,
        "asset": story.source.pk,
        "track": story.track.pk,
        "accounts": story.account.pk,
        "language": "es",
        "script": "hola",
        "submission_key": story.batch.submission_key,
        "mode": "inbox",
        "subtitles": "none",
        "when": "now",
        "day": "2030-01-01",
        "hour": "10:00",
        "posted": "yes",
        "reason": "porque sí",
        "pk": story.notice.pk,
        "pattern": story.pattern.pk,
        "kind": "cancel",
        "videos": ",".join(str(video.pk) for video in story.videos.values()),
        "name": "robado",
        "sector": story.account.sector_id,
        "topic": "robado",
        "hashtag": "#robado",
        "blocked": story.blocked.pk,
    }
    yield client.post(path, fields, headers={"Accept": "application/json"})


def fingerprint() -> list:
    """Everything that an action could have changed."""
    tables = (
        Video, VideoEvent, Job, UploadSession, Batch, SubtitleTrack, TikTokAccount, AccountCircuit, CircuitEvent,
        NoticeCopy, ActItem, BrandPattern, BlockedTopic, Suggestion, Publication, TopicDay,
    )  # fmt: skip
    saved = SavedFilter.objects.exclude(user__username="bruno")  # his own he may save
    return [list(rows.order_by("pk").values()) for rows in [saved, *(table.objects.all() for table in tables)]]


def test_it_knows_every_address():
    assert len(ALL) == 102
    assert {name for name, _route in ALL} >= {"publishing:video_list", "accounts:account_list", *OPEN}


def test_it_hides_everything_from_the_other_cm(story, bruno):
    before = fingerprint()
    for name, route in ALL:
        bruno.refresh_from_db()
        as_bruno = logged_in(bruno)  # each time: one of the addresses is the log-out
        for response in ask_in_every_way(as_bruno, path_of(route, story), story):
            body = b"".join(response) if response.streaming else response.content
            assert not [word for word in SECRETS if word.encode() in body], name
            if "<int:pk>" in route:
                assert response.status_code in {404, 405}, name
    assert fingerprint() == before


def test_it_sends_strangers_to_the_log_in(story):
    before = fingerprint()
    for name, route in ALL:
        for response in ask_in_every_way(Client(), path_of(route, story), story):
            assert not [word for word in SECRETS if word.encode() in response.content], name
            if name not in OPEN:
                assert response.status_code in {302, 401, 405, 406}, name
    assert fingerprint() == before


def test_it_shows_all_of_it_to_an_administrator(story):
    call_command("createsuperuser", username="jefa", email="jefa@agency.example", interactive=False)
    client = Client()
    client.force_login(type(story.batch.created_by).objects.get(username="jefa"))
    assert b"secretanita" in client.get("/videos/").content
    assert client.get(f"/videos/{story.uploading.pk}/").status_code == 200


def test_it_lets_the_first_cm_in(story, as_ana):
    page = as_ana.get("/videos/").content.decode()
    assert "secretanita" in page
    assert "palabra-de-ana" in page
    assert as_ana.get(f"/assets/{story.edited.pk}/").status_code == 200


def test_it_does_not_lend_subtitles_with_a_shared_file(story, bruno, as_bruno):
    """Both ingested the same content, which is stored once; the subtitles stay their maker's."""
    story.source.uploaders.add(bruno)
    assert as_bruno.get(f"/assets/{story.source.pk}/").status_code == 200
    assert as_bruno.get(f"/tracks/{story.track.pk}/").status_code == 404


def test_it_shows_only_the_own_part_of_a_shared_batch(story, bruno, as_bruno):
    other = Video.objects.exclude(pk=story.uploading.pk).first()
    TikTokAccount.objects.filter(pk=other.account_id).update(username="secretanita")
    mine = story.videos["posted"]
    account = TikTokAccount.objects.create(open_id="of-bruno", username="debruno", sector=other.account.sector)
    account.managers.add(bruno)
    Video.objects.filter(pk=mine.pk).update(account=account, batch=story.batch)
    page = as_bruno.get(f"/videos/{mine.pk}/").content.decode()
    assert "debruno" in page
    assert "secretanita</span>" not in page
