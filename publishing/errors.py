"""What the services raise. Each error carries a code of the catalogue in `publishing.causes`."""

from __future__ import annotations

from typing import Any

from publishing.causes import sentence
from subiteya.tiktok import FailureClass


class PublishingError(Exception):
    """An expected failure: `code` and `detail` are the catalogue's, str() is a sentence for a person."""

    def __init__(self, code: str, detail: dict[str, Any] | None = None) -> None:
        self.code = code
        self.detail = detail or {}
        super().__init__(code)

    def __str__(self) -> str:
        return sentence(self.code, self.detail)


class IngestRefused(PublishingError):
    """The file is not taken."""


class TrackRefused(PublishingError):
    """These subtitles cannot be made or stored."""


class NotPossible(PublishingError):
    """The row's state does not allow this action."""


class StepFailed(PublishingError):
    """A worker's step failed for a reason that a person can understand; `retryable`: again may help."""

    def __init__(self, code: str, detail: dict[str, Any] | None = None, *, retryable: bool = False) -> None:
        super().__init__(code, detail)
        self.retryable = retryable


class TikTokFailure(Exception):
    """An attempt ended at TikTok's side, not with an error of the client; `breaker`: what that says of the account."""

    def __init__(self, code: str, breaker: FailureClass, **detail: Any) -> None:
        self.code, self.breaker, self.detail = code, breaker, detail
        super().__init__(code)


class SessionOver(TikTokFailure):
    """This `publish_id` can never complete; a new one may be started."""


class FirstLookFailed(TikTokFailure):
    """The file went through, but TikTok's first answer about it is not good; its polls decide about the video."""


class StateConflict(Exception):
    """Another process moved the row first; whoever sees this does nothing more."""


class LeaseLost(Exception):
    """The job is somebody else's now: stop at once and write nothing."""
