"""What can be turned on the sandbox: keys, lifetimes, speeds, and the readings that TikTok's pages leave open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True)
class SandboxSettings:
    """All settings; times in seconds, sizes in bytes, limits in calls per minute (0: no limit)."""

    client_key: str = "sandbox-client-key"
    client_secret: str = field(default="sandbox-client-secret", repr=False)
    app_name: str = "SubiteYa"
    #: A redirect_uri must be one of these or go on from one of these at a `/`, `:` or `?`.
    redirect_uris: tuple[str, ...] = ("http://127.0.0.1", "http://localhost")
    webhook_url: str = ""

    #: An unaudited app posts only SELF_ONLY, only to private accounts, for few people a day.
    audited: bool = True
    unaudited_user_cap: int = 5
    #: TikTok's delays: until PUBLISH_COMPLETE (grows with the file), then until the public post id.
    processing_seconds: float = 3.0
    moderation_seconds: float = 2.0

    code_seconds: float = 300.0
    access_token_seconds: int = 86_400
    refresh_token_seconds: int = 31_536_000
    #: rotate: a new refresh token kills the old; keep: the same again; empty: "" in its place.
    refresh: Literal["rotate", "keep", "empty"] = "rotate"
    pkce: Literal["any", "hex", "base64url"] = "any"
    #: TikTok's pages do not say whether a refused token call is HTTP 400 or 200.
    oauth_error_status: Literal[400, 200] = 400

    upload_url_seconds: float = 3600.0
    #: count: total_chunk_count = floor(video_size / chunk_size); size: chunk_size = floor(video_size / count).
    chunk_rule: Literal["count", "size"] = "count"
    #: What progress figures mean: the count of bytes stored, or the index of the last one.
    progress: Literal["count", "last_index"] = "count"
    post_id_shape: Literal["list", "single"] = "list"

    daily_post_cap: int = 15
    pending_share_cap: int = 5
    init_per_minute: int = 6
    creator_info_per_minute: int = 20
    status_per_minute: int = 30
    display_per_minute: int = 600

    #: Uploaded bytes kept on disk; older files go first, their ledger rows stay.
    retention_bytes: int = 2_000_000_000


CHOICES: dict[str, tuple[str | int, ...]] = {
    "refresh": ("rotate", "keep", "empty"),
    "pkce": ("any", "hex", "base64url"),
    "oauth_error_status": (400, 200),
    "chunk_rule": ("count", "size"),
    "progress": ("count", "last_index"),
    "post_id_shape": ("list", "single"),
}
#: Who we are is given at the start; everything else may change while the sandbox runs.
FIXED = frozenset({"client_key", "client_secret", "app_name", "redirect_uris"})
_DEFAULTS = SandboxSettings()
CHANGEABLE = tuple(f.name for f in fields(SandboxSettings) if f.name not in FIXED)


def changed(settings: SandboxSettings, values: Mapping[str, Any]) -> SandboxSettings:
    """`settings` with `values`, given as JSON types or as a form's strings. Raises ValueError naming the field."""
    return replace(settings, **{name: _parsed(name, value) for name, value in values.items()})


def public_view(settings: SandboxSettings) -> dict[str, Any]:
    """What may be changed while running, with its present value. Never the client secret."""
    return {name: getattr(settings, name) for name in CHANGEABLE}


def _parsed(name: str, value: Any) -> Any:
    if name not in CHANGEABLE:
        raise ValueError(f"{name}: unknown or fixed setting")
    try:
        if name in CHOICES:
            return next(choice for choice in CHOICES[name] if str(choice) == str(value))
        return _typed(getattr(_DEFAULTS, name), value)
    except (StopIteration, LookupError, TypeError, ValueError):
        raise ValueError(f"{name}: {value!r} does not fit") from None


def _typed(default: Any, value: Any) -> Any:
    if isinstance(default, bool):
        return {"true": True, "1": True, "on": True, "false": False, "0": False, "": False}[str(value).lower()]
    if isinstance(default, str):
        if not isinstance(value, str):
            raise TypeError(value)
        return value.strip()
    number = type(default)(value)
    if isinstance(value, bool) or number != number or not 0 <= number < 10**15:
        raise ValueError(value)
    return number
