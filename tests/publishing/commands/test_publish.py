"""`manage.py publish`: what was typed is checked first, then TikTok is asked, then the file is taken."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine

from publishing.models import Asset, Batch, SubtitleTrack, Video
from publishing.states import VideoStatus
from tests.factories import AdminFactory, TikTokAccountFactory, UserFactory
from tests.publishing.commands.conftest import Ran
from tests.publishing.conftest import make_clip

PUBLIC = ("--privacy", "PUBLIC_TO_EVERYONE")
Publish = Callable[..., Ran]


@pytest.fixture
def publish(run: Callable[..., Ran], clip: Path) -> Publish:
    """Publish the clip (or `file`) with `--json` to `accounts`."""

    def publish(accounts: Iterable[object], *arguments: object, file: object = clip) -> Ran:
        names = [part for account in accounts for part in ("--account", account)]
        return run("publish", file, *names, *arguments, "--json")

    return publish


# What comes out


def test_it_publishes_and_answers_with_one_document(publish, connect, tiktok, at_work, clip):
    accounts = [connect("panaderia"), connect("cafe")]

    ran = publish(accounts, *PUBLIC, "--caption", "Recién salidas", "--hashtag", "#pan", "--hashtag", "pan", "--wait")

    assert ran.code == 0
    batch = Batch.objects.get()
    document = ran.document
    assert (document["batch"], document["traceId"]) == (batch.pk, batch.trace_id)
    assert document["asset"] == {
        "id": batch.source_id, "name": clip.name, "sha256": batch.source.sha256, "size": clip.stat().st_size,
        "durationMs": batch.source.duration_ms, "duplicate": False,
    }  # fmt: skip
    posted = {entry["username"]: entry for entry in tiktok.sandbox.ledger()}
    for video in document["videos"]:
        entry = posted[video["account"].lstrip("@")]
        assert (video["status"], video["family"]) == ("posted", "done")
        assert video["post"] == {"id": entry["post_id"], "url": entry["post_url"]}
        assert (video["editedSha256"], video["publishId"]) == (entry["sha256"], entry["publish_id"])
        assert entry["title"] == video["caption"] == "Recién salidas #pan"
        assert video["progress"]["percent"] == 100
        assert video["reason"] is None
    assert len(posted) == 2


def test_it_does_not_wait_unless_told(publish, connect):
    ran = publish([connect()], *PUBLIC)

    assert ran.code == 0
    assert [video["status"] for video in ran.document["videos"]] == ["pending"]


def test_it_tells_a_person_the_link_in_words(run, connect, clip, at_work):
    account = connect()

    ran = run("publish", clip, "--account", account, *PUBLIC, "--wait")

    assert ran.code == 0
    assert Video.objects.get().post_url in ran.out
    assert f"{account}: " in ran.err


def test_it_fails_when_tiktok_rejects_one(publish, connect, tiktok, at_work):
    accounts = [connect("panaderia"), connect("cafe")]
    tiktok.sandbox.fault("post_failed", username="cafe", fail_reason="frame_rate_check_failed")

    ran = publish(accounts, *PUBLIC, "--wait")

    assert ran.code == 1
    by_account = {video["account"]: video for video in ran.document["videos"]}
    assert by_account["@panaderia"]["status"] == "posted"
    assert by_account["@cafe"]["status"] == "rejected"
    assert by_account["@cafe"]["reason"]["code"] == "frame_rate_check_failed"
    assert "23" in by_account["@cafe"]["reason"]["sentence"]


def test_it_stops_watching_after_the_timeout_and_says_so(publish, connect):
    ran = publish([connect()], *PUBLIC, "--wait", "--timeout", "0.2")

    assert (ran.code, ran.document["cut"]) == (1, "timeout")
    assert ran.document["videos"][0]["status"] == "pending"


def test_it_sends_to_the_inbox_without_asking_for_privacy(publish, connect, at_work):
    ran = publish([connect()], "--mode", "inbox", "--wait")

    assert ran.code == 0
    assert ran.document["videos"][0]["status"] == "in_inbox"


def test_it_submits_the_same_key_once(publish, connect):
    account = connect()

    first = publish([account], *PUBLIC, "--key", "monday")
    again = publish([account], *PUBLIC, "--key", "monday")

    assert again.code == 0
    assert again.document["batch"] == first.document["batch"]
    assert Batch.objects.count() == 1


def test_it_says_when_the_content_was_there_before(publish, connect):
    account = connect()

    publish([account], *PUBLIC)
    ran = publish([account], *PUBLIC)

    assert ran.document["asset"]["duplicate"] is True
    assert (Asset.objects.count(), Batch.objects.count()) == (1, 2)


# The file


def test_it_warns_of_what_the_account_has_already_and_goes_on(publish, connect):
    account = connect()

    first, second = (publish([account], *PUBLIC) for _time in range(2))

    assert first.document["notes"] == []
    assert [note for note in second.document["notes"] if str(account) in note]
    assert Batch.objects.count() == 2


def test_it_refuses_a_bad_file_with_its_sentence(publish, connect, tmp_path):
    text = tmp_path / "holiday.mp4"
    text.write_text("not a video at all")

    ran = publish([connect()], *PUBLIC, file=text)

    assert (ran.code, ran.error["code"], ran.error["field"]) == (1, "not_a_video", "file")
    assert ran.error["message"].endswith(".")
    assert not Batch.objects.exists()


def test_it_refuses_an_empty_file_in_words(run, connect, tmp_path):
    empty = tmp_path / "empty.mp4"
    empty.touch()

    ran = run("publish", empty, "--account", connect(), *PUBLIC)

    assert (ran.code, ran.out) == (1, "")
    assert len(ran.err.strip().splitlines()) == 1


def test_it_refuses_a_video_longer_than_the_account_takes(publish, connect, tmp_path):
    long = make_clip(tmp_path / "long.mp4", seconds=4)
    account = connect(max_video_post_duration_sec=3)

    ran = publish([account], *PUBLIC, file=long)

    assert (ran.code, ran.error["code"]) == (1, "duration_over_account_limit")
    assert "3 s" in ran.error["message"]


# What was typed


def test_it_asks_for_privacy_and_names_the_options(publish, connect):
    ran = publish([connect("panaderia"), connect("cafe", is_private=True)])

    assert (ran.code, ran.error["code"], ran.error["field"]) == (2, "privacy_required", "privacy")
    assert "@panaderia: PUBLIC_TO_EVERYONE" in ran.error["message"]
    assert "@cafe: MUTUAL_FOLLOW_FRIENDS" in ran.error["message"]
    assert not Asset.objects.exists()


def test_it_takes_the_only_privacy_that_there_is(publish, connect):
    ran = publish([connect(privacy_level_options=["SELF_ONLY"])])

    assert ran.code == 0
    assert ran.document["videos"][0]["privacyLevel"] == "SELF_ONLY"


def test_it_refuses_a_privacy_that_an_account_does_not_offer(publish, connect):
    ran = publish([connect("panaderia"), connect("cafe", is_private=True)], *PUBLIC)

    assert (ran.code, ran.error["code"]) == (2, "privacy_not_offered")
    assert "@cafe" in ran.error["message"] and "SELF_ONLY" in ran.error["message"]


def test_it_allows_only_what_was_asked_and_the_creator_allows(publish, connect):
    accounts = [connect("panaderia"), connect("cafe", comment_disabled=True)]

    ran = publish(accounts, *PUBLIC, "--allow-comment")

    closed = {str(video.account): (video.disable_comment, video.disable_duet) for video in Video.objects.all()}
    assert closed == {"@panaderia": (False, True), "@cafe": (True, True)}
    assert ["@cafe" in note and "--allow-comment" in note for note in ran.document["notes"]] == [True]


MISTYPED = {
    ("--mode", "inbox", *PUBLIC): ("inbox_ignores", "privacy"),
    ("--mode", "inbox", "--allow-duet"): ("inbox_ignores", "allow-duet"),
    (*PUBLIC, "--timeout", "3"): ("option_without", "timeout"),
    (*PUBLIC, "--tz", "Europe/Madrid"): ("option_without", "tz"),
    (*PUBLIC, "--script", "hola"): ("option_without", "script"),
    (*PUBLIC, "--hashtag", "dos palabras"): ("hashtag_invalid", "hashtag"),
    (*PUBLIC, "--hashtag", "#"): ("hashtag_invalid", "hashtag"),
    (*PUBLIC, "--user", "nobody"): ("user_unknown", "user"),
    (*PUBLIC, "--subtitles", "/does/not/exist.srt"): ("subtitles_unreadable", "subtitles"),
    (*PUBLIC, "--subtitles", "auto", "--script", "@/does/not/exist"): ("script_unreadable", "script"),
    (*PUBLIC, "--subtitles", "auto"): ("script_required", "subtitles"),
    (*PUBLIC, "--key", "k" * 65): ("key_too_long", "key"),
    (*PUBLIC, "--caption", "ñ" * 2201): ("caption_too_long", "caption"),
    (*PUBLIC, "--at", "2025-12-01T18:00"): ("time_in_past", "at"),
    (*PUBLIC, "--at", "tomorrow"): ("time_invalid", "at"),
    (*PUBLIC, "--at", "2099-12-01T18:00", "--tz", "Mars/Base"): ("time_zone_unknown", "tz"),
    (*PUBLIC, "--at", "2099-12-01T18:00-03:00", "--tz", "Europe/Madrid"): ("time_zone_twice", "tz"),
    ("--privacy", "EVERYBODY"): ("usage", None),
    (*PUBLIC, "--mode", "fax"): ("usage", None),
    (*PUBLIC, "--wait", "--timeout", "soon"): ("usage", None),
    (*PUBLIC, "--nonsense"): ("usage", None),
}


def test_it_refuses_what_was_mistyped_with_a_document_and_exit_2(publish, connect):
    account = connect()

    answers = {}
    for arguments in MISTYPED:
        ran = publish([account], *arguments)
        answers[arguments] = (ran.error["code"], ran.error["field"]) if ran.code == 2 else ran

    assert answers == MISTYPED
    assert not Batch.objects.exists()


def test_it_shows_a_person_the_usage(run, db):
    ran = run("publish")

    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("usage: ")


def test_it_refuses_a_file_that_is_not_there(publish, connect):
    ran = publish([connect()], *PUBLIC, file="/does/not/exist.mp4")

    assert (ran.code, ran.error["code"], ran.error["field"]) == (2, "file_missing", "file")


def test_it_names_the_accounts_that_there_are(publish, connect):
    connect("panaderia")

    ran = publish(["@panderia"], *PUBLIC)

    assert (ran.code, ran.error["code"]) == (2, "account_unknown")
    assert "@panaderia" in ran.error["message"]


def test_it_takes_names_without_at_sign_in_any_case_and_each_once(publish, connect):
    connect("panaderia")

    ran = publish(["Panaderia", "@panaderia"], *PUBLIC)

    assert [video["account"] for video in ran.document["videos"]] == ["@panaderia"]


# TikTok's answers


def test_it_says_that_an_account_is_disconnected(publish, connect):
    account = connect()
    account.token.delete()

    ran = publish([account], *PUBLIC)

    assert (ran.code, ran.error["code"], ran.error["field"]) == (1, "account_disconnected", "account")
    assert str(account) in ran.error["message"]


def test_it_passes_on_why_tiktok_takes_no_post_now(publish, connect):
    ran = publish([connect(daily_post_cap=0)], *PUBLIC)

    assert (ran.code, ran.error["code"]) == (1, "spam_risk_too_many_posts")


# On whose behalf


def test_it_acts_for_the_only_administrator(publish, connect):
    boss = AdminFactory()

    publish([connect()], *PUBLIC)

    assert Batch.objects.get().created_by == boss


def test_it_acts_for_the_first_manager_of_all_the_accounts(publish, connect, cm):
    AdminFactory()
    AdminFactory()
    accounts = [connect("panaderia"), connect("cafe")]
    accounts[0].managers.add(UserFactory(username="aaron"))

    publish(accounts, *PUBLIC)

    assert Batch.objects.get().created_by == cm


def test_it_asks_on_whose_behalf_when_nobody_fits(publish, connect):
    alone = TikTokAccountFactory(username="alone")

    ran = publish([connect(), alone], *PUBLIC)

    assert (ran.code, ran.error["code"], ran.error["field"]) == (2, "user_required", "user")


def test_it_refuses_accounts_of_somebody_else(publish, connect):
    other = UserFactory(username="bruno")

    ran = publish([connect()], *PUBLIC, "--user", other.username)

    assert (ran.code, ran.error["code"]) == (2, "account_not_yours")


def test_it_does_not_hand_out_a_batch_of_somebody_else(publish, connect):
    account = connect()
    account.managers.add(UserFactory(username="bruno"))
    publish([account], *PUBLIC, "--key", "monday", "--user", "ana")

    ran = publish([account], *PUBLIC, "--key", "monday", "--user", "bruno")

    assert (ran.code, ran.error["code"]) == (2, "key_taken")


# Subtitles


def test_it_reads_a_subtitle_file(publish, connect, tmp_path):
    srt = tmp_path / "cues.srt"
    srt.write_text("1\n00:00:00,000 --> 00:00:00,800\nMañana, medialunas\n", encoding="utf-8")

    ran = publish([connect()], *PUBLIC, "--subtitles", srt)

    assert ran.document["videos"][0]["subtitles"] == "file"
    assert [cue["text"] for cue in SubtitleTrack.objects.get().cues] == ["Mañana, medialunas"]


def test_it_refuses_a_file_that_holds_no_subtitles(publish, connect, tmp_path):
    broken = tmp_path / "cues.srt"
    broken.write_text("no cues here")

    ran = publish([connect()], *PUBLIC, "--subtitles", broken)

    assert (ran.code, ran.error["code"], ran.error["field"]) == (2, "subtitles_invalid", "subtitles")


def test_it_takes_the_script_from_a_file(publish, connect, tmp_path):
    script = tmp_path / "script.txt"
    script.write_text("Esto es lo que se dice.", encoding="utf-8")

    ran = publish([connect()], *PUBLIC, "--subtitles", "auto", "--script", f"@{script}", "--language", "es")

    assert ran.document["videos"][0]["subtitles"] == "auto"
    assert SubtitleTrack.objects.get().script == "Esto es lo que se dice."


# Times


def at(publish: Publish, account: Any, *arguments: str) -> Ran:
    with time_machine.travel("2026-01-10T12:00:00Z", tick=True):
        account.token.expires_at = datetime(2027, 1, 1, tzinfo=UTC)
        account.token.save(update_fields=["expires_at"])
        return publish([account], *PUBLIC, *arguments)


def test_it_schedules_in_the_zone_that_was_named(publish, connect):
    ran = at(publish, connect(), "--at", "2026-12-01T18:00", "--tz", "Europe/Madrid")

    assert ran.document["videos"][0]["scheduledAt"] == "2026-12-01T17:00:00Z"
    assert Video.objects.get().status == VideoStatus.SCHEDULED


def test_it_schedules_in_the_accounts_zone_by_default(publish, connect):
    ran = at(publish, connect(), "--at", "2026-12-01T18:00")

    assert ran.document["videos"][0]["scheduledAt"] == "2026-12-01T21:00:00Z"


def test_it_takes_an_offset(publish, connect):
    ran = at(publish, connect(), "--at", "2026-12-01T18:00+05:30")

    assert ran.document["videos"][0]["scheduledAt"] == "2026-12-01T12:30:00Z"


def test_it_refuses_an_hour_that_the_clocks_skip_and_names_the_next(publish, connect):
    ran = at(publish, connect(), "--at", "2026-03-29T02:30", "--tz", "Europe/Madrid")

    assert (ran.code, ran.error["code"], ran.error["field"]) == (2, "time_invalid", "at")
    assert "2026-03-29 03:00" in ran.error["message"]


def test_it_takes_the_first_of_an_hour_that_the_clocks_show_twice_and_says_so(publish, connect):
    ran = at(publish, connect(), "--at", "2026-10-25T02:30", "--tz", "Europe/Madrid")

    assert ran.document["videos"][0]["scheduledAt"] == "2026-10-25T00:30:00Z"
    assert ["+0200" in note for note in ran.document["notes"]] == [True]


def test_it_asks_for_the_zone_when_accounts_differ(publish, connect):
    accounts = [connect("panaderia"), connect("cafe")]
    accounts[1].time_zone = "Europe/Madrid"
    accounts[1].save(update_fields=["time_zone"])

    ran = publish(accounts, *PUBLIC, "--at", "2099-12-01T18:00")

    assert (ran.code, ran.error["code"], ran.error["field"]) == (2, "time_zone_required", "tz")
