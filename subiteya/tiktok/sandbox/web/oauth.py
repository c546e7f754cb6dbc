"""The token endpoints (`oauth-user-access-token-management`): forms in, bare JSON out."""

from __future__ import annotations

import hmac
from typing import Any

from flask import Blueprint, Response, g, jsonify, request

from subiteya.tiktok.sandbox import grants
from subiteya.tiktok.sandbox.errors import OAuthRefused
from subiteya.tiktok.sandbox.web.replies import world

oauth = Blueprint("oauth", __name__, url_prefix="/v2/oauth")
FORM = "application/x-www-form-urlencoded"


@oauth.post("/token/", endpoint="token")
def token() -> Response:
    """Exchange a code or a refresh token."""
    form = _client_form("grant_type")
    grant_type = form["grant_type"]
    if grant_type == "authorization_code":
        return _answer(_exchange(form))
    if grant_type == "refresh_token":
        return _answer(grants.refresh(world(), _field(form, "refresh_token")))
    raise OAuthRefused("unsupported_grant_type", "grant_type is authorization_code or refresh_token.")


@oauth.post("/revoke/", endpoint="revoke")
def revoke() -> Response:
    """End an authorisation. The answer has no body, only the log id in its header."""
    form = _client_form("token")
    grants.revoke_token(world(), form["token"])
    return Response(status=200, content_type="application/json")


def _exchange(form: dict[str, str]) -> dict[str, Any]:
    return grants.exchange_code(
        world(),
        code=_field(form, "code"),
        redirect_uri=_field(form, "redirect_uri"),
        verifier=form.get("code_verifier", ""),
    )


def _client_form(*required: str) -> dict[str, str]:
    """The form, once it is one and the client has shown its key and secret."""
    if request.mimetype != FORM:
        raise OAuthRefused("invalid_request", f"Only {FORM} is accepted as Content-Type.")
    form = {name: request.form[name] for name in request.form}
    for name in ("client_key", "client_secret", *required):
        _field(form, name)
    settings = world().settings
    same_key = hmac.compare_digest(form["client_key"].encode(), settings.client_key.encode())
    same_secret = hmac.compare_digest(form["client_secret"].encode(), settings.client_secret.encode())
    if not (same_key and same_secret):
        raise OAuthRefused("invalid_client", "Client key or secret is incorrect.")
    return form


def _field(form: dict[str, str], name: str) -> str:
    value = form.get(name, "")
    if not value:
        raise OAuthRefused("invalid_request", f"{name} is required.")
    return value


def _answer(tokens: dict[str, Any]) -> Response:
    g.code = "ok"
    answer = jsonify(tokens)
    answer.headers["Cache-Control"] = "no-store"
    return answer
