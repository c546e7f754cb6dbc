"""The faults that TikTok's stand-in is told to have: each passes by itself, and none asks for a person."""

from __future__ import annotations

import random
from typing import Any

from publishing.chaos.verdict import REJECTION

CALLS = ("init", "chunk", "status", "creator_info")
#: Weight, kind, the calls it may strike, fixed parameters.
MENU: tuple[tuple[int, str, tuple[str, ...], dict[str, Any]], ...] = (
    (4, "drop_before", CALLS, {}),
    (5, "drop_after", CALLS, {}),
    (2, "drop_midway", ("chunk",), {}),
    (2, "stall", CALLS, {"seconds": 3}),
    (3, "stall_after", CALLS, {"seconds": 3}),
    (2, "slow", ("chunk",), {"bytes_per_second": 2_000_000}),
    (3, "refuse", CALLS, {"http_status": 503, "code": "internal_error"}),
    (2, "refuse", ("init", "status", "creator_info"),
     {"http_status": 429, "code": "rate_limit_exceeded", "retry_after": 2}),
    (1, "refuse", ("chunk",), {"http_status": 416, "code": "range"}),
    (2, "wrong_range", ("chunk",), {}),
    (3, "expire_url", ("chunk",), {}),
    (2, "post_failed", ("post",), {"fail_reason": "internal"}),
)  # fmt: skip
MOST_TIMES = 2


def pick_fault(rng: random.Random) -> dict[str, Any]:
    """The body of a fault, as the sandbox's interface takes it."""
    _weight, kind, calls, params = rng.choices(MENU, weights=[entry[0] for entry in MENU])[0]
    return {"kind": kind, "endpoint": rng.choice(calls), "times": rng.randint(1, MOST_TIMES), **params}


def rejection() -> dict[str, Any]:
    """Moderation turns one video down for good: an expected rejection."""
    return {"kind": "post_failed", "fail_reason": REJECTION}
