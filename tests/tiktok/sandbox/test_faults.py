"""Faults: each kind, where it strikes, how often, and what it leaves."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.tiktok.sandbox.app import MB, App, code_of, video

PART = 5 * MB


def every_call(app: App, token: str, url: str, publish_id: str) -> dict[str, Callable[[], requests.Response]]:
    bearer = {"Authorization": f"Bearer {token}"}
    info = f"{app.sandbox.url}/v2/user/info/?fields=open_id"
    return {
        "init": lambda: app.init(token),
        "inbox_init": lambda: app.inbox_init(token),
        "chunk": lambda: app.put(url, video(1000)),
        "status": lambda: app.post("/v2/post/publish/status/fetch/", token, {"publish_id": publish_id}),
        "creator_info": lambda: app.creator_info(token),
        "token": lambda: app.form("/v2/oauth/token/", grant_type="refresh_token", refresh_token="x"),
        "revoke": lambda: app.form("/v2/oauth/revoke/", token="x"),
        "user_info": lambda: requests.get(info, headers=bearer, timeout=10),
        "video_list": lambda: app.post("/v2/video/list/?fields=id", token),
        "video_query": lambda: app.post("/v2/video/query/?fields=id", token, {"filters": {"video_ids": ["1"]}}),
    }


CALLS = (
    "init",
    "inbox_init",
    "chunk",
    "status",
    "creator_info",
    "token",
    "revoke",
    "user_info",
    "video_list",
    "video_query",
)


@pytest.mark.parametrize("endpoint", CALLS)
def test_it_refuses_any_call_with_what_was_asked_for(app: App, endpoint: str) -> None:
    token = app.account()
    publish_id, url = app.started(token)
    call = every_call(app, token, url, publish_id)[endpoint]
    usual = call().status_code
    app.sandbox.fault("refuse", endpoint, http_status=418, code="scripted_code", retry_after=60)

    answer = call()

    assert (answer.status_code, answer.headers["Retry-After"]) == (418, "60")
    error = answer.json()["error"]
    assert (error if endpoint in ("token", "revoke") else error["code"]) == "scripted_code"
    assert app.sandbox.calls()[0] | {"ms": 0, "id": 0, "at": 0, "log_id": ""} == {
        "id": 0,
        "at": 0,
        "endpoint": endpoint,
        "username": "" if endpoint in ("token", "revoke") else "luna",
        "publish_id": publish_id if endpoint == "chunk" else "",
        "http": 418,
        "code": "scripted_code",
        "log_id": "",
        "fault": "refuse",
        "ms": 0,
    }
    assert call().status_code in (usual, 416)


@pytest.mark.parametrize("endpoint", CALLS)
@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
def test_it_cuts_the_line_of_any_call(app: App, kind: str, endpoint: str) -> None:
    token = app.account()
    publish_id, url = app.started(token)
    app.sandbox.fault(kind, endpoint)

    with pytest.raises(requests.ConnectionError):
        every_call(app, token, url, publish_id)[endpoint]()

    assert (app.sandbox.calls()[0]["http"], app.sandbox.calls()[0]["fault"]) == (0, kind)


def test_it_handles_nothing_when_it_drops_before(app: App) -> None:
    token = app.account()
    publish_id, url = app.started(token)
    app.sandbox.fault("drop_before", "init")
    app.sandbox.fault("drop_before", "chunk")

    with pytest.raises(requests.ConnectionError):
        app.init(token)
    with pytest.raises(requests.ConnectionError):
        app.put(url, video(1000))

    assert [row["publish_id"] for row in app.sandbox.ledger()] == [publish_id]
    assert app.entry(publish_id)["bytes_received"] == 0
    assert app.put(url, video(1000)).status_code == 201


def test_it_handles_everything_when_it_drops_after(app: App) -> None:
    token = app.account()
    publish_id, url = app.started(token)
    app.sandbox.fault("drop_after", "init")
    app.sandbox.fault("drop_after", "chunk")

    with pytest.raises(requests.ConnectionError):
        app.init(token)
    with pytest.raises(requests.ConnectionError):
        app.put(url, video(1000))

    assert len(app.sandbox.ledger()) == 2
    assert app.status(token, publish_id)["status"] == "PUBLISH_COMPLETE"


def test_it_drops_midway_and_keeps_nothing_of_the_part(app: App) -> None:
    publish_id, url = app.started(app.account(), PART)
    app.sandbox.fault("drop_midway")

    with pytest.raises(requests.ConnectionError):
        app.put(url, video(PART))

    entry = app.entry(publish_id)
    assert (entry["uploaded_bytes"], entry["bytes_received"]) == (0, PART // 2)
    assert app.put(url, video(PART)).status_code == 201


@pytest.mark.parametrize(("kind", "stored"), [("stall", False), ("stall_after", True)])
def test_it_stalls_before_or_after_the_handling(app: App, kind: str, stored: bool) -> None:
    token = app.account()
    app.sandbox.fault(kind, "init", seconds=0.5)
    sender = threading.Thread(target=lambda: app.init(token))

    sender.start()
    time.sleep(0.25)
    meanwhile = len(app.sandbox.ledger())
    sender.join()

    assert meanwhile == int(stored)
    assert len(app.sandbox.ledger()) == 1
    assert app.sandbox.calls()[0]["ms"] >= 490


def test_it_takes_a_part_slowly(app: App) -> None:
    _, url = app.started(app.account(), 1_000_000)
    app.sandbox.fault("slow", bytes_per_second=2_500_000)
    started = time.monotonic()

    assert app.put(url, video(1_000_000)).status_code == 201

    assert 0.35 < time.monotonic() - started < 3


def test_it_expires_an_upload_url_for_good(app: App) -> None:
    _, url = app.started(app.account())
    app.sandbox.fault("expire_url")

    assert [app.put(url, video(1000)).status_code for _ in range(2)] == [403, 403]


def test_it_lies_about_the_progress_once(app: App) -> None:
    size = 2 * PART
    publish_id, url = app.started(app.account(), size, chunk=PART)
    app.sandbox.fault("wrong_range")

    lie = app.put(url, video(PART), total=size)
    truth = app.put(url, video(PART), total=size)

    assert (lie.status_code, lie.headers["Content-Range"]) == (206, f"bytes 0-{PART // 2}/{size}")
    assert (truth.status_code, truth.headers["Content-Range"]) == (416, f"bytes 0-{PART}/{size}")
    assert app.entry(publish_id)["uploaded_bytes"] == PART


def test_it_strikes_one_part_of_one_account(app: App) -> None:
    size = 3 * PART
    luna = app.started(app.account("luna"), size, chunk=PART)[1]
    otra = app.started(app.account("otra"), size, chunk=PART)[1]
    app.sandbox.fault("refuse", "chunk", username="otra", part=1)
    data = bytes(PART)

    def send(url: str) -> list[int]:
        firsts = (0, PART, PART, 2 * PART)
        return [app.put(url, data, first, total=size).status_code for first in firsts]

    assert send(luna) == [206, 206, 416, 201]
    assert send(otra) == [206, 503, 206, 201]


def test_it_counts_down_skips_first_and_stays_when_asked(app: App) -> None:
    app.account()
    app.sandbox.fault("refuse", "init", times=2, skip=1)

    codes = [app.init(app.token()).status_code for _ in range(5)]
    app.sandbox.fault("refuse", "init", times=None)
    codes += [app.init(app.token()).status_code for _ in range(3)]

    assert codes == [200, 503, 503, 200, 200, 503, 503, 503]
    assert [(fault["kind"], fault["remaining"]) for fault in app.sandbox.faults()] == [("refuse", None)]


def test_it_strikes_any_call_with_the_star(app: App) -> None:
    token = app.account()
    publish_id, url = app.started(token)
    app.sandbox.fault("refuse", "*", times=None, http_status=500)

    calls = every_call(app, token, url, publish_id)

    assert {calls[name]().status_code for name in CALLS} == {500}


def test_it_counts_exactly_under_many_callers(app: App) -> None:
    tokens = [app.account(f"cuenta{n}") for n in range(12)]
    app.sandbox.fault("refuse", "creator_info", times=5)
    codes: list[int] = []
    threads = [
        threading.Thread(target=lambda token=token: codes.append(app.creator_info(token).status_code))
        for token in tokens
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(codes) == [200] * 7 + [503] * 5


@pytest.mark.parametrize(
    ("kind", "code"),
    [("cap_reached", "spam_risk_too_many_posts"), ("banned", "spam_risk_user_banned_from_posting")],
)
def test_it_refuses_all_posting_calls(app: App, kind: str, code: str) -> None:
    token = app.account()
    other = app.account("otra")
    app.sandbox.fault(kind, username="luna", times=None)

    answers = [code_of(call(token)) for call in (app.creator_info, app.init, app.inbox_init)]

    assert answers == [(403, code)] * 3
    assert app.init(other).status_code == 200


def test_it_expires_tokens_at_once(app: App) -> None:
    luna, otra = app.account("luna"), app.account("otra")

    assert app.sandbox.fault("expire_token", username="luna") == 0

    assert code_of(app.creator_info(luna)) == (401, "access_token_invalid")
    assert app.creator_info(otra).status_code == 200
    assert app.sandbox.faults() == []


def test_it_expires_a_token_in_the_middle_of_the_work(app: App) -> None:
    app.sandbox.add_account("luna")
    tokens = app.sandbox.mint_tokens("luna")
    publish_id = app.publish(tokens["access_token"])
    app.sandbox.fault("expire_token", "status", skip=1)
    body = {"publish_id": publish_id}

    codes = [app.post("/v2/post/publish/status/fetch/", tokens["access_token"], body).status_code for _ in range(3)]

    assert codes == [200, 401, 401]
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert app.form("/v2/oauth/token/", **form).status_code == 200


def test_it_revokes_an_account(app: App) -> None:
    app.sandbox.add_account("luna")
    tokens = app.sandbox.mint_tokens("luna")

    app.sandbox.fault("revoke_account", username="luna")

    assert app.creator_info(tokens["access_token"]).status_code == 401
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert app.form("/v2/oauth/token/", **form).json()["error"] == "invalid_grant"


def test_it_fails_a_post_with_the_reason_asked_for(app: App) -> None:
    token = app.account()
    app.sandbox.fault("post_failed", fail_reason="spam_risk_text")

    failed, fine = app.publish(token), app.publish(token)

    outcome = app.status(token, failed)
    assert (outcome["status"], outcome["fail_reason"]) == ("FAILED", "spam_risk_text")
    assert app.status(token, fine)["status"] == "PUBLISH_COMPLETE"
    assert app.entry(failed)["posted"] is False


def test_it_leaves_a_post_in_processing_for_ever(app: App) -> None:
    token = app.account()
    app.sandbox.fault("post_stuck")
    stuck, fine = app.publish(token), app.publish(token)

    assert app.status(token, stuck)["status"] == "PROCESSING_UPLOAD"
    assert app.status(token, fine)["status"] == "PUBLISH_COMPLETE"
    assert app.status(token, stuck)["status"] == "PROCESSING_UPLOAD"


def test_it_is_scripted_over_http(app: App) -> None:
    app.sandbox.add_account("luna")
    given = {"kind": "refuse", "endpoint": "chunk", "username": "luna", "part": 2, "times": None, "code": "x"}

    made = app.api("POST", "faults", given)
    seen = app.api("GET", "faults").json()

    assert made.status_code == 201
    params = {"http_status": 503, "code": "x", "retry_after": 0}
    expected = {name: given[name] for name in ("kind", "endpoint", "username", "part")} | {
        "id": made.json()["id"],
        "remaining": None,
        "skip": 0,
        "params": params,
    }
    assert made.json() == expected
    assert seen["faults"] == [expected]
    assert seen["kinds"]["stall"]["params"] == {"seconds": 30.0}
    assert app.api("DELETE", f"faults/{made.json()['id']}").json() == {"removed": 1}
    assert app.api("DELETE", f"faults/{made.json()['id']}").status_code == 404
    app.api("POST", "faults", given)
    assert app.api("DELETE", "faults").json() == {"removed": 1}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "kind"),
        ({"kind": "earthquake"}, "kind"),
        ({"kind": "refuse", "endpoint": "post"}, "endpoint"),
        ({"kind": "slow", "endpoint": "init"}, "endpoint"),
        ({"kind": "refuse", "username": "nadie"}, "username"),
        ({"kind": "refuse", "times": 0}, "times"),
        ({"kind": "refuse", "times": "2"}, "times"),
        ({"kind": "refuse", "part": -1}, "part"),
        ({"kind": "refuse", "skip": None}, "skip"),
        ({"kind": "refuse", "http_status": 99}, "http_status"),
        ({"kind": "refuse", "code": ""}, "code"),
        ({"kind": "stall", "seconds": -1}, "seconds"),
        ({"kind": "stall", "seconds": 3601}, "seconds"),
        ({"kind": "slow", "bytes_per_second": 0}, "bytes_per_second"),
        ({"kind": "drop_before", "seconds": 1}, "seconds"),
    ],
    ids=str,
)
def test_it_refuses_faults_that_make_no_sense(app: App, body: dict[str, Any], field: str) -> None:
    answer = app.api("POST", "faults", body)

    assert answer.status_code == 400
    assert answer.json()["error"].startswith(field)
    assert app.sandbox.faults() == []
