"""Authorise page, token endpoint, refresh, revoke."""

from __future__ import annotations

import base64
import hashlib
import threading
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import time_machine

from subiteya.tiktok.sandbox import SCOPES
from tests.tiktok.sandbox.app import REDIRECT, App

VERIFIER = "v" * 60
HEX = hashlib.sha256(VERIFIER.encode()).hexdigest()
BASE64 = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


def exchange(app: App, code: str, /, **changes: str) -> requests.Response:
    fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT} | changes
    return app.form("/v2/oauth/token/", **fields)


def refreshed(app: App, token: str, **changes: str) -> requests.Response:
    return app.form("/v2/oauth/token/", **({"grant_type": "refresh_token", "refresh_token": token} | changes))


def allowed(app: App, **changes: str) -> dict[str, str]:
    app.sandbox.add_account("luna")
    return app.consent(app.link(**changes), action="authorize", username="luna", scope=SCOPES)


def test_it_trades_a_code_for_tokens(app: App) -> None:
    back = allowed(app)

    answer = exchange(app, back["code"])

    assert back["state"] == "st&te 1"
    assert back["scopes"] == ",".join(SCOPES)
    assert answer.status_code == 200
    tokens = answer.json()
    assert tokens.keys() == {
        "open_id",
        "scope",
        "access_token",
        "expires_in",
        "refresh_token",
        "refresh_expires_in",
        "token_type",
    }
    assert (tokens["expires_in"], tokens["refresh_expires_in"]) == (86400, 31536000)
    assert app.creator_info(tokens["access_token"]).status_code == 200


def test_it_sends_codes_that_must_be_decoded(app: App) -> None:
    app.sandbox.add_account("luna")
    form = {"action": "authorize", "username": "luna", "scope": SCOPES}

    answer = requests.post(app.link(), data=form, allow_redirects=False, timeout=10)

    raw = urlsplit(answer.headers["Location"]).query.split("code=")[1].split("&")[0]
    assert "%2A" in raw and "%21" in raw
    assert exchange(app, raw).json()["error"] == "invalid_grant"


def test_it_grants_only_the_scopes_that_were_left_ticked(app: App) -> None:
    app.sandbox.add_account("luna")

    back = app.consent(app.link(), action="authorize", username="luna", scope=["video.upload"])

    assert back["scopes"] == "user.info.basic,video.upload"
    tokens = exchange(app, back["code"]).json()
    assert tokens["scope"] == "user.info.basic,video.upload"
    assert app.creator_info(tokens["access_token"]).json()["error"]["code"] == "scope_not_authorized"


def test_it_returns_access_denied_when_the_person_cancels(app: App) -> None:
    back = app.consent(app.link(), action="cancel")

    assert (back["error"], back["state"]) == ("access_denied", "st&te 1")
    assert "code" not in back


def test_it_creates_an_account_on_the_page(app: App) -> None:
    form = {"action": "create", "new_username": "@nueva.1", "new_nickname": "La Nueva"}

    page = requests.post(app.link(), data=form, timeout=10)

    assert page.status_code == 200
    assert 'value="nueva.1"' in page.text and "La Nueva" in page.text
    assert app.consent(app.link(), action="authorize", username="nueva.1")["code"]


@pytest.mark.parametrize("name", ["", "a", "con espacio", "x" * 25, "ñandú"])
def test_it_refuses_bad_usernames_on_the_page(app: App, name: str) -> None:
    answer = requests.post(app.link(), data={"action": "create", "new_username": name}, timeout=10)

    assert answer.status_code == 400
    assert app.api("GET", "accounts").json() == {"accounts": []}


def test_it_asks_for_an_account(app: App) -> None:
    answer = requests.post(app.link(lang="es"), data={"action": "authorize", "username": "nadie"}, timeout=10)

    assert answer.status_code == 400
    assert "Elegí primero una cuenta." in answer.text


@pytest.mark.parametrize(
    "change",
    [
        {"client_key": "other"},
        {"client_key": ""},
        {"redirect_uri": ""},
        {"redirect_uri": "https://evil.example/cb"},
        {"redirect_uri": "http://127.0.0.1.evil.example/cb"},
        {"redirect_uri": "http://127.0.0.1@evil.example/cb"},
        {"redirect_uri": "http://127.0.0.1:8000/cb#x"},
    ],
)
def test_it_never_redirects_for_a_client_or_address_that_it_does_not_know(app: App, change: dict[str, str]) -> None:
    answer = requests.get(app.link(**change), allow_redirects=False, timeout=10)

    assert answer.status_code == 400
    assert "Location" not in answer.headers


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": ""}, "unsupported_response_type"),
        ({"scope": "video.publish,video.delete"}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
        ({"scope": "video.publish video.list"}, "invalid_scope"),
        ({"state": ""}, "invalid_request"),
        ({"code_challenge": HEX}, "invalid_request"),
        ({"code_challenge": HEX, "code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": HEX[:-1], "code_challenge_method": "S256"}, "invalid_request"),
        ({"code_challenge": BASE64 + "=", "code_challenge_method": "S256"}, "invalid_request"),
    ],
)
def test_it_redirects_with_the_error_of_a_bad_link(app: App, change: dict[str, str], error: str) -> None:
    answer = requests.get(app.link(**change), allow_redirects=False, timeout=10)

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(f"{REDIRECT}?error={error}&")


@pytest.mark.parametrize(
    ("setting", "challenge", "taken"),
    [
        ("any", HEX, True),
        ("any", BASE64, True),
        ("hex", HEX, True),
        ("hex", BASE64, False),
        ("base64url", BASE64, True),
        ("base64url", HEX, False),
    ],
)
def test_it_takes_the_pkce_writing_of_its_setting(app: App, setting: str, challenge: str, taken: bool) -> None:
    app.sandbox.configure(pkce=setting)
    link = {"code_challenge": challenge, "code_challenge_method": "S256"}
    app.sandbox.add_account("luna")

    back = app.consent(app.link(**link), action="authorize", username="luna")

    assert ("code" in back) is taken
    if taken:
        assert exchange(app, back["code"], code_verifier=VERIFIER).status_code == 200


@pytest.mark.parametrize("verifier", ["", "w" * 60, "short"])
@pytest.mark.parametrize("challenge", [HEX, BASE64])
def test_it_refuses_a_wrong_verifier_and_burns_the_code(app: App, challenge: str, verifier: str) -> None:
    back = allowed(app, code_challenge=challenge, code_challenge_method="S256")

    refused = exchange(app, back["code"], code_verifier=verifier)

    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")
    assert exchange(app, back["code"], code_verifier=VERIFIER).json()["error"] == "invalid_grant"


def test_it_takes_a_code_once(app: App) -> None:
    back = allowed(app)

    assert exchange(app, back["code"]).status_code == 200
    assert exchange(app, back["code"]).json()["error"] == "invalid_grant"


def test_it_takes_a_code_for_five_minutes(app: App) -> None:
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        early, late = allowed(app), allowed(app)
        clock.shift(299)
        assert exchange(app, early["code"]).status_code == 200
        clock.shift(1)
        assert exchange(app, late["code"]).json()["error"] == "invalid_grant"


def test_it_wants_the_same_redirect_uri_again(app: App) -> None:
    back = allowed(app)

    assert exchange(app, back["code"], redirect_uri=REDIRECT + "/").json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"client_key": "other"}, "invalid_client"),
        ({"client_secret": "other"}, "invalid_client"),
        ({"client_secret": ""}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": ""}, "invalid_request"),
        ({"code": ""}, "invalid_request"),
        ({"code": "unknown"}, "invalid_grant"),
        ({"redirect_uri": ""}, "invalid_request"),
    ],
)
def test_it_refuses_bad_token_forms(app: App, fields: dict[str, str], error: str) -> None:
    answer = exchange(app, allowed(app)["code"], **fields)

    assert answer.status_code == 400
    assert answer.json().keys() == {"error", "error_description", "log_id"}
    assert answer.json()["error"] == error


@pytest.mark.parametrize("path", ["/v2/oauth/token/", "/v2/oauth/revoke/"])
def test_it_takes_forms_only(app: App, path: str) -> None:
    body = {"grant_type": "refresh_token", "refresh_token": "x", "token": "x"}

    answer = requests.post(app.sandbox.url + path, json=app.keys | body, timeout=10)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert "x-www-form-urlencoded" in answer.json()["error_description"]


def test_it_can_answer_oauth_errors_with_http_200(app: App) -> None:
    app.sandbox.configure(oauth_error_status=200)

    answer = refreshed(app, "unknown")

    assert (answer.status_code, answer.json()["error"]) == (200, "invalid_grant")


def test_it_rotates_refresh_tokens(app: App) -> None:
    app.sandbox.add_account("luna")
    old = app.sandbox.mint_tokens("luna")

    new = refreshed(app, old["refresh_token"]).json()

    assert new["refresh_token"] != old["refresh_token"]
    assert (new["open_id"], new["scope"]) == (old["open_id"], old["scope"])
    assert app.creator_info(new["access_token"]).status_code == 200
    assert refreshed(app, old["refresh_token"]).json()["error"] == "invalid_grant"
    assert refreshed(app, new["refresh_token"]).status_code == 200


@pytest.mark.parametrize(("setting", "empty"), [("keep", False), ("empty", True)])
def test_it_can_leave_the_refresh_token_alive(app: App, setting: str, empty: bool) -> None:
    app.sandbox.configure(refresh=setting)
    app.sandbox.add_account("luna")
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        old = app.sandbox.mint_tokens("luna")
        clock.shift(1000)
        new = refreshed(app, old["refresh_token"]).json()

    assert new["refresh_token"] == ("" if empty else old["refresh_token"])
    assert new["refresh_expires_in"] == 31536000 - 1000
    assert refreshed(app, old["refresh_token"]).status_code == 200


def test_it_lets_one_of_many_refreshes_at_once_win(app: App) -> None:
    app.sandbox.add_account("luna")
    token = app.sandbox.mint_tokens("luna")["refresh_token"]
    answers: list[Any] = []
    threads = [threading.Thread(target=lambda: answers.append(refreshed(app, token))) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7


def test_it_expires_both_kinds_of_token(app: App) -> None:
    app.sandbox.add_account("luna")
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        tokens = app.sandbox.mint_tokens("luna", expires_in=100, refresh_expires_in=200)
        clock.shift(99)
        assert app.creator_info(tokens["access_token"]).status_code == 200
        clock.shift(1)
        assert app.creator_info(tokens["access_token"]).json()["error"]["code"] == "access_token_invalid"
        clock.shift(100)
        assert refreshed(app, tokens["refresh_token"]).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_it_revokes_a_whole_authorisation(app: App, kind: str) -> None:
    app.sandbox.add_account("luna")
    tokens = app.sandbox.mint_tokens("luna")

    answer = app.form("/v2/oauth/revoke/", token=tokens[kind])

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["X-Tt-Logid"]
    assert app.creator_info(tokens["access_token"]).status_code == 401
    assert refreshed(app, tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert app.form("/v2/oauth/revoke/", token=tokens[kind]).json()["error"] == "invalid_request"


def test_it_keeps_the_open_id_when_an_account_connects_again(app: App) -> None:
    app.sandbox.add_account("luna")
    first = app.sandbox.mint_tokens("luna")
    app.form("/v2/oauth/revoke/", token=first["access_token"])

    assert app.sandbox.mint_tokens("luna")["open_id"] == first["open_id"]
