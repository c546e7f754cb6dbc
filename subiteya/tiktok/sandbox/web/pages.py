"""The control page for a person: faults, settings, what was published, what was asked."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from subiteya.tiktok.sandbox import faults
from subiteya.tiktok.sandbox.accounts import all_accounts
from subiteya.tiktok.sandbox.fault_kinds import KINDS
from subiteya.tiktok.sandbox.ledger import ledger, recent_calls, recent_events
from subiteya.tiktok.sandbox.publishes import cap_of, posts_today, settle_due
from subiteya.tiktok.sandbox.settings import CHOICES
from subiteya.tiktok.sandbox.web.control import act_on
from subiteya.tiktok.sandbox.web.replies import base_url, world
from subiteya.tiktok.sandbox.web.words import translate

pages = Blueprint("pages", __name__, url_prefix="/_sandbox")
SHOWN = 50
#: The switches that a person wants at hand; all others through /_sandbox/api/settings.
SWITCHES = (
    "audited",
    "processing_seconds",
    "moderation_seconds",
    "daily_post_cap",
    "progress",
    "chunk_rule",
    "post_id_shape",
    "refresh",
    "pkce",
    "oauth_error_status",
    "access_token_seconds",
    "webhook_url",
)


@pages.get("/")
def index() -> str:
    """Everything on one page."""
    settings = world().settings
    return render_template(
        "control.html",
        **_live(),
        kinds=KINDS.values(),
        settings=[(name, getattr(settings, name), CHOICES.get(name)) for name in SWITCHES],
        audited=settings.audited,
        said=_said(),
    )


@pages.get("/live")
def live() -> str:
    """The part of the page that changes by itself, for the script that refreshes it."""
    return render_template("live.html", **_live())


@pages.post("/faults")
def add_fault() -> BaseResponse:
    """The form of one kind of fault."""
    form = dict(request.form)
    shape = KINDS.get(form.get("kind", ""))
    try:
        params = {name: _number(form[name], default) for name, default in (shape.params if shape else {}).items()}
        faults.add_fault(
            world(),
            form.get("kind", ""),
            endpoint=form.get("endpoint", ""),
            username=form.get("username", ""),
            part=_whole(form.get("part", "")),
            times=_whole(form.get("times", "")),
            skip=_whole(form.get("skip", "")) or 0,
            **params,
        )
    except (KeyError, ValueError) as error:
        return _back("faults", error=str(error))
    return _back("faults", said="fault")


@pages.post("/faults/remove")
def remove_fault() -> BaseResponse:
    """One fault by `id`, or all of them without one."""
    fault_id = _whole(request.form.get("id", ""))
    if fault_id is None:
        faults.remove_faults(world())
    else:
        faults.remove_fault(world(), fault_id)
    return _back("faults", said="done")


@pages.post("/settings")
def save_settings() -> BaseResponse:
    """The switches."""
    try:
        world().configure({name: request.form[name] for name in SWITCHES if name in request.form})
    except ValueError as error:
        return _back("settings", error=str(error))
    return _back("settings", said="saved")


@pages.post("/publishes/<publish_id>/<action>")
def act(publish_id: str, action: str) -> BaseResponse:
    """What a moderator or the account's owner does to one publish."""
    act_on(publish_id, action, "spam_risk")
    return _back("posts", said="done")


@pages.post("/reset")
def reset() -> BaseResponse:
    """Empty the log, or forget everything."""
    world().reset(keep_accounts=request.form.get("keep_accounts") == "1")
    return _back("", said="done")


def _live() -> dict[str, Any]:
    settle_due(world())
    return {
        "faults": faults.all_faults(world()),
        "publishes": ledger(world(), base_url(), limit=SHOWN),
        "calls": recent_calls(world(), limit=SHOWN),
        "events": recent_events(world(), limit=SHOWN // 2),
        "accounts": [(a, posts_today(world(), a), cap_of(world(), a)) for a in all_accounts(world())],
        "shown": SHOWN,
    }


def _said() -> tuple[str, str]:
    """(kind, sentence) of the notice that the last form left in the address."""
    if error := request.args.get("error", ""):
        return "bad", translate("That did not fit: {error}", error=error[:200])
    sentences = {"fault": "The fault is set.", "saved": "Saved.", "done": "Done."}
    sentence = sentences.get(request.args.get("said", ""), "")
    return ("good", translate(sentence)) if sentence else ("", "")


def _back(section: str, **notice: str) -> BaseResponse:
    return redirect(f"/_sandbox/?{urlencode(notice)}#{section}", code=303)


def _whole(text: str) -> int | None:
    return int(text) if text.strip() else None


def _number(text: str, default: Any) -> Any:
    if isinstance(default, str):
        return text.strip()
    return float(text) if isinstance(default, float) else int(text)
