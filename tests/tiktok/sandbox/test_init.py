"""The two init calls and creator_info: every field, every refusal."""

from __future__ import annotations

from typing import Any

import pytest
import requests
import time_machine

from subiteya.tiktok.sandbox import SCOPES
from subiteya.tiktok.sandbox.errors import ApiError
from subiteya.tiktok.sandbox.rules import Plan, check_plan
from tests.tiktok.sandbox.app import JSON, MB, App, code_of, source_info

INIT = "/v2/post/publish/video/init/"
INBOX = "/v2/post/publish/inbox/video/init/"
INFO = "/v2/post/publish/creator_info/query/"
STATUS = "/v2/post/publish/status/fetch/"


def test_it_starts_a_direct_post(app: App) -> None:
    answer = app.init(app.account(), 1000)

    assert code_of(answer) == (200, "ok")
    data = answer.json()["data"]
    assert data["publish_id"].startswith("v_pub_file~") and len(data["publish_id"]) <= 64
    assert data["upload_url"].startswith(f"{app.sandbox.url}/_upload/") and len(data["upload_url"]) <= 256


def test_it_starts_an_inbox_share(app: App) -> None:
    data = app.inbox_init(app.account()).json()["data"]

    assert data["publish_id"].startswith("v_inbox_file~") and len(data["publish_id"]) <= 64


def test_it_ignores_post_info_on_the_inbox_route_and_notes_it(app: App) -> None:
    body = {"post_info": {"privacy_level": "NONSENSE"}, "source_info": source_info(1000)}

    answer = app.post(INBOX, app.account(), body)

    assert code_of(answer) == (200, "ok")
    assert app.entry(answer.json()["data"]["publish_id"])["note"] == "post_info ignored"


def test_it_tells_what_the_creator_has_set(app: App) -> None:
    token = app.account(
        nickname="La Luna", comment_disabled=True, stitch_disabled=True, max_video_post_duration_sec=180
    )

    answer = app.creator_info(token)

    assert code_of(answer) == (200, "ok")
    data = answer.json()["data"]
    avatar = data.pop("creator_avatar_url")
    assert requests.get(avatar, timeout=10).headers["Content-Type"].startswith("image/svg+xml")
    assert data == {
        "creator_username": "luna",
        "creator_nickname": "La Luna",
        "privacy_level_options": ["PUBLIC_TO_EVERYONE", "MUTUAL_FOLLOW_FRIENDS", "SELF_ONLY"],
        "comment_disabled": True,
        "duet_disabled": False,
        "stitch_disabled": True,
        "max_video_post_duration_sec": 180,
    }


def test_it_offers_a_private_account_its_followers_instead_of_everyone(app: App) -> None:
    data = app.creator_info(app.account(is_private=True)).json()["data"]

    assert data["privacy_level_options"] == ["MUTUAL_FOLLOW_FRIENDS", "FOLLOWER_OF_CREATOR", "SELF_ONLY"]


@pytest.mark.parametrize(
    "post_info",
    [
        None,
        [],
        {},
        {"privacy_level": "EVERYBODY"},
        {"privacy_level": None},
        {"title": 5},
        {"title": None},
        {"title": "x" * 2201},
        {"title": "😀" * 1100 + "x"},
        {"disable_comment": "false"},
        {"disable_duet": 0},
        {"disable_stitch": None},
        {"brand_content_toggle": "yes"},
        {"brand_organic_toggle": 1},
        {"is_aigc": "no"},
        {"video_cover_timestamp_ms": -1},
        {"video_cover_timestamp_ms": 1.5},
        {"video_cover_timestamp_ms": True},
        {"caption": "no such field"},
        {"brand_content_toggle": True, "privacy_level": "SELF_ONLY"},
    ],
    ids=str,
)
def test_it_refuses_bad_post_info(app: App, post_info: Any) -> None:
    if isinstance(post_info, dict) and post_info:
        post_info = {"privacy_level": "PUBLIC_TO_EVERYONE"} | post_info
    body = {"post_info": post_info, "source_info": source_info(1000)}

    assert code_of(app.post(INIT, app.account(), body)) == (400, "invalid_params")


@pytest.mark.parametrize(
    "post_info",
    [
        {"title": "x" * 2200},
        {"title": "😀" * 1100},
        {"title": "línea uno\nlínea dos #a @b"},
        {"title": ""},
        {
            "disable_comment": True,
            "disable_duet": True,
            "disable_stitch": False,
            "brand_content_toggle": True,
            "brand_organic_toggle": True,
            "is_aigc": True,
            "video_cover_timestamp_ms": 1000,
        },
    ],
    ids=lambda value: str(value)[:40],
)
def test_it_takes_good_post_info(app: App, post_info: Any) -> None:
    answer = app.init(app.account(), **post_info)

    assert code_of(answer) == (200, "ok")
    entry = app.entry(answer.json()["data"]["publish_id"])
    assert entry["title"] == post_info.get("title", "Hola")


@pytest.mark.parametrize("path", [INIT, INBOX])
@pytest.mark.parametrize(
    "source",
    [
        None,
        {},
        {"source": "FTP"},
        {"source": "FILE_UPLOAD"},
        source_info(1000) | {"video_size": "1000"},
        source_info(1000) | {"video_size": 0},
        source_info(1000) | {"chunk_size": True},
        source_info(1000) | {"total_chunk_count": 1.0},
        source_info(1000) | {"total_chunk_count": 0},
        source_info(1000) | {"md5": "x"},
        {"source": "PULL_FROM_URL"},
        {"source": "PULL_FROM_URL", "video_url": "http://plain.example/v.mp4"},
    ],
    ids=str,
)
def test_it_refuses_bad_source_info(app: App, path: str, source: Any) -> None:
    body = {"post_info": {"privacy_level": "SELF_ONLY"}, "source_info": source}

    assert code_of(app.post(path, app.account(), body)) == (400, "invalid_params")


def test_it_has_no_verified_domain_to_pull_from(app: App) -> None:
    source = {"source": "PULL_FROM_URL", "video_url": "https://cdn.example/v.mp4"}

    answer = app.post(INBOX, app.account(), {"source_info": source})

    assert code_of(answer) == (403, "url_ownership_unverified")


@pytest.mark.parametrize(
    ("size", "chunk", "count", "by_count", "by_size"),
    [
        (1, 1, 1, True, True),
        (4_999_999, 4_999_999, 1, True, True),
        (4_999_999, 2_500_000, 2, False, False),  # under 5 MB whole
        (5 * MB, 5 * MB, 1, True, True),
        (12 * MB, 12 * MB, 1, True, True),
        (12 * MB, 5 * MB, 2, True, False),
        (12 * MB, 6 * MB, 2, True, True),
        (12 * MB, 5 * MB, 3, False, False),  # rounded up
        (12 * MB, 4 * MB, 3, False, False),  # parts under 5 MB
        (10 * MB, 64 * MB, 1, False, False),  # chunk above the video
        (50_000_123, 10_000_000, 5, True, False),  # TikTok's own example
        (50_000_123, 10_000_024, 5, True, True),
        (50_000_123, 10_000_025, 5, False, False),
        (64 * MB, 64 * MB, 1, True, True),
        (64 * MB + 1, 64 * MB + 1, 1, False, False),
        (64 * MB + 1, 64 * MB, 1, False, False),  # over 64 MB goes in several
        (67_108_864, 67_108_864, 1, False, False),  # 64 MiB is not 64 MB
        (100 * MB, 60 * MB, 1, False, False),
        (127 * MB, 64 * MB, 1, False, False),
        (128 * MB, 64 * MB, 2, True, True),
        (191_999_999, 64 * MB, 2, True, False),  # a last part of 127,999,999
        (4000 * MB, 64 * MB, 62, True, False),
        (4000 * MB, 5 * MB, 800, True, True),
        (4000 * MB, 4 * MB, 1000, False, False),
        (4000 * MB + 1, 64 * MB, 62, False, False),  # over 4 GB
    ],
)
def test_it_checks_the_chunk_plan(size: int, chunk: int, count: int, by_count: bool, by_size: bool) -> None:
    def fits(rule: str) -> bool:
        try:
            check_plan(Plan(size, chunk, count), chunk_rule=rule)
        except ApiError:
            return False
        return True

    assert (fits("count"), fits("size")) == (by_count, by_size)


def test_it_switches_between_the_two_chunk_rules(app: App) -> None:
    token = app.account()

    assert code_of(app.init(token, 12 * MB, chunk=5 * MB)) == (200, "ok")
    app.sandbox.configure(chunk_rule="size")

    assert code_of(app.init(token, 12 * MB, chunk=5 * MB)) == (400, "invalid_params")


@pytest.mark.parametrize("path", [INIT, INBOX, INFO, STATUS])
@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer act.unknown", "Basic {token}", "{token}"])
def test_it_wants_a_live_bearer_token(app: App, path: str, header: str) -> None:
    headers = JSON | {"Authorization": header.format(token=app.account())}

    answer = requests.post(app.sandbox.url + path, json={}, headers=headers, timeout=10)

    assert code_of(answer) == (401, "access_token_invalid")


@pytest.mark.parametrize(
    ("path", "scope"),
    [(INIT, "video.publish"), (INBOX, "video.upload"), (INFO, "video.publish")],
)
def test_it_wants_the_scope_of_the_call(app: App, path: str, scope: str) -> None:
    app.sandbox.add_account("luna")
    token = app.token("luna", [name for name in SCOPES if name != scope])

    assert code_of(app.post(path, token, {})) == (401, "scope_not_authorized")


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_it_takes_json_only(app: App, content_type: str) -> None:
    headers = {"Authorization": f"Bearer {app.account()}", "Content-Type": content_type}

    answer = requests.post(app.sandbox.url + INFO, data="{}", headers=headers, timeout=10)

    assert code_of(answer) == (400, "invalid_params")


@pytest.mark.parametrize("body", ["{", "[]", '"x"', '{"other": 1}', '{"post_info": "' + "x" * 100_001 + '"}'])
def test_it_refuses_bodies_that_are_no_object_of_its_fields(app: App, body: str) -> None:
    headers = {"Authorization": f"Bearer {app.account()}", **JSON}

    answer = requests.post(app.sandbox.url + INIT, data=body, headers=headers, timeout=10)

    assert code_of(answer) == (400, "invalid_params")


def test_it_wants_the_last_slash_and_the_method(app: App) -> None:
    token = app.account()

    assert app.post(INFO.rstrip("/"), token).status_code == 404
    assert requests.get(app.sandbox.url + INFO, timeout=10).status_code == 405
    assert requests.get(app.sandbox.url + "/v2/nothing/", timeout=10).json()["error"]["log_id"]


def test_it_refuses_a_level_that_the_creator_does_not_offer(app: App) -> None:
    answer = app.init(app.account(), privacy_level="FOLLOWER_OF_CREATOR")

    assert code_of(answer) == (403, "privacy_level_option_mismatch")


@pytest.mark.parametrize(
    ("is_private", "level", "expected"),
    [
        (True, "SELF_ONLY", (200, "ok")),
        (False, "SELF_ONLY", (403, "unaudited_client_can_only_post_to_private_accounts")),
        (True, "FOLLOWER_OF_CREATOR", (403, "unaudited_client_can_only_post_to_private_accounts")),
        (False, "PUBLIC_TO_EVERYONE", (403, "unaudited_client_can_only_post_to_private_accounts")),
    ],
)
def test_it_holds_an_unaudited_app_back(app: App, is_private: bool, level: str, expected: Any) -> None:
    app.sandbox.configure(audited=False)

    assert code_of(app.init(app.account(is_private=is_private), privacy_level=level)) == expected


def test_it_lets_an_unaudited_app_serve_five_people_a_day(app: App) -> None:
    app.sandbox.configure(audited=False)
    for n in range(5):
        app.init(app.account(f"persona{n}", is_private=True), privacy_level="SELF_ONLY")

    sixth = app.account("persona5", is_private=True)

    assert code_of(app.init(sixth, privacy_level="SELF_ONLY")) == (403, "reached_active_user_cap")
    assert code_of(app.creator_info(sixth)) == (403, "reached_active_user_cap")
    assert code_of(app.init(app.token("persona0"), privacy_level="SELF_ONLY")) == (200, "ok")


def test_it_refuses_a_banned_account(app: App) -> None:
    token = app.account(is_banned=True)
    expected = (403, "spam_risk_user_banned_from_posting")

    assert [code_of(call(token)) for call in (app.creator_info, app.init, app.inbox_init)] == [expected] * 3


@pytest.mark.parametrize(
    ("call", "limit"),
    [("init", 6), ("inbox_init", 6), ("creator_info", 20), ("status", 30)],
)
def test_it_limits_calls_a_minute_per_token(app: App, call: str, limit: int) -> None:
    app.account()
    calls: dict[str, Any] = {
        "init": app.init,
        "inbox_init": app.inbox_init,
        "creator_info": app.creator_info,
        "status": lambda token: app.post(STATUS, token, {"publish_id": "x"}),
    }
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        token = app.token()
        codes = [calls[call](token).status_code for _ in range(limit + 2)]
        other = calls[call](app.token()).status_code
        clock.shift(59.9)
        early = calls[call](token).status_code
        clock.shift(0.1)
        late = calls[call](token).status_code

    assert 429 not in codes[:limit] and codes[limit:] == [429, 429]
    assert (other != 429, early, late != 429) == (True, 429, True)


def test_it_caps_posts_of_a_day(app: App) -> None:
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        app.account(daily_post_cap=2)
        for _ in range(2):
            app.publish(app.token())
            clock.shift(3600)
        app.sandbox.ledger()
        refusal = (403, "spam_risk_too_many_posts")
        assert code_of(app.creator_info(app.token())) == refusal
        assert code_of(app.init(app.token())) == refusal
        clock.shift(22 * 3600 - 1)
        assert code_of(app.init(app.token())) == refusal
        clock.shift(1)
        assert code_of(app.init(app.token())) == (200, "ok")


def test_it_caps_fifteen_posts_unless_told_otherwise(app: App) -> None:
    app.account()
    for _ in range(15):
        app.publish(app.token())

    assert code_of(app.init(app.token())) == (403, "spam_risk_too_many_posts")


def test_it_fails_the_post_that_slips_over_the_cap(app: App) -> None:
    token = app.account(daily_post_cap=1)
    first, second = app.started(token, 1000), app.started(token, 1000)
    for _, url in (first, second):
        app.put(url, b"\0\0\0\x18ftyp" + bytes(992))

    assert app.status(token, first[0])["status"] == "PUBLISH_COMPLETE"
    outcome = app.status(token, second[0])
    assert (outcome["status"], outcome["fail_reason"]) == ("FAILED", "spam_risk_too_many_posts")


def test_it_caps_pending_shares(app: App) -> None:
    app.account()
    shares = [app.share(app.token()) for _ in range(5)]

    assert code_of(app.inbox_init(app.token())) == (403, "spam_risk_too_many_pending_share")
    app.api("POST", f"publishes/{shares[0]}/finish")

    assert code_of(app.inbox_init(app.token())) == (200, "ok")
