"""What is published: the rows that every other module reads and writes."""

from publishing.models.asset import Asset, AssetCopy, AssetKind, AssetStatus, SubtitleTrack, TrackStatus
from publishing.models.batch import Batch
from publishing.models.brand import AccountBrand, BrandPattern
from publishing.models.circuit import AccountCircuit, CircuitEvent, CircuitEventKind, TikTokOutage
from publishing.models.job import Job, JobEvent, Leadership, Render
from publishing.models.upload import UploadSession, WebhookReceipt
from publishing.models.video import Video, VideoEvent

__all__ = [
    "AccountBrand",
    "AccountCircuit",
    "Asset",
    "AssetCopy",
    "AssetKind",
    "AssetStatus",
    "Batch",
    "BrandPattern",
    "CircuitEvent",
    "CircuitEventKind",
    "Job",
    "JobEvent",
    "Leadership",
    "Render",
    "SubtitleTrack",
    "TikTokOutage",
    "TrackStatus",
    "UploadSession",
    "Video",
    "VideoEvent",
    "WebhookReceipt",
]
