"""The sandbox's own JSON interface below /_sandbox/api: accounts, posts, faults, ledger, settings."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import NotFound

from subiteya.tiktok.sandbox import faults, grants, posts, publishes
from subiteya.tiktok.sandbox.accounts import account_of, all_accounts, save_account
from subiteya.tiktok.sandbox.fault_kinds import KINDS
from subiteya.tiktok.sandbox.ledger import ledger, recent_calls, recent_events
from subiteya.tiktok.sandbox.settings import public_view
from subiteya.tiktok.sandbox.web.replies import base_url, world

control = Blueprint("control", __name__, url_prefix="/_sandbox")
MAX_BODY = 20_000_000
FAULT_FIELDS = ("endpoint", "username", "part", "times", "skip")


@control.get("/healthz")
def health() -> Response:
    """200 as long as the sandbox can read its state."""
    world().store.value("SELECT 1")
    return jsonify({"status": "ok"})


@control.get("/api/ledger")
def read_ledger() -> Response:
    """{"publishes": […]}, newest first; `?username=` narrows it."""
    entries = ledger(world(), base_url(), username=request.args.get("username", ""))
    return jsonify({"publishes": entries})


@control.get("/api/calls")
def read_calls() -> Response:
    """{"calls": […], "events": […]}: the last API calls and webhooks, newest first."""
    limit = request.args.get("limit", default=100, type=int)
    return jsonify({"calls": recent_calls(world(), limit=limit), "events": recent_events(world(), limit=limit)})


@control.get("/api/accounts")
def read_accounts() -> Response:
    """{"accounts": […]} by username."""
    return jsonify({"accounts": [asdict(account) for account in all_accounts(world())]})


@control.post("/api/accounts")
def write_accounts() -> Response:
    """One account object, or a list of them: created, or changed where given. 201 when one is new."""
    body = _json()
    entries = body if isinstance(body, list) else [body]
    saved = []
    with world().store.tx():
        for entry in entries:
            fields = dict(entry) if isinstance(entry, dict) else {}
            saved.append(save_account(world(), fields.pop("username", ""), fields))
    shown = [asdict(account) for account, _ in saved]
    answer = jsonify({"accounts": shown} if isinstance(body, list) else shown[0])
    answer.status_code = 201 if any(new for _, new in saved) else 200
    return answer


@control.post("/api/accounts/<username>/tokens")
def mint_tokens(username: str) -> Response:
    """The token endpoint's answer without the browser; optional `scopes`, `expires_in`, `refresh_expires_in`."""
    if account_of(world(), username) is None:
        raise NotFound
    body = _object(_json(optional=True), "scopes", "expires_in", "refresh_expires_in")
    scopes = body.pop("scopes", list(grants.SCOPES))
    scopes = scopes.split(",") if isinstance(scopes, str) else scopes
    if not isinstance(scopes, list) or not scopes or not set(map(str, scopes)) <= set(grants.SCOPES):
        raise ValueError(f"scopes: some of {', '.join(grants.SCOPES)}")
    for name, life in body.items():
        if life is not None and (type(life) is not int or life < 0):
            raise ValueError(f"{name}: a whole number of seconds")
    return jsonify(grants.mint(world(), username, scopes, **body))


@control.post("/api/posts")
def write_posts() -> Response:
    """A list of historical posts, by post_id idempotent; see `posts.register_posts`."""
    body = _json()
    if not isinstance(body, list):
        raise ValueError("a list of posts is expected")
    created, updated = posts.register_posts(world(), body)
    return jsonify({"created": created, "updated": updated})


@control.get("/api/faults")
def read_faults() -> Response:
    """{"faults": […], "kinds": {…}}: what waits, and what there is with its parameters."""
    kinds = {name: asdict(kind) for name, kind in KINDS.items()}
    return jsonify({"faults": [asdict(fault) for fault in faults.all_faults(world())], "kinds": kinds})


@control.post("/api/faults")
def write_fault() -> Response:
    """`kind`, then optionally endpoint, username, part, times (null: until removed), skip, and the parameters."""
    params = _json()
    if not isinstance(params, dict):
        raise ValueError("an object is expected")
    where = {name: params.pop(name) for name in FAULT_FIELDS if name in params}
    fault = faults.add_fault(world(), str(params.pop("kind", "")), **where, **params)
    answer = jsonify(asdict(fault))
    answer.status_code = 201
    return answer


@control.delete("/api/faults")
def delete_faults() -> Response:
    """Take all faults back."""
    return jsonify({"removed": faults.remove_faults(world())})


@control.delete("/api/faults/<int:fault_id>")
def delete_fault(fault_id: int) -> Response:
    """Take one back; 404 when it is gone already."""
    if not faults.remove_fault(world(), fault_id):
        raise NotFound
    return jsonify({"removed": 1})


@control.get("/api/settings")
def read_settings() -> Response:
    """What can be changed while running."""
    return jsonify(public_view(world().settings))


@control.post("/api/settings")
def write_settings() -> Response:
    """Change the given settings; answers all of them."""
    values = _json()
    if not isinstance(values, dict):
        raise ValueError("an object is expected")
    world().configure(values)
    return jsonify(public_view(world().settings))


@control.post("/api/publishes/<publish_id>/<action>")
def act(publish_id: str, action: str) -> Response:
    """What a person or a moderator does: `fail` (with `fail_reason`), `remove` (take down), `finish` (inbox)."""
    body = _object(_json(optional=True), "fail_reason")
    act_on(publish_id, action, str(body.get("fail_reason", "spam_risk")))
    return jsonify({"publishes": [e for e in ledger(world(), base_url()) if e["publish_id"] == publish_id]})


@control.post("/api/reset")
def reset() -> Response:
    """Forget everything; with {"keep_accounts": true} accounts and tokens stay."""
    body = _object(_json(optional=True), "keep_accounts")
    world().reset(keep_accounts=bool(body.get("keep_accounts", False)))
    return jsonify({"status": "ok"})


@control.errorhandler(ValueError)
def _invalid(error: ValueError) -> tuple[Response, int]:
    return jsonify({"error": str(error)}), 400


def act_on(publish_id: str, action: str, fail_reason: str) -> None:
    """Do `action` to a publish. Raises NotFound for an unknown one."""
    publishes.settle_due(world())
    publish = publishes.publish_of(world(), publish_id)
    if publish is None:
        raise NotFound
    if action == "fail":
        publishes.fail(world(), publish, fail_reason)
    elif action == "remove":
        publishes.remove_post(world(), publish)
    elif action == "finish":
        publishes.finish_share(world(), publish)
    else:
        raise NotFound


def _json(*, optional: bool = False) -> Any:
    if (request.content_length or 0) > MAX_BODY:
        raise ValueError("the body is too long")
    data = request.get_data()
    if optional and not data:
        return {}
    if request.mimetype != "application/json":
        raise ValueError("Content-Type: application/json is expected")
    try:
        return json.loads(data)
    except ValueError:
        raise ValueError("the body is not JSON") from None


def _object(body: Any, *known: str) -> dict[str, Any]:
    if not isinstance(body, dict) or body.keys() - set(known):
        raise ValueError(f"an object with some of {', '.join(known)} is expected")
    return body
