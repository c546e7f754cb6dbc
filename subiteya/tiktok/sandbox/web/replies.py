"""Answers: TikTok's envelope, OAuth's bare form, and the answer that never comes."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from flask import Response, g, jsonify, request

from subiteya.tiktok.sandbox.errors import ApiError, OAuthRefused
from subiteya.tiktok.sandbox.world import World

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


#: Where a request's environ has its World.
WORLD = "subiteya.sandbox_world"


def world() -> World:
    """The sandbox that the present request belongs to."""
    found: World = request.environ[WORLD]
    return found


def base_url() -> str:
    """Where the caller reached us, without the last slash: links and upload URLs start with it."""
    return request.host_url.rstrip("/")


def success(data: dict[str, Any]) -> Response:
    """TikTok's envelope around `data`."""
    return _envelope(data, "ok", "", 200)


def failure(error: ApiError) -> Response:
    """TikTok's envelope around an error."""
    return _envelope({}, error.code, error.message, error.http)


def oauth_failure(error: OAuthRefused) -> Response:
    """OAuth's bare error, with the HTTP status that the settings choose."""
    g.code = error.error
    body = {"error": error.error, "error_description": error.description, "log_id": g.log_id}
    answer = jsonify(body)
    answer.status_code = error.http or world().settings.oauth_error_status
    return answer


def _envelope(data: dict[str, Any], code: str, message: str, http: int) -> Response:
    g.code = code
    answer = jsonify({"data": data, "error": {"code": code, "message": message, "log_id": g.log_id}})
    answer.status_code = http
    return answer


class Dropped(Response):
    """No answer: the connection is cut."""

    def __init__(self) -> None:
        super().__init__(status=500)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        connection = environ.get("werkzeug.socket")
        if isinstance(connection, socket.socket):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        raise ConnectionAbortedError("dropped on purpose")  # the server takes it for a lost line
