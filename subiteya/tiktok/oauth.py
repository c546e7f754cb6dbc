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

from subiteya.tiktok.calls import Endpoint, Watch, unwatched
from subiteya.tiktok.errors import InvalidGrant, OAuthError, TikTokError, TikTokUnavailable
from subiteya.tiktok.http import CODE_MAX, TIMEOUT, call, new_session, parse_json, quoted, unreadable
from subiteya.tiktok.types import TokenAnswer

#: Fields of a form that TikTok's answer must not bring back into a log.
SECRETS = frozenset({"code", "code_verifier", "refresh_token", "token"})


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
    return f"{authorize_base.rstrip('/')}/v2/auth/authorize/?{urlencode(query)}"


class OAuthClient:
    """The token endpoint. Raises OAuthError when TikTok refuses, RateLimited, or TikTokUnavailable.

    `timeout`: seconds to connect and to wait for an answer. `watch` wraps every call.
    Proxies of the environment are not used.
    """

    def __init__(
        self, *, client_key: str, client_secret: str, api_base: str, timeout: tuple[float, float] = TIMEOUT,
        watch: Watch = unwatched,
    ) -> None:  # fmt: skip
        self._key, self._secret, self._base = client_key, client_secret, api_base.rstrip("/")
        self._timeout, self._watch = timeout, watch

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
        with self._watch(Endpoint.OAUTH_REVOKE):
            self._post("/v2/oauth/revoke/", {"token": access_token})

    def _token(self, **form: str) -> TokenAnswer:
        with self._watch(Endpoint.OAUTH_TOKEN):
            return TokenAnswer.from_json(self._post("/v2/oauth/token/", form))

    def _post(self, path: str, form: dict[str, str]) -> dict[str, Any]:
        sent = {"client_key": self._key, "client_secret": self._secret} | form
        with new_session() as session:
            response, body = call(session, "POST", self._base + path, what=path, timeout=self._timeout, data=sent)
        if response.status_code == 200 and not body.strip():
            return {}
        data = parse_json(response, body)
        if data.get("error"):
            raise _refusal(response, data, hide=[self._secret, *(form[name] for name in SECRETS & form.keys())])
        if response.status_code >= 300:
            raise unreadable(response, path)
        return data


def _refusal(response: requests.Response, data: dict[str, Any], *, hide: Sequence[str]) -> TikTokError:
    """The error is OAuth's flat one or, as seen now and then, the envelope of the other calls."""
    error = data["error"]
    nested = error if isinstance(error, dict) else {"code": error}
    code = quoted(nested.get("code"), hide=hide, limit=CODE_MAX)
    message = quoted(data.get("error_description") or nested.get("message"), hide=hide)
    log_id = quoted(data.get("log_id") or nested.get("log_id"), hide=hide, limit=CODE_MAX)
    status = response.status_code
    if code in {"", "ok"} or status == 429:
        return unreadable(response, message or "no error code", log_id=log_id)
    if status >= 500:
        return TikTokUnavailable(code, message, status=status, log_id=log_id)
    kind = InvalidGrant if code == "invalid_grant" else OAuthError
    return kind(code, message, log_id=log_id, status=status)
