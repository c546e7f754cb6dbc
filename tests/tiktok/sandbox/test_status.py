"""What becomes of an uploaded video, and when."""

from __future__ import annotations

import struct
from typing import Any

import pytest
import time_machine

from tests.tiktok.sandbox.app import App, code_of, video

STATUS = "/v2/post/publish/status/fetch/"
START = 1_800_000_000


def mp4(seconds: float, *, version: int = 0, scale: int = 1000, padding: int = 0) -> bytes:
    """A file with a movie header that declares `seconds`, and nothing to see."""
    length = int(seconds * scale)
    times = struct.pack(">II", 0, 0) if version == 0 else struct.pack(">QQ", 0, 0)
    numbers = struct.pack(">II" if version == 0 else ">IQ", scale, length)
    mvhd = box(b"mvhd", bytes([version, 0, 0, 0]) + times + numbers + bytes(80))
    return video(24) + box(b"free", bytes(padding)) + box(b"moov", mvhd) + box(b"mdat", bytes(100))


def box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + name + body


def test_it_goes_from_processing_over_complete_to_public(serving: Any) -> None:
    app = serving(processing_seconds=3, moderation_seconds=2)
    with time_machine.travel(START, tick=False) as clock:
        token = app.account()
        publish_id, url = app.started(token, 1000)
        before = app.status(token, publish_id)
        app.put(url, video(1000))
        seen = [app.status(token, publish_id)]
        for seconds in (2.9, 0.2, 1.8, 0.2):
            clock.shift(seconds)
            seen.append(app.status(token, publish_id))

    assert before == {
        "status": "PROCESSING_UPLOAD",
        "fail_reason": "",
        "publicaly_available_post_id": [],
        "uploaded_bytes": 0,
    }
    statuses = [answer["status"] for answer in seen]
    assert statuses == ["PROCESSING_UPLOAD"] * 2 + ["PUBLISH_COMPLETE"] * 3
    assert [len(answer["publicaly_available_post_id"]) for answer in seen] == [0, 0, 0, 0, 1]
    assert seen[-1]["publicaly_available_post_id"] == [int(app.entry(publish_id)["post_id"])]
    assert seen[-1]["uploaded_bytes"] == 1000


def test_it_takes_longer_over_a_bigger_video(serving: Any) -> None:
    from subiteya.tiktok.sandbox.publishes import processing_time

    world = serving(processing_seconds=3).sandbox.world

    assert [round(processing_time(world, size), 1) for size in (0, 512_000_000, 4_000_000_000)] == [3, 6, 26.4]


@pytest.mark.parametrize(("is_private", "level"), [(False, "SELF_ONLY"), (True, "FOLLOWER_OF_CREATOR")])
def test_it_gives_no_public_id_to_posts_that_are_not_public(app: App, is_private: bool, level: str) -> None:
    token = app.account(is_private=is_private)

    publish_id = app.publish(token, privacy_level=level)

    outcome = app.status(token, publish_id)
    assert (outcome["status"], outcome["publicaly_available_post_id"]) == ("PUBLISH_COMPLETE", [])
    assert app.entry(publish_id)["posted"] is True


def test_it_can_give_the_public_id_as_one_value(app: App) -> None:
    app.sandbox.configure(post_id_shape="single")
    token = app.account()
    publish_id = app.publish(token)
    hidden = app.publish(token, privacy_level="SELF_ONLY")

    assert app.status(token, publish_id)["publicaly_available_post_id"] == app.entry(publish_id)["post_id"]
    assert app.status(token, hidden)["publicaly_available_post_id"] == ""


def test_it_leaves_shares_in_the_inbox_until_the_person_finishes(app: App) -> None:
    token = app.account()
    publish_id = app.share(token)
    assert app.status(token, publish_id)["status"] == "SEND_TO_USER_INBOX"
    assert app.entry(publish_id)["posted"] is False

    app.api("POST", f"publishes/{publish_id}/finish")
    app.api("POST", f"publishes/{publish_id}/finish")

    outcome = app.status(token, publish_id)
    assert outcome["status"] == "PUBLISH_COMPLETE"
    assert outcome["publicaly_available_post_id"] == [int(app.entry(publish_id)["post_id"])]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"not a video at all, only words", "file_format_check_failed"),
        (b"\x00", "file_format_check_failed"),
        (b"\x1a\x45\xdf\xa3" + bytes(100), ""),
        (box(b"wide", b"") + box(b"mdat", bytes(50)), ""),
        (mp4(180), ""),
        (mp4(182), "duration_check_failed"),
        (mp4(182, version=1, scale=90_000), "duration_check_failed"),
        (mp4(182, padding=2_000_000), "duration_check_failed"),
        (mp4(182, scale=1)[:-190], ""),  # cut off in the header: nothing to read
        (video(24) + struct.pack(">I4s", 3, b"moov") + bytes(50), ""),
    ],
    ids=lambda value: value[:12].hex() if isinstance(value, bytes) else value,
)
def test_it_looks_at_the_file(app: App, data: bytes, reason: str) -> None:
    token = app.account(max_video_post_duration_sec=180)

    outcome = app.status(token, app.publish(token, data))

    assert (outcome["fail_reason"], outcome["status"]) == (reason, "FAILED" if reason else "PUBLISH_COMPLETE")


def test_it_remembers_the_length_of_the_video(app: App) -> None:
    publish_id = app.publish(app.account(), mp4(12.34))

    assert app.entry(publish_id)["duration"] == pytest.approx(12.34)


def test_it_answers_the_owner_only(app: App) -> None:
    publish_id = app.publish(app.account("luna"))
    other = app.account("otra")

    assert code_of(app.post(STATUS, other, {"publish_id": publish_id})) == (
        401,
        "token_not_authorized_for_specified_publish_id",
    )


@pytest.mark.parametrize(
    ("publish_id", "code"),
    [
        ("v_pub_file~v2-1.7", "invalid_publish_id"),
        ("", "invalid_params"),
        (7, "invalid_params"),
        (None, "invalid_params"),
    ],
)
def test_it_refuses_bad_publish_ids(app: App, publish_id: Any, code: str) -> None:
    assert code_of(app.post(STATUS, app.account(), {"publish_id": publish_id})) == (400, code)


@pytest.mark.parametrize(("scope", "status"), [("video.publish", 200), ("video.upload", 200), ("video.list", 401)])
def test_it_wants_one_of_two_scopes(app: App, scope: str, status: int) -> None:
    publish_id = app.publish(app.account())

    assert app.post(STATUS, app.token("luna", [scope]), {"publish_id": publish_id}).status_code == status


def test_it_fails_unfinished_posts_when_the_access_is_removed(serving: Any) -> None:
    app = serving(processing_seconds=60)
    token = app.account()
    publish_id, url = app.started(token, 1000)

    app.sandbox.fault("revoke_account", username="luna")

    assert app.put(url, video(1000)).status_code == 404
    outcome = app.status(app.token("luna"), publish_id)
    assert (outcome["status"], outcome["fail_reason"]) == ("FAILED", "auth_removed")


def test_it_takes_a_public_post_down(app: App) -> None:
    token = app.account()
    publish_id = app.publish(token)
    app.api("POST", f"publishes/{publish_id}/remove")

    outcome = app.status(token, publish_id)

    assert (outcome["status"], outcome["publicaly_available_post_id"]) == ("PUBLISH_COMPLETE", [])


def test_it_moderates_a_post_away(app: App) -> None:
    token = app.account()
    publish_id = app.publish(token)
    assert app.status(token, publish_id)["status"] == "PUBLISH_COMPLETE"

    app.api("POST", f"publishes/{publish_id}/fail", {"fail_reason": "spam_risk_text"})

    outcome = app.status(token, publish_id)
    assert (outcome["status"], outcome["fail_reason"]) == ("FAILED", "spam_risk_text")
    assert outcome["publicaly_available_post_id"] == []
