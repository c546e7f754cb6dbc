"""The authorise page's address and the token endpoint."""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from subiteya.tiktok import (
    BadAnswer,
    InvalidGrant,
    OAuthClient,
    OAuthError,
    Pkce,
    RateLimited,
    TikTokClient,
    TikTokUnavailable,
    TokenInvalid,
    authorize_url,
    new_pkce,
)
from tests.tiktok.canned import answering

REDIRECT = "http://127.0.0.1:8000/accounts/callback/"
SCOPES = ("user.info.basic", "video.publish")


@pytest.fixture
def oauth(sandbox) -> OAuthClient:
    settings = sandbox.settings
    return OAuthClient(client_key=settings.client_key, client_secret=settings.client_secret, api_base=sandbox.url)


@pytest.fixture
def tokens(sandbox) -> dict:
    sandbox.add_account("panaderia")
    return sandbox.mint_tokens("panaderia")


def page(base: str, pkce: Pkce, key: str = "key") -> str:
    return authorize_url(
        authorize_base=base, client_key=key, scopes=SCOPES, redirect_uri=REDIRECT, state="st", pkce=pkce
    )


def client_at(url: str, **options) -> OAuthClient:
    return OAuthClient(client_key="key", client_secret="very-secret", api_base=url, **options)


def test_it_sends_the_person_to_tiktok_with_everything_it_wants():
    url = urlsplit(page("https://www.tiktok.com/", Pkce("v", "c")))
    assert (url.scheme, url.netloc, url.path) == ("https", "www.tiktok.com", "/v2/auth/authorize/")
    assert {name: values[0] for name, values in parse_qs(url.query).items()} == {
        "client_key": "key", "scope": "user.info.basic,video.publish", "redirect_uri": REDIRECT, "state": "st",
        "response_type": "code", "code_challenge": "c", "code_challenge_method": "S256", "disable_auto_auth": "1",
    }  # fmt: skip


def test_it_makes_both_forms_of_challenge_from_the_verifier():
    digits, letters = new_pkce("hex"), new_pkce("base64url")
    assert bytes.fromhex(digits.challenge) == hashlib.sha256(digits.verifier.encode()).digest()
    assert base64.urlsafe_b64decode(letters.challenge + "=") == hashlib.sha256(letters.verifier.encode()).digest()
    assert "=" not in letters.challenge
    assert digits.verifier != letters.verifier
    assert 43 <= len(digits.verifier) <= 128


@pytest.mark.parametrize("form", ["hex", "base64url"])
def test_it_turns_a_code_into_tokens_once(sandbox, oauth, form):
    sandbox.configure(pkce=form)
    sandbox.add_account("panaderia")
    pkce = new_pkce(form)
    form_data = {"username": "panaderia", "scope": SCOPES, "action": "allow"}
    address = page(sandbox.url, pkce, sandbox.settings.client_key)
    answer = requests.post(address, data=form_data, allow_redirects=False, timeout=10)
    code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
    tokens = oauth.exchange_code(code=code, redirect_uri=REDIRECT, code_verifier=pkce.verifier)
    assert set(tokens.scope) == set(SCOPES)
    assert tokens.expires_in == sandbox.settings.access_token_seconds
    with pytest.raises(InvalidGrant):
        oauth.exchange_code(code=code, redirect_uri=REDIRECT, code_verifier=pkce.verifier)


def test_it_decodes_the_code_and_sends_a_form():
    with answering(400, {"error": "invalid_grant"}) as tiktok, pytest.raises(InvalidGrant):
        client_at(tiktok.url).exchange_code(code="a%2Ab%21", redirect_uri=REDIRECT, code_verifier="v")
    _method, path, headers, body = tiktok.seen[0]
    assert path == "/v2/oauth/token/"
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert {name: values[0] for name, values in parse_qs(body.decode()).items()} == {
        "client_key": "key", "client_secret": "very-secret", "grant_type": "authorization_code", "code": "a*b!",
        "redirect_uri": REDIRECT, "code_verifier": "v",
    }  # fmt: skip


@pytest.mark.parametrize("status", [400, 200])
def test_it_learns_the_new_refresh_token_and_the_end_of_the_old(sandbox, oauth, tokens, status):
    sandbox.configure(oauth_error_status=status)
    answer = oauth.refresh(tokens["refresh_token"])
    assert answer.refresh_token not in {"", tokens["refresh_token"]}
    with pytest.raises(InvalidGrant):
        oauth.refresh(tokens["refresh_token"])


def test_it_tells_that_a_refresh_left_the_old_token_in_place(sandbox, oauth, tokens):
    sandbox.configure(refresh="empty")
    assert oauth.refresh(tokens["refresh_token"]).refresh_token == ""


def test_it_revokes(sandbox, oauth, tokens):
    oauth.revoke(tokens["access_token"])
    client = TikTokClient(access_token=tokens["access_token"], api_base=sandbox.url, upload_hosts=(), allow_http=True)
    with pytest.raises(TokenInvalid):
        client.creator_info()


def test_it_tells_bad_keys_from_bad_grants(sandbox, tokens):
    with pytest.raises(OAuthError) as raised:
        client_at(sandbox.url).refresh(tokens["refresh_token"])
    assert not isinstance(raised.value, InvalidGrant)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"error": "invalid_grant", "log_id": "L1"}, InvalidGrant),
        (400, {"error": {"code": "invalid_grant"}}, InvalidGrant),
        (401, {"error": "invalid_client"}, OAuthError),
        (429, {"error": "too_fast"}, RateLimited),
        (429, b"<html>", RateLimited),
        (500, {"error": "server_error"}, TikTokUnavailable),
        (503, b"", TikTokUnavailable),
        (200, {"error": {"code": "ok"}}, BadAnswer),
        (200, b"<html>", BadAnswer),
        (200, {"access_token": 1}, BadAnswer),
        (302, {"open_id": "o"}, BadAnswer),
    ],
)
def test_it_tells_the_refusals_of_the_token_endpoint_apart(status, body, kind):
    with answering(status, body) as tiktok, pytest.raises(kind) as raised:
        client_at(tiktok.url).refresh("rft.1")
    assert type(raised.value) is kind


def test_it_hides_secrets_that_tiktok_repeats():
    echo = "rft.planted and very-secret are wrong"
    body = {"error": "invalid_grant", "error_description": echo}
    with answering(400, body) as tiktok, pytest.raises(InvalidGrant) as raised:
        client_at(tiktok.url).refresh("rft.planted")
    assert "rft.planted" not in str(raised.value)
    assert "very-secret" not in str(raised.value)
    assert "are wrong" in str(raised.value)


@pytest.mark.parametrize("token", ["i", "grant"])
def test_it_reads_the_code_whole_when_it_holds_a_short_secret(token):
    with answering(400, {"error": "invalid_grant"}) as tiktok, pytest.raises(InvalidGrant):
        client_at(tiktok.url).refresh(token)


def test_it_gives_up_on_a_silent_token_endpoint(sandbox, tokens):
    sandbox.fault("stall", "token", seconds=30)
    with pytest.raises(TikTokUnavailable):
        client_at(sandbox.url, timeout=(1, 0.2)).refresh(tokens["refresh_token"])


def test_it_ignores_the_proxy_of_the_environment(oauth, tokens, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert oauth.refresh(tokens["refresh_token"]).open_id == tokens["open_id"]
