"""The Flask application: who is called, which fault strikes, what is written down."""

from __future__ import annotations

import logging
import time
from functools import cache
from typing import NoReturn
from urllib.parse import urlsplit

from flask import Flask, Request, Response, g, request
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import RequestRedirect

from subiteya.tiktok.sandbox import faults, ids
from subiteya.tiktok.sandbox.errors import ApiError, OAuthRefused
from subiteya.tiktok.sandbox.fault_kinds import CALLS, REFUSALS
from subiteya.tiktok.sandbox.grants import owner_of
from subiteya.tiktok.sandbox.ledger import record_call
from subiteya.tiktok.sandbox.publishes import Publish, publish_at
from subiteya.tiktok.sandbox.transfer import expire_url
from subiteya.tiktok.sandbox.web import words
from subiteya.tiktok.sandbox.web.api import api, bearer
from subiteya.tiktok.sandbox.web.authorize import authorize
from subiteya.tiktok.sandbox.web.control import control
from subiteya.tiktok.sandbox.web.oauth import oauth
from subiteya.tiktok.sandbox.web.pages import pages
from subiteya.tiktok.sandbox.web.replies import Dropped, failure, oauth_failure, world
from subiteya.tiktok.sandbox.web.site import site
from subiteya.tiktok.sandbox.web.upload import drain_body, upload

logger = logging.getLogger(__name__)
CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; media-src 'self';"
    " connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class StrictFlask(Flask):
    """No redirect to the address with a slash: TikTok's paths end in one, and a client must say so."""

    def raise_routing_exception(self, request: Request) -> NoReturn:
        if isinstance(request.routing_exception, RequestRedirect):
            raise NotFound
        super().raise_routing_exception(request)


@cache
def application() -> Flask:
    """The WSGI application: one for all sandboxes of a process; each request brings its own World along."""
    app = StrictFlask(__name__, static_url_path="/_sandbox/static")
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.before_request(_begin)
    app.before_request(_same_origin)
    app.before_request(_strike)
    app.after_request(_finish)
    for blueprint in (api, oauth, authorize, upload, control, pages, site):
        app.register_blueprint(blueprint)
    app.register_error_handler(ApiError, failure)
    app.register_error_handler(OAuthRefused, oauth_failure)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _bug)
    words.install(app)
    return app


def call_name() -> str:
    """The API call of this request as faults and ledger name it; empty for pages."""
    name = (request.endpoint or "").rpartition(".")[2]
    return name if name in CALLS else ""


def _begin() -> None:
    g.started = time.monotonic()
    g.log_id = ids.new_log_id(world().now())
    g.code, g.publish_id, g.username, g.fault, g.body_taken = "", "", "", None, False


def _same_origin() -> Response | None:
    """The control pages take no orders from pages of other sites."""
    origin = request.headers.get("Origin", "")
    foreign = origin not in ("", "null") and urlsplit(origin).netloc != request.host
    if foreign and request.method != "GET" and request.path.startswith("/_sandbox"):
        return Response("Cross-origin", status=403)
    return None


def _strike() -> Response | None:
    """Find out who calls, leniently, and let the fault that waits for this call strike."""
    name = call_name()
    if not name:
        return None
    publish, part = _target() if name == "chunk" else (None, None)
    g.username = publish.username if publish else _speaker(name)
    g.publish_id = publish.publish_id if publish else ""
    g.fault = faults.take_fault(world(), name, g.username, part)
    return _struck(name, g.fault, publish) if g.fault else None


def _struck(name: str, fault: faults.Fault, publish: Publish | None) -> Response | None:
    """What a fault does before the call is handled; None lets the call go on."""
    if fault.kind == "drop_before":
        return Dropped()
    if fault.kind == "drop_midway":
        drain_body(publish, share=0.5)
        return Dropped()
    if fault.kind in {"refuse", *REFUSALS}:
        return _refusal(name, fault, publish)
    if fault.kind == "stall":
        return None if world().sleep(fault.params["seconds"]) else Dropped()
    if fault.kind == "expire_url" and publish:
        expire_url(world(), publish)
    else:
        faults.strike_account(world(), fault, g.username)
    return None


def _refusal(name: str, fault: faults.Fault, publish: Publish | None) -> Response:
    code = fault.params.get("code") or REFUSALS[fault.kind]
    http = int(fault.params.get("http_status", 0))
    if name == "chunk":
        drain_body(publish)
    if name in ("token", "revoke"):
        answer = oauth_failure(OAuthRefused(code, "Scripted.", http=http))
    else:
        answer = failure(ApiError(code, "Scripted.", http=http))
    if fault.params.get("retry_after"):
        answer.headers["Retry-After"] = str(int(fault.params["retry_after"]))
    return answer


def _target() -> tuple[Publish | None, int | None]:
    """The publish and the zero-based part that a PUT is about, as far as its headers tell."""
    publish = publish_at(world(), (request.view_args or {}).get("token", ""))
    first = request.headers.get("Content-Range", "").removeprefix("bytes ").partition("-")[0]
    if publish is None or not first.isdecimal():
        return publish, None
    return publish, publish.plan.part_at(int(first))


def _speaker(name: str) -> str:
    if name not in ("token", "revoke"):
        return owner_of(world(), bearer())
    form = request.form
    return owner_of(world(), form.get("refresh_token") or form.get("code") or form.get("token") or "")


def _finish(answer: Response) -> Response:
    """Faults that strike after the handling, the log id on every answer, and the list of calls."""
    answer.headers["X-Tt-Logid"] = g.log_id
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Security-Policy"] = CSP
    name = call_name()
    if not name:
        return answer
    kind = g.fault.kind if g.fault else ""
    if kind == "drop_after" or (kind == "stall_after" and not world().sleep(g.fault.params["seconds"])):
        answer = Dropped()
    _record(name, answer, kind)
    return answer


def _record(name: str, answer: Response, fault: str) -> None:
    call = {
        "at": world().now(),
        "endpoint": name,
        "username": g.username,
        "publish_id": g.publish_id,
        "http": 0 if isinstance(answer, Dropped) else answer.status_code,
        "code": "" if isinstance(answer, Dropped) else g.code,
        "log_id": g.log_id,
        "fault": fault,
        "ms": int((time.monotonic() - g.started) * 1000),
    }
    record_call(world(), call)


def _http_error(error: HTTPException) -> Response:
    """404 and the like: TikTok's envelope below /v2, one line elsewhere."""
    status = error.code or 500
    if request.path.startswith("/v2/"):
        return failure(ApiError("invalid_request", error.name, http=status))
    return Response(f"{status} {error.name}\n", status=status, mimetype="text/plain")


def _bug(error: Exception) -> Response:
    logger.error("sandbox_bug", exc_info=error)
    return failure(ApiError("internal_error", "The sandbox itself failed; see its log."))
