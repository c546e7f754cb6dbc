"""What people do to videos and circuits, in the words of the audit record: the rows' own events say the rest."""

from __future__ import annotations

from typing import Any

from accounts.models import User
from audit.catalogue import Action
from audit.services.recording import audit_record
from publishing.models import CircuitEvent, CircuitEventKind, Video
from publishing.states import HELD_BY_PERSON

#: Code of a video's event → act.
VIDEO_ACTS = {
    "retry_by_person": Action.VIDEO_RETRIED,
    "cancelled_by_person": Action.VIDEO_CANCELLED,
    HELD_BY_PERSON: Action.VIDEO_HELD,
    "released_by_person": Action.VIDEO_RELEASED,
    "rescheduled": Action.VIDEO_RESCHEDULED,
    "confirmed_by_person": Action.VIDEO_RESOLVED,
    "denied_by_person": Action.VIDEO_RESOLVED,
    "subtitles_changed": Action.VIDEO_CHANGED,
    "subtitles_dropped": Action.VIDEO_CHANGED,
    "post_changed": Action.VIDEO_CHANGED,
    "undone": Action.VIDEO_UNDONE,
    "approved": Action.VIDEO_APPROVED,
    "sent_back": Action.VIDEO_SENT_BACK,
}
CIRCUIT_ACTS = {
    CircuitEventKind.ISOLATED: Action.CIRCUIT_ISOLATED,
    CircuitEventKind.RELEASED: Action.CIRCUIT_RELEASED,
    CircuitEventKind.RESET: Action.CIRCUIT_RESET,
    CircuitEventKind.PROBE_REQUESTED: Action.CIRCUIT_PROBED,
}


def video_audit(*, video: Video, code: str, detail: dict[str, Any] | None = None, actor: User | None = None) -> None:
    """Record what a person did; what workers do is in the video's story."""
    if action := VIDEO_ACTS.get(code):
        audit_record(action=action, on=video, details={"code": code, **(detail or {})}, actor=actor)


def circuit_audit(event: CircuitEvent) -> None:
    """Record what a person did to the account's circuit, and an isolation by whomever."""
    if action := CIRCUIT_ACTS.get(CircuitEventKind(event.kind)):
        details = {"reason": event.reason, "code": event.code, "old": event.old, "new": event.new}
        audit_record(action=action, on=event.account, details=details, actor=event.actor)
