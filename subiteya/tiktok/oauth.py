"""OAuth v2 (login-kit-web, oauth-user-access-token-management)."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlencode

import requests

from subiteya.tiktok.errors import InvalidGrant, OAuthError, TikTokUnavailable
from subiteya.tiktok.http import call, parse_json
from subiteya.tiktok.types import TokenAnswer


@dataclass(frozen=True)
class Pkce:
    """A verifier, kept here, and its challenge, sent to TikTok."""

    verifier: str = field(repr=False)
    challenge: str


def new_pkce(form: str = "base64url") -> Pkce:
    """`form`: "base64url" (RFC 7636) or "hex" (TikTok's desktop page wants that)."""
    verifier = secrets.token_urlsafe(48)
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = digest.hex() if form == "hex" else base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return Pkce(verifier, challenge)


def authorize_url(
    *, authorize_base: str, client_key: str, scopes: Sequence[str], redirect_uri: str, state: str, pkce: Pkce
) -> str:
    """Where to send the person."""
    query = {
        "client_key": client_key,
        "scope": ",".join(scopes),
        "redirect_uri": redirect_uri,
        "state": state,
        "response_type": "code",
        "code_challenge": pkce.challenge,
        "code_challenge_method": "S256",
        "disable_auto_auth": "1",
    }
    return f"{authorize_base}/v2/auth/authorize/?{urlencode(query)}"


class OAuthClient:
    """The token endpoint. Raises OAuthError when TikTok refuses, TikTokUnavailable when it does not answer."""

    def __init__(self, *, client_key: str, client_secret: str, api_base: str) -> None:
        self._key, self._secret, self._base = client_key, client_secret, api_base.rstrip("/")

    def exchange_code(self, *, code: str, redirect_uri: str, code_verifier: str) -> TokenAnswer:
        """Turn the authorise page's `code` into tokens. TikTok sends it URL-encoded: it is decoded here."""
        return self._token(
            grant_type="authorization_code", code=unquote(code), redirect_uri=redirect_uri, code_verifier=code_verifier
        )

    def refresh(self, refresh_token: str) -> TokenAnswer:
        """New tokens. The answer's refresh token, when it has one, replaces the old: store it before use."""
        return self._token(grant_type="refresh_token", refresh_token=refresh_token)

    def revoke(self, access_token: str) -> None:
        """Give the access back."""
        self._post("/v2/oauth/revoke/", {"token": access_token})

    def _token(self, **form: str) -> TokenAnswer:
        return TokenAnswer.from_json(self._post("/v2/oauth/token/", form))

    def _post(self, path: str, form: dict[str, str]) -> dict[str, Any]:
        form = {"client_key": self._key, "client_secret": self._secret} | form
        with requests.Session() as session:
            response, body = call(session, "POST", self._base + path, what=path, data=form)
        if response.status_code == 200 and not body.strip():
            return {}
        data = parse_json(body, response.status_code)
        if data.get("error"):
            raise _refusal(data, response.status_code)
        if response.status_code >= 400:
            raise TikTokUnavailable("unavailable", path, status=response.status_code)
        return data


def _refusal(data: dict[str, Any], status: int) -> Exception:
    error = data["error"]
    nested = error if isinstance(error, dict) else {}
    code = str(nested.get("code") or error)[:64]
    message = str(data.get("error_description") or nested.get("message") or "")[:300]
    log_id = str(data.get("log_id") or nested.get("log_id") or "")
    if code == "ok":
        return TikTokUnavailable("bad_answer", "an error that says ok", status=status, log_id=log_id)
    if status >= 500:
        return TikTokUnavailable(code, message, status=status, log_id=log_id)
    kind = InvalidGrant if code == "invalid_grant" else OAuthError
    return kind(code, message, log_id=log_id, status=status)
