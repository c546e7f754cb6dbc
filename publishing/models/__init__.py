"""What is published: the rows that every other module reads and writes."""

from publishing.models.act import UNDO_FOR, Act, ActItem
from publishing.models.asset import Asset, AssetKind, AssetStatus, SubtitleTrack, TrackStatus
from publishing.models.batch import Batch
from publishing.models.brand import AccountBrand, BrandPattern
from publishing.models.circuit import AccountCircuit, CircuitEvent, CircuitEventKind, TikTokOutage
from publishing.models.creator import CreatorLimits
from publishing.models.draw import SubtitleDraw
from publishing.models.filter import SavedFilter
from publishing.models.heartbeat import WorkerHeartbeat, WorkerKind
from publishing.models.intake import Intake, IntakeState
from publishing.models.job import Job, JobEvent, Leadership, Render
from publishing.models.upload import UploadSession, WebhookReceipt
from publishing.models.video import Video, VideoEvent
from publishing.models.working import WorkingAsset, WorkingKind

__all__ = [
    "UNDO_FOR",
    "AccountBrand",
    "AccountCircuit",
    "Act",
    "ActItem",
    "Asset",
    "AssetKind",
    "AssetStatus",
    "Batch",
    "BrandPattern",
    "CircuitEvent",
    "CircuitEventKind",
    "CreatorLimits",
    "Intake",
    "IntakeState",
    "Job",
    "JobEvent",
    "Leadership",
    "Render",
    "SavedFilter",
    "SubtitleDraw",
    "SubtitleTrack",
    "TikTokOutage",
    "TrackStatus",
    "UploadSession",
    "Video",
    "VideoEvent",
    "WebhookReceipt",
    "WorkerHeartbeat",
    "WorkerKind",
    "WorkingAsset",
    "WorkingKind",
]
