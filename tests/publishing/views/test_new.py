"""Submitting the New page, and the posting form of each account."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts.models import AccountStatus, TikTokAccount
from publishing.models import Batch, SubtitleTrack, TrackStatus, Video
from publishing.states import PrivacyLevel, VideoStatus
from tests.factories import AssetFactory, SubtitleTrackFactory, TikTokAccountFactory, VideoFactory
from tests.publishing.views.conftest import logged_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def accounts(ana) -> list[TikTokAccount]:
    zones = ("America/Argentina/Buenos_Aires", "America/Bogota")
    return [TikTokAccountFactory(managers=[ana], time_zone=zone) for zone in zones]


@pytest.fixture
def filled(ana, accounts) -> dict[str, Any]:
    """The smallest form that is taken, for two accounts."""
    fields = {
        "submission_key": "key-1",
        "source": AssetFactory(created_by=ana).pk,
        "caption": "Medialunas #panaderia",
        "mode": "direct",
        "subtitles": "none",
        "when": "now",
        "accounts": [account.pk for account in accounts],
    }
    return fields | {f"{account.pk}-privacy_level": "PUBLIC_TO_EVERYONE" for account in accounts}


def submit(client: Client, fields: dict[str, Any]):
    return client.post("/new/", fields, headers={"Accept": "application/json"})


def errors(response) -> dict[tuple[str, int | None], str]:
    assert response.status_code == 422
    assert not Batch.objects.exists()
    return {(error["field"], error["account"]): error["message"] for error in response.json()["errors"]}


def test_it_makes_a_video_per_account_and_leads_to_them(as_ana, filled, accounts):
    first, second = accounts
    filled |= {
        f"{first.pk}-allow_comment": "on",
        f"{second.pk}-privacy_level": "SELF_ONLY",
        f"{second.pk}-own_caption": "on",
        f"{second.pk}-caption": "Otro texto",
        "is_aigc": "on",
        "cover_timestamp_ms": "1500",
    }
    response = submit(as_ana, filled)
    batch = Batch.objects.get()
    assert response.json() == {"location": f"/videos/?batch={batch.pk}"}
    one, two = Video.objects.order_by("account_id")
    assert (one.caption, two.caption) == ("Medialunas #panaderia", "Otro texto")
    assert (one.privacy_level, two.privacy_level) == (PrivacyLevel.PUBLIC_TO_EVERYONE, PrivacyLevel.SELF_ONLY)
    assert (one.disable_comment, one.disable_duet, two.disable_comment) == (False, True, True)
    assert (one.is_aigc, one.cover_timestamp_ms) == (True, 1500)
    page = as_ana.get(response.json()["location"]).content.decode()
    assert page.count('class="row"') == 2
    assert "data-toast" in page


def test_it_takes_the_same_submission_once(as_ana, filled):
    assert submit(as_ana, filled).json() == submit(as_ana, filled).json()
    assert Batch.objects.count() == 1


def test_it_chooses_no_privacy_for_anybody(as_ana, filled, accounts):
    del filled[f"{accounts[1].pk}-privacy_level"]
    filled[f"{accounts[0].pk}-privacy_level"] = "EVERYBODY"
    found = errors(submit(as_ana, filled))
    assert found.keys() == {("privacy_level", accounts[0].pk), ("privacy_level", accounts[1].pk)}


def test_it_counts_the_text_in_utf16_units_with_single_line_breaks(as_ana, filled):
    """An emoji is two; a line break is one, though a browser sends two characters for it."""
    filled["caption"] = "😀\r\n" * 733 + "a"
    assert submit(as_ana, filled).status_code == 200
    assert Video.objects.first().caption.count("\n") == 733
    Video.objects.all().delete()
    Batch.objects.all().delete()
    filled["caption"] += "bb"
    assert {field for field, _account in errors(submit(as_ana, filled))} == {"caption"}


def test_it_wants_to_know_what_is_promoted(as_ana, filled, accounts):
    assert ("discloses", None) in errors(submit(as_ana, filled | {"discloses": "on"}))
    paid = filled | {"discloses": "on", "brand_content": "on", f"{accounts[0].pk}-privacy_level": "SELF_ONLY"}
    assert errors(submit(as_ana, paid)).keys() == {("privacy_level", accounts[0].pk)}
    hidden = filled | {"brand_organic": "on"}  # ticked, then the switch was turned off
    submit(as_ana, hidden)
    assert not Video.objects.first().brand_organic_toggle


def test_it_gives_each_label_that_was_chosen(as_ana, filled):
    submit(as_ana, filled | {"discloses": "on", "brand_content": "on", "brand_organic": "on"})
    assert {(video.brand_content_toggle, video.brand_organic_toggle) for video in Video.objects.all()} == {(True, True)}


def test_it_sends_nothing_to_the_inbox_that_tiktok_would_ignore(as_ana, filled, accounts):
    filled |= {"mode": "inbox", "discloses": "on", "is_aigc": "on", "cover_timestamp_ms": "900"}
    assert submit(as_ana, filled).status_code == 200
    video = Video.objects.first()
    assert (video.caption, video.privacy_level, video.is_aigc, video.cover_timestamp_ms) == ("", "", False, 0)


@time_machine.travel("2027-03-01 12:00:00Z", tick=False)
def test_it_schedules_one_instant_from_the_zone_that_was_chosen(ana, filled):
    later = {"when": "later", "scheduled_day": "2027-03-10", "scheduled_hour": "18:30"}
    submit(logged_in(ana), filled | later | {"scheduled_zone": "America/Bogota"})
    moments = {(video.scheduled_at, video.time_zone, video.status) for video in Video.objects.all()}
    at = datetime(2027, 3, 10, 23, 30, tzinfo=UTC)
    assert moments == {
        (at, "America/Argentina/Buenos_Aires", VideoStatus.SCHEDULED),
        (at, "America/Bogota", VideoStatus.SCHEDULED),
    }


@time_machine.travel("2027-03-01 12:00:00Z", tick=False)
@pytest.mark.parametrize(
    ("zone", "day", "hour"),
    [
        ("America/New_York", "2027-03-14", "02:30"),  # the clocks go from 02:00 to 03:00
        ("America/Bogota", "", "10:00"),
        ("America/Bogota", "2027-03-10", "25:00"),
        ("Mars/Olympus", "2027-03-10", "10:00"),
    ],
)
def test_it_refuses_an_hour_that_does_not_exist(ana, filled, zone, day, hour):
    later = {"when": "later", "scheduled_day": day, "scheduled_hour": hour, "scheduled_zone": zone}
    assert ("when", None) in errors(submit(logged_in(ana), filled | later))


@time_machine.travel("2027-03-01 12:00:00Z", tick=False)
def test_it_refuses_an_hour_that_has_passed(ana, filled):
    later = {"when": "later", "scheduled_day": "2027-03-01", "scheduled_hour": "06:00"}
    found = errors(submit(logged_in(ana), filled | later | {"scheduled_zone": "America/Bogota"}))
    assert ("scheduled_at", None) in found


@time_machine.travel("2027-10-20 12:00:00Z", tick=False)
def test_it_takes_the_first_of_two_equal_hours(ana, filled):
    later = {"when": "later", "scheduled_day": "2027-11-07", "scheduled_hour": "01:30"}
    submit(logged_in(ana), filled | later | {"scheduled_zone": "America/New_York"})
    assert Video.objects.first().scheduled_at == datetime(2027, 11, 7, 5, 30, tzinfo=UTC)


def test_it_does_not_publish_with_what_is_somebody_elses(as_bruno, filled):
    found = errors(submit(as_bruno, filled))
    assert {field for field, _account in found} == {"source", "accounts"}


def test_it_wants_subtitles_that_belong_to_this_file(ana, as_ana, filled):
    other = SubtitleTrackFactory(created_by=ana)
    assert ("track", None) in errors(submit(as_ana, filled | {"subtitles": "auto"}))
    assert ("track", None) in errors(submit(as_ana, filled | {"subtitles": "auto", "track": other.pk}))
    mine = SubtitleTrackFactory(created_by=ana, asset_id=filled["source"])
    assert submit(as_ana, filled | {"subtitles": "auto", "track": mine.pk}).status_code == 200


def test_it_wants_the_csrf_token(ana, filled):
    assert submit(logged_in(ana, enforce_csrf_checks=True), filled).status_code == 403


def test_it_starts_from_a_video_that_failed(ana, as_ana, make_video):
    video = make_video(VideoStatus.REJECTED, mode="direct")
    with_file = as_ana.get(f"/new/?from={video.pk}&file=1").content.decode()
    without = as_ana.get(f"/new/?from={video.pk}").content.decode()
    assert "archivo-de-ana" in with_file
    assert "archivo-de-ana" not in without
    assert "palabra-de-ana" in without


def test_it_offers_a_disconnected_account_only_to_be_reconnected(ana, as_ana, accounts):
    TikTokAccount.objects.filter(pk=accounts[0].pk).update(status=AccountStatus.DISCONNECTED)
    page = as_ana.get("/new/").content.decode()
    assert f'name="accounts" value="{accounts[1].pk}"' in page
    assert f'name="accounts" value="{accounts[0].pk}"' not in page
    assert "choice--lost" in page


class TestPostingForm:
    """The fragment with TikTok's answer; the workers that ask have connections of their own."""

    pytestmark = pytest.mark.django_db(transaction=True)

    def ask(self, cm, *accounts: TikTokAccount) -> str:
        pks = ",".join(str(account.pk) for account in accounts)
        response = logged_in(cm).get("/creator-info/", {"accounts": pks}, headers={"HX-Request": "true"})
        assert response["Cache-Control"] == "no-store"
        return response.content.decode()

    def test_it_shows_who_it_goes_to_and_chooses_nothing(self, cm, connect):
        account = connect("panaderia", nickname="Panadería Lunita")
        html = self.ask(cm, account)
        assert "Panadería Lunita" in html
        assert "@panaderia" in html
        assert html.count(f'name="{account.pk}-privacy_level"') == 3
        assert "checked" not in html
        assert 'data-max-seconds="600"' in html

    def test_it_greys_out_what_the_creator_turned_off(self, cm, connect):
        account = connect("cafe", duet_disabled=True)
        html = self.ask(cm, account)
        assert f'name="{account.pk}-allow_duet" disabled' in html
        assert f'name="{account.pk}-allow_comment">' in html

    def test_it_says_so_when_the_creator_cannot_post(self, cm, connect, tiktok):
        good, banned = connect("cafe"), connect("vetada")
        tiktok.sandbox.fault("banned", username="vetada")
        html = self.ask(cm, good, banned)
        assert f'id="part-{banned.pk}" data-part="{banned.pk}" data-name="@vetada" data-problem=' in html
        assert f'name="{banned.pk}-privacy_level"' not in html
        assert f'name="{good.pk}-privacy_level"' in html

    def test_it_allows_only_private_posts_before_the_audit(self, cm, connect, settings):
        settings.TIKTOK_AUDITED = False
        html = self.ask(cm, connect("cafe"))
        assert html.count("data-closed") == 2
        assert 'value="SELF_ONLY">' in html


def test_it_makes_reads_and_corrects_subtitles(ana, as_ana):
    asset = AssetFactory(created_by=ana)
    made = as_ana.post("/tracks/", {"asset": asset.pk, "language": "es", "script": "Hola a todos"})
    assert (made.status_code, made.json()["status"]) == (201, "pending")
    address = made.json()["detail_url"]
    SubtitleTrack.objects.update(status=TrackStatus.READY, cues=[{"start_ms": 0, "end_ms": 900, "text": "Hola"}])
    assert as_ana.get(address).json()["cues"][0]["text"] == "Hola"
    cues = [{"start_ms": 100, "end_ms": 1200, "text": "Hola, ñandú 😀"}]
    saved = as_ana.post(address, {"cues": cues}, content_type="application/json")
    assert (saved.status_code, saved.json()["cues"]) == (200, cues)


def test_it_keeps_subtitles_that_were_already_sent(ana, as_ana, make_video):
    video = make_video(VideoStatus.POSTED)
    track = SubtitleTrackFactory(asset=video.batch.source, created_by=ana)
    Batch.objects.update(track=track)
    cues = [{"start_ms": 0, "end_ms": 500, "text": "Otra cosa"}]
    saved = as_ana.post(f"/tracks/{track.pk}/", {"cues": cues}, content_type="application/json").json()
    assert saved["id"] != track.pk
    assert SubtitleTrack.objects.get(pk=track.pk).cues != cues


@pytest.mark.parametrize("body", ["nonsense", "[]", '{"cues": 5}', '{"cues": ["a"]}', '{"cues": [{"start_ms": 5}]}'])
def test_it_refuses_subtitles_that_are_none(ana, as_ana, body):
    track = SubtitleTrackFactory(created_by=ana)
    response = as_ana.post(f"/tracks/{track.pk}/", body, content_type="application/json")
    assert response.status_code == 422
    assert response.json()["error"]


def test_it_asks_for_the_script_where_no_engine_can_listen(ana, as_ana):
    asset = AssetFactory(created_by=ana)
    response = as_ana.post("/tracks/", {"asset": asset.pk, "language": "es", "script": ""})
    assert response.status_code == 422
    assert as_ana.post("/tracks/", {"asset": asset.pk, "language": "xx", "script": "a"}).status_code == 422


def test_it_reads_a_subtitle_file_and_names_the_bad_line(ana, as_ana, tmp_path):
    asset = AssetFactory(created_by=ana)
    good, bad = tmp_path / "good.srt", tmp_path / "bad.srt"
    good.write_text("1\n00:00:00,000 --> 00:00:01,500\nMañana\n", encoding="utf-8")
    bad.write_text("nothing that is a subtitle", encoding="utf-8")
    with good.open("rb") as file:
        taken = as_ana.post("/tracks/", {"asset": asset.pk, "language": "es", "file": file})
    assert taken.json()["cues"] == [{"start_ms": 0, "end_ms": 1500, "text": "Mañana"}]
    with bad.open("rb") as file:
        refused = as_ana.post("/tracks/", {"asset": asset.pk, "language": "es", "file": file})
    assert (refused.status_code, "1" in refused.json()["error"]) == (422, True)


def test_it_ignores_a_preset_that_is_not_ones_own(as_bruno, ana):
    video = VideoFactory(caption="de otra persona")
    page = as_bruno.get("/new/", {"from": video.pk, "file": 1}).content.decode()
    assert "de otra persona" not in page
    assert as_bruno.get("/new/", {"from": "nonsense"}).status_code == 200
