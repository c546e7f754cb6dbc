"""What a retry would reuse and what it would do again, as far as the database tells."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.text import get_text_list
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from publishing.models import AccountBrand, Job, Render, TrackStatus, Video, WorkingAsset, WorkingKind
from publishing.states import JobKind, VideoStatus

#: Steps by their names in `RetryPlan`, as part of "Reused: …" and of "Done again: …".
REUSED = {"file": _("the file"), "subtitles": _("the subtitles"), "edit": _("the edited video")}
REPEATED = {
    "file": _("the download of the file"),
    "subtitles": _("the subtitles"),
    "edit": _("the edit"),
    "store": _("the storing of the edited video"),
    "upload": _("the upload"),
}


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """Names of steps, in their order: file, subtitles, edit, store, upload."""

    reused: tuple[str, ...]
    repeated: tuple[str, ...]


def retry_plan(video: Video) -> RetryPlan:
    """What `video_retry` would find done. What is not reached yet (the upload of a failed edit) is in neither list."""
    if video.edited_id is not None and video.reason_code != "edited_missing":
        return RetryPlan(("edit",), ("upload",))
    key = _render_key(video)
    if key and Render.objects.filter(key=key, asset__isnull=False).exists() and video.reason_code != "edited_missing":
        return RetryPlan(("edit",), ())
    kept = set(WorkingAsset.objects.kept_for(video).values_list("kind", flat=True))
    if key and WorkingKind.RENDER in kept:
        return RetryPlan(("edit",), ("store",))
    steps = {"file": video.batch.source.bucket_path is not None or WorkingKind.SOURCE in kept}
    if video.subtitles is not None:
        steps["subtitles"] = video.subtitles.status == TrackStatus.READY
    steps["edit"] = False
    return RetryPlan(
        tuple(step for step, done in steps.items() if done), tuple(step for step, done in steps.items() if not done)
    )


def _render_key(video: Video) -> str:
    """The key of the last edit that was begun; empty when the brand pattern has changed since: that is another edit."""
    job: Job | None = video.jobs.filter(kind=JobKind.EDIT).exclude(render_key="").order_by("-pk").first()
    if job is None:
        return ""
    changed = AccountBrand.objects.filter(
        account=video.account_id, pattern__updated_at__gt=job.started_at or job.created_at
    )
    return "" if changed.exists() else job.render_key


def retry_words(video: Video) -> str:
    """The plan as sentences: "Reused: the file and the subtitles. Done again: the edit."."""
    plan = retry_plan(video)
    is_first = video.status in {VideoStatus.MISSED, VideoStatus.CANCELLED}
    again = gettext("Still to do: %(steps)s.") if is_first else gettext("Done again: %(steps)s.")
    sentences = []
    if plan.reused:
        sentences.append(gettext("Reused: %(steps)s.") % {"steps": _list([str(REUSED[step]) for step in plan.reused])})
    if plan.repeated:
        sentences.append(again % {"steps": _list([str(REPEATED[step]) for step in plan.repeated])})
    return " ".join(sentences)


def _list(words: list[str]) -> str:
    return get_text_list(words, gettext("and"))
