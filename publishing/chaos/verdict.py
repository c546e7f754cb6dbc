"""The verdict: what was submitted, what our rows say, what TikTok's ledger says, and whether the three agree."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from publishing.states import VIDEO_TERMINAL, VideoStatus

#: Causes that the injected faults give; a video that failed for one of them did not fail for a reason of ours.
FAULT_CODES = frozenset(
    {
        "bad_answer", "internal", "internal_error", "range_mismatch", "rate_limit_exceeded", "unavailable",
        "upload_cut", "upload_expired", "upload_gone",
    }
)  # fmt: skip
#: What the injected moderation says; such a rejection is expected.
REJECTION = "spam_risk"
#: A post that TikTok took whole and has not turned down: it is public, or may become so.
TURNED_DOWN = "FAILED"


@dataclass(frozen=True, order=True)
class Asked:
    """One submitted video. No other has the same caption on the same account."""

    username: str
    caption: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """What our database says of a video. `publish_ids` are those of all its upload sessions."""

    pk: int
    asked: Asked
    status: str
    code: str = ""
    edited_sha256: str = ""
    publish_ids: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Post:
    """A row of the sandbox's ledger; `arrived`: every byte was accepted (201)."""

    publish_id: str
    asked: Asked
    status: str
    arrived: bool
    sha256: str = ""

    @property
    def counts(self) -> bool:
        """Whether people see it, or may come to see it."""
        return self.arrived and self.status != TURNED_DOWN


@dataclass(frozen=True, kw_only=True)
class Left:
    """What lies about after the stop, as words for a person."""

    work: Sequence[str] = ()
    bucket: Sequence[str] = ()
    processes: Sequence[str] = ()

    def __iter__(self) -> Any:
        yield from (*self.work, *self.bucket, *self.processes)


@dataclass
class Verdict:
    """Counts by outcome, and one finding per thing that is wrong or wants an explanation."""

    submitted: int = 0
    posted: int = 0
    rejected: int = 0
    unconfirmed: int = 0
    failed: int = 0
    lost: int = 0
    double_posted: int = 0
    byte_mismatches: int = 0
    temp_leaks: int = 0
    findings: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.double_posted or self.byte_mismatches or self.temp_leaks)

    def find(self, kind: str, **values: Any) -> None:
        self.findings.append({"kind": kind, **values})


def judge(*, asked: Iterable[Asked], rows: Iterable[Row], posts: Iterable[Post], left: Left) -> Verdict:
    """Compare the three. Posts are matched to videos by publish_id and by caption: either is enough."""
    wanted, known, posts = set(asked), {row.asked: row for row in rows}, list(posts)
    verdict = Verdict(submitted=len(wanted))
    by_video, strangers = _matched(posts, known)
    for one in sorted(wanted - known.keys()):
        verdict.lost += 1
        verdict.find("lost", why="there is no row", caption=one.caption, account=one.username)
    for row in known.values():
        mine = by_video[row.pk]
        _judge_row(verdict, row, mine)
        _judge_posts(verdict, row, [post for post in mine if post.counts])
    for post in strangers:
        verdict.double_posted += 1
        verdict.find("double_posted", why="nobody asked for it", publish_id=post.publish_id, caption=post.asked.caption)
    for what in left:
        verdict.temp_leaks += 1
        verdict.find("temp_leak", what=what)
    return verdict


def _matched(posts: Sequence[Post], known: Mapping[Asked, Row]) -> tuple[Mapping[int, list[Post]], list[Post]]:
    """(posts by video, those that count and belong to none). One that fits two videos is counted for both."""
    by_id = {publish_id: row.pk for row in known.values() for publish_id in row.publish_ids}
    by_video: dict[int, list[Post]] = defaultdict(list)
    strangers = []
    for post in posts:
        owners = {by_id.get(post.publish_id)} | {row.pk for row in [known.get(post.asked)] if row}
        owners.discard(None)
        for pk in owners:
            by_video[pk or 0].append(post)
        if not owners and post.counts:
            strangers.append(post)
    return by_video, strangers


def _judge_row(verdict: Verdict, row: Row, mine: Sequence[Post]) -> None:
    """Count the outcome; lost when it is none, or ours, or contradicts the ledger."""
    why = _lost_because(row, mine)
    if why:
        verdict.lost += 1
        verdict.find("lost", why=why, **_named(row, mine))
    elif row.status == VideoStatus.POSTED:
        verdict.posted += 1
    elif row.status == VideoStatus.REJECTED:
        verdict.rejected += 1
    elif row.status == VideoStatus.UNCONFIRMED:
        verdict.unconfirmed += 1
        verdict.find("unconfirmed", **_named(row, mine))
    else:
        verdict.failed += 1
        verdict.find("failed", **_named(row, mine))


def _lost_because(row: Row, mine: Sequence[Post]) -> str:
    """Why this video is lost; empty when it is not."""
    is_out = any(post.counts for post in mine)
    match VideoStatus(row.status):
        case status if status not in VIDEO_TERMINAL:
            return "it never ended"
        case VideoStatus.POSTED:
            return "" if is_out else "posted with us, not at TikTok"
        case VideoStatus.UNCONFIRMED:
            return ""
        case _ if is_out:
            return "at TikTok, not posted with us"
        case VideoStatus.REJECTED:
            return "" if row.code == REJECTION else "rejected for a reason that nobody injected"
        case VideoStatus.FAILED_UPLOAD:
            return "" if row.code in FAULT_CODES else "failed for a reason of ours"
        case _:
            return "ended in a way that nobody asked for"


def _judge_posts(verdict: Verdict, row: Row, out: Sequence[Post]) -> None:
    if len(out) > 1:
        verdict.double_posted += 1
        verdict.find("double_posted", why="more than one post", **_named(row, out))
    for post in out:
        if post.sha256 != row.edited_sha256:
            verdict.byte_mismatches += 1
            verdict.find("byte_mismatch", **_named(row, [post]))


def _named(row: Row, posts: Sequence[Post]) -> dict[str, Any]:
    return {
        "video": row.pk,
        "status": row.status,
        "code": row.code,
        "posts": dict(Counter(f"{post.publish_id} {post.status}{'' if post.arrived else ' (cut)'}" for post in posts)),
    }
