"""What an act does to one video, said before it is done. No query per video."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext

from publishing.clocks import moment
from publishing.models import Video, WorkingAsset, WorkingKind
from publishing.states import HELD_BY_PERSON, ActKind, Family, VideoStatus


def kept_sources(videos: Iterable[Video]) -> set[int]:
    """The keys of the sources that an edit finds without a download, in one query."""
    sources = {video.batch.source for video in videos}
    kept = WorkingAsset.objects.filter(
        kind=WorkingKind.SOURCE, key__in=[source.sha256 for source in sources], expires_at__gt=timezone.now()
    )
    shas = set(kept.values_list("key", flat=True))
    return {source.pk for source in sources if source.bucket_path is not None or source.sha256 in shas}


def effect_words(kind: ActKind, video: Video, *, at: datetime | None = None, kept: bool = False) -> str:
    """What `kind` does to `video`, as a sentence. `at`: its new time. `kept`: its file need not be downloaded."""
    match kind:
        case ActKind.RETRY:
            return _retry(video, kept=kept)
        case ActKind.HOLD:
            return _hold(video)
        case ActKind.RELEASE:
            return _release(video)
        case ActKind.RESCHEDULE:
            return _reschedule(video, at or timezone.now())
        case ActKind.CANCEL:
            return _cancel(video)
        case ActKind.APPROVE:
            return _approve(video)


def _retry(video: Video, *, kept: bool) -> str:
    if video.approval_due:
        return gettext("It waits for an approval.")
    if video.edited_id is not None and video.reason_code != "edited_missing":
        words = gettext("It is uploaded again; it is not edited again.")
    elif kept:
        words = gettext("It is edited again; it is not downloaded again.")
    else:
        words = gettext("It is edited again, and its file is fetched again.")
    if _waits(video):
        return f"{words} {_goes_out(video)}"
    at_once = gettext("It goes out at once.")
    return f"{words} {at_once}" if video.status == VideoStatus.MISSED else words


def _approve(video: Video) -> str:
    if _waits(video):
        return _goes_out(video)
    return gettext("It goes out now.") if video.edited_id else gettext("It is edited and goes out.")


def _hold(video: Video) -> str:
    if video.status == VideoStatus.EDITING:
        return gettext("The edit stops; it does not go out until somebody lets it go.")
    if video.status == VideoStatus.UPLOADING:
        return gettext("The upload stops and nothing of it stays at TikTok; it waits until somebody lets it go.")
    return gettext("It does not go out until somebody lets it go.")


def _release(video: Video) -> str:
    if video.approval_due:
        return gettext("It waits for an approval.")
    if _waits(video):
        return _goes_out(video)
    if video.scheduled_at:
        passed = gettext("It goes out now: its hour was %(at)s.")
        return passed % {"at": moment(video.scheduled_at, video.time_zone)}
    return gettext("It goes on now.")


def _reschedule(video: Video, at: datetime) -> str:
    words = {"at": moment(at, video.time_zone)}
    if video.status == VideoStatus.HELD and video.reason_code == HELD_BY_PERSON:
        return gettext("Its hour becomes %(at)s; it stays held until somebody lets it go.") % words
    if video.approval_due:
        return gettext("Its hour becomes %(at)s, if it is approved by then.") % words
    return gettext("It goes out %(at)s.") % words


def _cancel(video: Video) -> str:
    if video.family == Family.WORKING:
        return gettext("The work stops and nothing goes out.")
    if video.family == Family.ATTENTION:
        return gettext("It is discarded; nothing goes out.")
    return gettext("Nothing goes out.")


def _waits(video: Video) -> bool:
    """Is its hour still to come?"""
    missed = video.status == VideoStatus.MISSED
    return not missed and video.scheduled_at is not None and video.scheduled_at > timezone.now()


def _goes_out(video: Video) -> str:
    assert video.scheduled_at is not None, "only asked of videos with an hour"
    return gettext("It goes out %(at)s.") % {"at": moment(video.scheduled_at, video.time_zone)}
