"""The names of TikTok's calls, for those who watch them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from enum import StrEnum


class Endpoint(StrEnum):
    """One name per call: short, stable, and without anything of a person in it."""

    CREATOR_INFO = "creator_info"
    VIDEO_INIT = "video_init"
    INBOX_INIT = "inbox_init"
    UPLOAD = "upload"
    STATUS_FETCH = "status_fetch"
    USER_INFO = "user_info"
    VIDEO_LIST = "video_list"
    VIDEO_QUERY = "video_query"
    OAUTH_TOKEN = "oauth_token"  # noqa: S105
    OAUTH_REVOKE = "oauth_revoke"


#: Wraps every call: entered before it is sent, left with its error (a TikTokError) or without one.
Watch = Callable[[Endpoint], AbstractContextManager[object]]


def unwatched(_endpoint: Endpoint) -> AbstractContextManager[None]:
    """Nobody watches."""
    return nullcontext()
