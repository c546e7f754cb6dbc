"""Statuses and causes as people read them."""

from __future__ import annotations

from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from publishing.models import AssetStatus, TrackStatus
from publishing.states import FAMILY_OF, CircuitState, Family, JobStatus, UploadState, VideoStatus
from publishing.templatetags.ui import FAMILY_ICONS, STATUS_ICONS
from subiteya.lib.admin import chip

FAMILY_NAMES = {
    Family.ATTENTION: _("Needs attention"),
    Family.YOURS: _("Your turn"),
    Family.WORKING: _("Working"),
    Family.WAITING: _("Waiting"),
    Family.QUEUED: _("Queued"),
    Family.DONE: _("Published"),
    Family.ENDED: _("Cancelled"),
}
JOB_FAMILIES = {
    JobStatus.QUEUED: Family.QUEUED,
    JobStatus.RUNNING: Family.WORKING,
    JobStatus.WAITING: Family.WAITING,
    JobStatus.HELD: Family.WAITING,
    JobStatus.PROCESSING: Family.WORKING,
    JobStatus.SUCCEEDED: Family.DONE,
    JobStatus.FAILED: Family.ATTENTION,
    JobStatus.ERRORED: Family.ATTENTION,
    JobStatus.CANCELLED: Family.ENDED,
}
UPLOAD_FAMILIES = {
    UploadState.INIT_SENT: Family.QUEUED,
    UploadState.INITIALISED: Family.QUEUED,
    UploadState.UPLOADING: Family.WORKING,
    UploadState.UNKNOWN: Family.ATTENTION,
    UploadState.PROCESSING: Family.WORKING,
    UploadState.COMPLETE: Family.DONE,
    UploadState.FAILED: Family.ATTENTION,
    UploadState.DEAD: Family.ENDED,
}
CIRCUIT_FAMILIES = {
    CircuitState.CLOSED: Family.DONE,
    CircuitState.OPEN: Family.WAITING,
    CircuitState.HALF_OPEN: Family.WORKING,
    CircuitState.ISOLATED: Family.ATTENTION,
}
ASSET_FAMILIES = {
    AssetStatus.PENDING: Family.WORKING,
    AssetStatus.READY: Family.DONE,
    AssetStatus.REFUSED: Family.ATTENTION,
}
TRACK_FAMILIES = {
    TrackStatus.PENDING: Family.WORKING,
    TrackStatus.READY: Family.DONE,
    TrackStatus.FAILED: Family.ATTENTION,
}


def video_chip(status: str) -> SafeString:
    known = VideoStatus(status)
    return chip(FAMILY_OF[known], STATUS_ICONS.get(known, FAMILY_ICONS[FAMILY_OF[known]]), known.label)


def job_chip(status: str) -> SafeString:
    known = JobStatus(status)
    return _chip(JOB_FAMILIES[known], known.label)


def upload_chip(state: str) -> SafeString:
    known = UploadState(state)
    return _chip(UPLOAD_FAMILIES[known], known.label)


def circuit_chip(state: str) -> SafeString:
    known = CircuitState(state)
    return _chip(CIRCUIT_FAMILIES[known], known.label)


def asset_chip(status: str) -> SafeString:
    known = AssetStatus(status)
    return _chip(ASSET_FAMILIES[known], known.label)


def track_chip(status: str) -> SafeString:
    known = TrackStatus(status)
    return _chip(TRACK_FAMILIES[known], known.label)


def _chip(family: Family, label: object) -> SafeString:
    return chip(family, FAMILY_ICONS[family], label)
