"""Is this a post that the account has already, or two at the same hour? Said before anything is sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Case, F, Q, Value, When, Window
from django.db.models.functions import RowNumber
from django.utils import timezone
from django.utils.translation import gettext

from publishing.clocks import moment
from publishing.models import Video
from publishing.states import FAMILIES, Family, VideoStatus

#: Two posts of one account that are nearer than this are the same hour.
NEAR = timedelta(minutes=30)
#: A video in one of these went out, or may still go out.
COUNTING = sorted(set(VideoStatus.values) - FAMILIES[Family.ENDED] - FAMILIES[Family.ATTENTION]) + ["unconfirmed"]


class DuplicateKind(StrEnum):
    FILE = "file"
    HOUR = "hour"


@dataclass(frozen=True, kw_only=True)
class Duplicate:
    """`other` is the video that the account has already."""

    kind: DuplicateKind
    other: Video

    @property
    def sentence(self) -> str:
        status = VideoStatus(self.other.status).label
        at = moment(_moment(self.other), self.other.time_zone)
        words = {
            DuplicateKind.FILE: gettext("%(account)s has this very file already: %(status)s, %(at)s."),
            DuplicateKind.HOUR: gettext("%(account)s has another video near that hour: %(status)s, %(at)s."),
        }[self.kind]
        return words % {"account": self.other.account, "status": status, "at": at}


def duplicates_of(drafts: Sequence[Video], *, key: str = "") -> dict[int, list[Duplicate]]:
    """`{account pk: duplicates}` of one submission's videos, in one query; the same file counts before the hour.

    `key` is the submission's own: what it wrote already is no duplicate of it.
    """
    found: dict[int, list[Duplicate]] = defaultdict(list)
    if not drafts:
        return {}
    sha256 = drafts[0].batch.source.sha256
    at = drafts[0].scheduled_at or timezone.now()
    near = (at - NEAR, at + NEAR)
    hour = Q(posted_at__range=near) | Q(posted_at=None, scheduled_at__range=near)
    hour |= Q(posted_at=None, scheduled_at=None, created_at__range=near)
    rows = Video.objects.filter(account__in=[draft.account_id for draft in drafts], status__in=COUNTING)
    rows = rows.exclude(batch__submission_key=key) if key else rows
    same = Q(batch__source__sha256=sha256)
    is_file = Case(When(same, then=Value(1)), default=Value(0))
    newest = Window(RowNumber(), partition_by=[F("account"), is_file], order_by=F("pk").desc())
    rows = rows.filter(same | hour).annotate(newest=newest).select_related("account", "batch__source")
    for other in rows.filter(Q(newest=1)).order_by(is_file.desc(), "pk"):
        kind = DuplicateKind.FILE if other.batch.source.sha256 == sha256 else DuplicateKind.HOUR
        found[other.account_id].append(Duplicate(kind=kind, other=other))
    return dict(found)


def _moment(video: Video) -> datetime:
    return video.posted_at or video.scheduled_at or video.created_at
