"""What TikTok, or the way to it, can refuse.

TikTokError
├── TikTokUnavailable      network, time-out, 5xx, internal_error
│   └── BadAnswer          not JSON, too large, or a field is missing
├── RateLimited            429; `retry_after` seconds when TikTok says
├── TokenInvalid           the access token is not accepted
├── ScopeMissing           the person did not grant what the call needs
├── AccountBanned          the creator may not post
├── QuotaReached           a cap of the day; `app_wide` when it is the whole app's
├── ContentRefused         what we sent, or the settings of the account, do not fit
├── UploadExpired          403 on a part: the address ran out
├── UploadGone             404 on a part
├── UploadRejected         400 on a part
├── RangeMismatch          416 on a part; `uploaded_bytes` as TikTok reports it
├── HostNotAllowed         an upload address outside the allowlist
├── LocalFailure           the file that we send cannot be read, or became shorter
├── UnknownRefusal         a code that this library does not know
└── OAuthError             the token endpoint refused
    └── InvalidGrant       the code or refresh token is not accepted
"""

from __future__ import annotations

import re
from enum import StrEnum


class FailureClass(StrEnum):
    """What a failure says about the account: see docs/architecture.md."""

    COUNT = "count"
    NEUTRAL = "neutral"
    CONTENT = "content"
    QUOTA = "quota"
    AUTH = "auth"


class TikTokError(Exception):
    """TikTok refused a request. `code` and `log_id` are TikTok's own; the text never holds a secret."""

    retryable = False
    breaker = FailureClass.COUNT
    #: The class's name in snake case: what metrics call this kind of failure.
    reason = "tiktok_error"

    def __init_subclass__(cls) -> None:
        cls.reason = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__.replace("TikTok", "")).lower()

    def __init__(
        self, code: str, message: str = "", *, log_id: str = "", status: int = 0, retry_after: float | None = None
    ) -> None:
        self.code, self.message, self.log_id, self.status = code, message, log_id, status
        self.retry_after = retry_after
        super().__init__(f"{code}: {message} (status={status}, log_id={log_id})")


class TikTokUnavailable(TikTokError):
    retryable = True


class BadAnswer(TikTokUnavailable):
    """TikTok answered something that cannot be read."""


class RateLimited(TikTokError):
    retryable = True
    breaker = FailureClass.NEUTRAL


class TokenInvalid(TikTokError):
    breaker = FailureClass.AUTH


class ScopeMissing(TikTokError):
    breaker = FailureClass.AUTH


class AccountBanned(TikTokError):
    breaker = FailureClass.AUTH


class QuotaReached(TikTokError):
    breaker = FailureClass.QUOTA

    @property
    def app_wide(self) -> bool:
        return self.code == "reached_active_user_cap"


class ContentRefused(TikTokError):
    breaker = FailureClass.CONTENT


class UploadExpired(TikTokError):
    breaker = FailureClass.NEUTRAL


class UploadGone(TikTokError):
    breaker = FailureClass.COUNT


class UploadRejected(TikTokError):
    breaker = FailureClass.CONTENT


class RangeMismatch(TikTokError):
    """`uploaded_bytes` is TikTok's figure, a count or a last index; None when it gave none."""

    retryable = True
    breaker = FailureClass.NEUTRAL

    def __init__(self, *, uploaded_bytes: int | None, log_id: str = "") -> None:
        self.uploaded_bytes = uploaded_bytes
        super().__init__("range_mismatch", "the range is not the real progress", status=416, log_id=log_id)


class HostNotAllowed(TikTokError):
    breaker = FailureClass.CONTENT


class LocalFailure(TikTokError):
    """Our own side broke while a part was sent: says nothing about TikTok or the account."""

    retryable = True
    breaker = FailureClass.NEUTRAL


class UnknownRefusal(TikTokError):
    """Counts for the breaker, but is never repeated by itself."""


class OAuthError(TikTokError):
    """The token endpoint refused. `code` is OAuth's `error`."""


class InvalidGrant(OAuthError):
    """The code or the refresh token is spent, revoked or unknown."""

    breaker = FailureClass.AUTH


#: TikTok's codes of JSON calls (tiktok-api-v2-error-handling and each call's reference page).
CODES: dict[str, type[TikTokError]] = {
    "access_token_invalid": TokenInvalid,
    "scope_not_authorized": ScopeMissing,
    "scope_permission_missed": ScopeMissing,
    "rate_limit_exceeded": RateLimited,
    "invalid_params": ContentRefused,
    "invalid_param": ContentRefused,
    "spam_risk_too_many_posts": QuotaReached,
    "spam_risk_too_many_pending_share": QuotaReached,
    "reached_active_user_cap": QuotaReached,
    "spam_risk_user_banned_from_posting": AccountBanned,
    "unaudited_client_can_only_post_to_private_accounts": ContentRefused,
    "privacy_level_option_mismatch": ContentRefused,
    "url_ownership_unverified": ContentRefused,
    "spam_risk_text": ContentRefused,
    "spam_risk": ContentRefused,
    "invalid_publish_id": ContentRefused,
    "token_not_authorized_for_specified_publish_id": ContentRefused,
    "internal_error": TikTokUnavailable,
}
KNOWN_CODES = frozenset(CODES)


class FailReason:
    """What a `fail_reason` of status/fetch means: its class, and whether the same file may pass later."""

    __slots__ = ("breaker", "retryable")

    def __init__(self, breaker: FailureClass, *, retryable: bool) -> None:
        self.breaker, self.retryable = breaker, retryable


_CONTENT = FailReason(FailureClass.CONTENT, retryable=False)
FAIL_REASONS: dict[str, FailReason] = {
    "file_format_check_failed": _CONTENT,
    "duration_check_failed": _CONTENT,
    "frame_rate_check_failed": _CONTENT,
    "picture_size_check_failed": _CONTENT,
    "internal": FailReason(FailureClass.COUNT, retryable=True),
    "video_pull_failed": FailReason(FailureClass.NEUTRAL, retryable=True),
    "publish_cancelled": FailReason(FailureClass.NEUTRAL, retryable=False),
    "auth_removed": FailReason(FailureClass.AUTH, retryable=False),
    "spam_risk_too_many_posts": FailReason(FailureClass.QUOTA, retryable=True),
    "spam_risk_too_many_pending_share": FailReason(FailureClass.QUOTA, retryable=True),
    "spam_risk_user_banned_from_posting": FailReason(FailureClass.AUTH, retryable=False),
    "spam_risk_text": _CONTENT,
    "spam_risk": _CONTENT,
}
KNOWN_FAIL_REASONS = frozenset(FAIL_REASONS)


def classify_fail_reason(reason: str) -> FailReason:
    """An unknown reason counts, and is not repeated by itself."""
    return FAIL_REASONS.get(reason, FailReason(FailureClass.COUNT, retryable=False))


def error_for(
    code: str, message: str = "", *, log_id: str = "", status: int = 0, retry_after: float | None = None
) -> TikTokError:
    """The error of an answer whose `error.code` is not "ok"."""
    kind = CODES.get(code)
    if kind is None:
        kind = TikTokUnavailable if status >= 500 else RateLimited if status == 429 else UnknownRefusal
    return kind(code, message, log_id=log_id, status=status, retry_after=retry_after)
