"""The sandbox's own JSON interface: accounts, tokens, settings, ledger, reset."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import requests

from subiteya.tiktok.sandbox import SCOPES
from subiteya.tiktok.sandbox.fault_kinds import CALLS, KINDS
from subiteya.tiktok.sandbox.settings import CHOICES
from tests.processes import ROOT
from tests.tiktok.sandbox.app import App, video


def test_it_is_healthy(app: App) -> None:
    assert requests.get(f"{app.sandbox.url}/_sandbox/healthz", timeout=10).json() == {"status": "ok"}


def test_it_creates_and_changes_accounts_by_username(app: App) -> None:
    first = app.api("POST", "accounts", {"username": "luna", "nickname": "La Luna", "daily_post_cap": 3})
    again = app.api("POST", "accounts", {"username": "luna", "comment_disabled": True})
    many = app.api("POST", "accounts", [{"username": "luna", "daily_post_cap": None}, {"username": "otra"}])

    assert [answer.status_code for answer in (first, again, many)] == [201, 200, 201]
    assert again.json() == first.json() | {"comment_disabled": True}
    accounts = {row["username"]: row for row in app.api("GET", "accounts").json()["accounts"]}
    assert accounts["luna"] == again.json() | {"daily_post_cap": None}
    assert accounts["luna"]["open_id"] != accounts["otra"]["open_id"]


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"username": "con espacio"},
        {"username": 5},
        {"username": "luna", "colour": "red"},
        {"username": "luna", "open_id": "x"},
        {"username": "luna", "is_private": 1},
        {"username": "luna", "nickname": 5},
        {"username": "luna", "daily_post_cap": -1},
        {"username": "luna", "max_video_post_duration_sec": None},
        {"username": "luna", "privacy_level_options": []},
        {"username": "luna", "privacy_level_options": ["ALL"]},
    ],
    ids=str,
)
def test_it_saves_all_accounts_or_none(app: App, entry: dict[str, Any]) -> None:
    answer = app.api("POST", "accounts", [{"username": "antes"}, entry])

    assert answer.status_code == 400
    assert app.api("GET", "accounts").json() == {"accounts": []}


def test_it_mints_tokens_like_the_token_endpoint(app: App) -> None:
    app.sandbox.add_account("luna")

    minted = app.api("POST", "accounts/luna/tokens").json()
    form = {"grant_type": "refresh_token", "refresh_token": minted["refresh_token"]}
    refreshed = app.form("/v2/oauth/token/", **form).json()

    assert minted.keys() == refreshed.keys()
    assert minted["scope"] == ",".join(SCOPES)
    fewer = {"scopes": ["user.info.basic", "video.upload"], "expires_in": 60, "refresh_expires_in": 120}
    short = app.api("POST", "accounts/luna/tokens", fewer).json()
    assert (short["scope"], short["expires_in"], short["refresh_expires_in"]) == (
        "user.info.basic,video.upload",
        60,
        120,
    )


@pytest.mark.parametrize(
    ("username", "body", "status"),
    [
        ("nadie", {}, 404),
        ("luna", {"scopes": ["video.delete"]}, 400),
        ("luna", {"scopes": []}, 400),
        ("luna", {"expires_in": "1"}, 400),
        ("luna", {"open_id": "x"}, 400),
    ],
    ids=str,
)
def test_it_refuses_to_mint_nonsense(app: App, username: str, body: dict[str, Any], status: int) -> None:
    app.sandbox.add_account("luna")

    assert app.api("POST", f"accounts/{username}/tokens", body).status_code == status


def test_it_changes_settings_while_running(app: App) -> None:
    before = app.api("GET", "settings").json()

    after = app.api("POST", "settings", {"audited": False, "processing_seconds": 1.5, "progress": "last_index"})

    assert after.json() == before | {"audited": False, "processing_seconds": 1.5, "progress": "last_index"}
    assert app.sandbox.settings.processing_seconds == 1.5
    assert "client_secret" not in before


@pytest.mark.parametrize(
    "values",
    [
        {"client_secret": "x"},
        {"redirect_uris": ["*"]},
        {"unknown": 1},
        {"audited": "maybe"},
        {"processing_seconds": -1},
        {"processing_seconds": "NaN"},
        {"processing_seconds": True},
        {"daily_post_cap": "many"},
        {"progress": "both"},
        {"webhook_url": 5},
        ["audited"],
    ],
    ids=str,
)
def test_it_refuses_settings_that_do_not_fit(app: App, values: Any) -> None:
    before = app.api("GET", "settings").json()
    given = {"moderation_seconds": 9} | values if isinstance(values, dict) else values

    assert app.api("POST", "settings", given).status_code == 400
    assert app.api("GET", "settings").json() == before


def test_it_tells_everything_in_the_ledger(app: App) -> None:
    open_id = app.sandbox.add_account("luna")["open_id"]
    app.account("otra")
    publish_id = app.publish(app.token("luna"), title="Hola 😀")
    app.publish(app.token("otra"))

    rows = app.api("GET", "ledger?username=luna").json()["publishes"]

    assert len(rows) == 1
    row = rows[0]
    assert row == app.entry(publish_id)
    assert len(app.api("GET", "ledger").json()["publishes"]) == 2
    given = {name: row[name] for name in ("publish_id", "username", "open_id", "title", "privacy_level", "kind")}
    assert given == {
        "publish_id": publish_id,
        "username": "luna",
        "open_id": open_id,
        "title": "Hola 😀",
        "privacy_level": "PUBLIC_TO_EVERYONE",
        "kind": "direct",
    }
    assert (row["video_size"], row["uploaded_bytes"], row["parts"], row["total_chunk_count"]) == (1000, 1000, 1, 1)
    assert (row["status"], row["posted"], row["fail_reason"]) == ("PUBLISH_COMPLETE", True, "")
    assert row["post_url"] == f"{app.sandbox.url}/@luna/video/{row['post_id']}"


def test_it_shows_no_secret_anywhere(app: App, tmp_path: Path) -> None:
    app.sandbox.add_account("luna")
    app.sandbox.fault("refuse", "status", http_status=500)
    tokens = app.sandbox.mint_tokens("luna")
    publish_id, url = app.started(tokens["access_token"])
    app.put(url, video(1000))
    app.status(tokens["access_token"], publish_id)
    back = app.consent(app.link(), action="authorize", username="luna")
    secrets = [
        tokens["access_token"],
        tokens["refresh_token"],
        back["code"],
        url.rpartition("/")[2],
        app.keys["client_secret"],
    ]

    shown = [requests.get(f"{app.sandbox.url}/_sandbox/", timeout=10).text, repr(app.sandbox.settings)]
    shown += [json.dumps(app.api("GET", path).json()) for path in ("ledger", "calls", "settings", "faults")]
    stored = [path.read_bytes() for path in tmp_path.glob("sandbox/sandbox.sqlite3*")]

    assert [s for s in secrets if any(s in text for text in shown)] == []
    assert [s for s in secrets if any(s.encode() in data for data in stored)] == []
    assert publish_id in shown[0]


def test_it_lists_the_last_calls(app: App) -> None:
    token = app.account()
    publish_id = app.publish(token)
    app.status(token, publish_id)

    calls = app.api("GET", "calls?limit=3").json()["calls"]

    assert [(c["endpoint"], c["http"], c["code"], c["username"]) for c in calls] == [
        ("status", 200, "ok", "luna"),
        ("chunk", 201, "ok", "luna"),
        ("init", 200, "ok", "luna"),
    ]
    assert {call["publish_id"] for call in calls} == {publish_id}
    assert len({call["log_id"] for call in calls}) == 3


def test_it_keeps_the_newest_calls_only(app: App) -> None:
    from subiteya.tiktok.sandbox import ledger

    for _ in range(ledger.KEPT_CALLS + 5):
        call = {"at": 0, "endpoint": "x", "username": "", "publish_id": "", "http": 200, "code": ""}
        ledger.record_call(app.sandbox.world, call | {"log_id": "", "fault": "", "ms": 0})

    assert len(app.sandbox.calls(limit=5000)) == ledger.KEPT_CALLS


def test_it_forgets_everything(app: App) -> None:
    token = app.account()
    publish_id = app.publish(token)
    app.sandbox.fault("refuse", "init")
    app.sandbox.configure(audited=False)

    app.api("POST", "reset")

    assert (app.sandbox.ledger(), app.sandbox.faults(), app.sandbox.calls()) == ([], [], [])
    assert app.sandbox.settings.audited is True
    assert app.api("GET", "accounts").json() == {"accounts": []}
    assert not app.sandbox.path_of(publish_id).exists()
    assert app.creator_info(token).status_code == 401


def test_it_can_forget_all_but_the_accounts(app: App) -> None:
    token = app.account()
    app.publish(token)

    app.api("POST", "reset", {"keep_accounts": True})

    assert app.sandbox.ledger() == []
    assert app.creator_info(token).status_code == 200


@pytest.mark.parametrize("action", ["explode", "fail"])
def test_it_knows_no_other_action_or_publish(app: App, action: str) -> None:
    publish_id = app.publish(app.account()) if action == "explode" else "v_pub_file~v2-1.0"

    assert app.api("POST", f"publishes/{publish_id}/{action}").status_code == 404


@pytest.mark.parametrize("path", ["api/reset", "api/faults", "reset", "settings"])
def test_it_takes_no_orders_from_other_sites(app: App, path: str) -> None:
    app.publish(app.account())

    url = f"{app.sandbox.url}/_sandbox/{path}"
    answers = [
        requests.post(url, headers={"Origin": origin}, timeout=10).status_code
        for origin in ("https://evil.example", "http://127.0.0.1:1")
    ]

    assert answers == [403, 403]
    assert len(app.sandbox.ledger()) == 1


def test_it_is_documented(app: App) -> None:
    page = (ROOT / "docs/sandbox.md").read_text()
    app.publish(app.account())

    names = {*KINDS, *CALLS, *CHOICES, *app.sandbox.ledger()[0], *(p for kind in KINDS.values() for p in kind.params)}

    assert sorted(name for name in names if not re.search(rf"\b{name}\b", page)) == []
