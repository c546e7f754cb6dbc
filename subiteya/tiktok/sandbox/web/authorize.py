"""The page on which a person lets the app into an account (`login-kit-web`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import quote, urlencode

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from subiteya.tiktok.sandbox.accounts import account_of, all_accounts, save_account
from subiteya.tiktok.sandbox.grants import SCOPES, challenge_kind, issue_code
from subiteya.tiktok.sandbox.web.replies import world

authorize = Blueprint("authorize", __name__)
BASIC = "user.info.basic"
SCOPE_WORDS = {
    "user.info.basic": "See your name and your picture",
    "user.info.profile": "See your username and your profile",
    "user.info.stats": "See how many followers and likes you have",
    "video.publish": "Post videos on your profile",
    "video.upload": "Leave videos in your TikTok inbox",
    "video.list": "See your public videos and their numbers",
}
PATH = "/v2/auth/authorize/"


class Asked(NamedTuple):
    """What the app's link asks for, checked."""

    redirect_uri: str
    state: str
    scopes: list[str]
    challenge: str


class BadLink(Exception):
    """The link cannot be answered by a redirect: the person sees why."""


class BadRequest(Exception):
    """The link is answered by a redirect with `error` and `error_description`."""

    def __init__(self, error: str, description: str) -> None:
        self.error, self.description = error, description
        super().__init__(f"{error}: {description}")


@authorize.get(PATH)
def show() -> BaseResponse:
    """The choice of account and scopes."""
    return _with_link(_page)


@authorize.post(PATH)
def decide() -> BaseResponse:
    """`action`: authorize (with `username` and `scope`s), cancel, or create (with `username` and `nickname`)."""
    action = request.form.get("action", "")
    return _with_link({"cancel": _cancel, "create": _create}.get(action, _grant))


def _with_link(answer: Callable[[Asked], BaseResponse]) -> BaseResponse:
    try:
        return answer(_asked())
    except BadLink as bad:
        return make_response(render_template("refused.html", app=world().settings.app_name, reason=str(bad)), 400)
    except BadRequest as bad:
        return _back({"error": bad.error, "error_description": bad.description})


def _asked() -> Asked:
    """Raises BadLink for what must never be redirected, BadRequest for the rest."""
    link = request.args
    if link.get("client_key") != world().settings.client_key:
        raise BadLink("client_key")
    if not _is_registered(link.get("redirect_uri", "")):
        raise BadLink("redirect_uri")
    if link.get("response_type") != "code":
        raise BadRequest("unsupported_response_type", "response_type is code.")
    if not link.get("state"):
        raise BadRequest("invalid_request", "state is required.")
    scopes = link.get("scope", "").split(",")
    if not set(scopes) <= set(SCOPES):
        raise BadRequest("invalid_scope", "scope is a comma-separated list of known scopes.")
    challenge = link.get("code_challenge", "")
    if challenge and (link.get("code_challenge_method") != "S256" or not challenge_kind(world(), challenge)):
        raise BadRequest("invalid_request", "code_challenge or code_challenge_method is invalid.")
    return Asked(link["redirect_uri"], link["state"], list(dict.fromkeys(scopes)), challenge)


def _is_registered(uri: str) -> bool:
    if "@" in uri or "#" in uri or len(uri) > 512:
        return False
    for known in world().settings.redirect_uris:
        rest = uri.removeprefix(known)
        if uri.startswith(known) and (not rest or known.endswith("/") or rest[0] in "/:?"):
            return True
    return False


def _page(asked: Asked, *, chosen: str = "", error: str = "") -> Response:
    page = render_template(
        "authorize.html",
        app=world().settings.app_name,
        accounts=all_accounts(world()),
        scopes=[(scope, SCOPE_WORDS[scope], scope == BASIC) for scope in asked.scopes],
        action=f"{PATH}?{request.query_string.decode()}",
        chosen=chosen,
        error=error,
    )
    return make_response(page, 400 if error else 200)


def _grant(asked: Asked) -> BaseResponse:
    username = request.form.get("username", "")
    if account_of(world(), username) is None:
        return _page(asked, error="Choose an account first.")
    kept = [scope for scope in asked.scopes if scope == BASIC or scope in request.form.getlist("scope")]
    code = issue_code(
        world(),
        username=username,
        scopes=kept,
        redirect_uri=asked.redirect_uri,
        challenge=asked.challenge,
    )
    return _back({"code": code, "scopes": ",".join(kept)})


def _cancel(asked: Asked) -> BaseResponse:
    return _back({"error": "access_denied", "error_description": "The user cancelled."})


def _create(asked: Asked) -> BaseResponse:
    username = request.form.get("new_username", "").strip().removeprefix("@")
    nickname = request.form.get("new_nickname", "").strip() or username
    try:
        save_account(world(), username, {"nickname": nickname})
    except ValueError:
        return _page(asked, error="2 to 24 letters, digits, dots and underscores")
    return _page(asked, chosen=username)


def _back(answer: dict[str, str]) -> BaseResponse:
    """To the app. All but letters and digits is percent-encoded, as TikTok does it with codes."""
    uri, state = request.args["redirect_uri"], request.args.get("state", "")
    query = urlencode(answer | {"state": state}, quote_via=quote, safe="")
    return redirect(f"{uri}{'&' if '?' in uri else '?'}{query}", code=302)
