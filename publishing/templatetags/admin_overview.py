"""The admin's front page: its models in the order in which people look for them, and what there is to look at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import template
from django.db.models import Count
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import AccountStatus, TikTokAccount
from publishing.admin.words import FAMILY_NAMES, JOB_FAMILIES
from publishing.models import Job, Video
from publishing.selectors.videos import family_counts
from publishing.states import Family
from publishing.templatetags.ui import FAMILY_ICONS

register = template.Library()

GROUPS: tuple[tuple[str | Promise, tuple[str, ...]], ...] = (
    (_("Publishing"), ("Video", "Batch", "Job", "UploadSession")),
    (_("TikTok accounts"), ("TikTokAccount", "OAuthToken", "Sector")),
    (_("How videos look"), ("BrandPattern", "AccountBrand", "SubtitleTrack")),
    (_("People"), ("User", "Group")),
    (_("Files"), ("Asset", "WorkingAsset", "Render")),
    (
        _("What happened"),
        ("VideoEvent", "JobEvent", "AccountEvent", "WebhookReceipt", "OAuthAttempt", "Leadership"),
    ),
    (
        _("Monitoring"),
        (
            "Alert",
            "AlertDelivery",
            "TikTokFailure",
            "WorkerHeartbeat",
            "ApiKey",
            "DailyPeak",
            "Span",
            "CounterTotal",
            "CounterDelta",
            "SummaryTotal",
            "SummaryDelta",
            "Notice",
            "NoticeCopy",
            "NoticeMessage",
            "NoticePreferences",
        ),
    ),
)


@register.filter
def admin_groups(app_list: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The admin's list of apps as groups with a name and models; a model that no group names comes last."""
    left = {model["object_name"]: model for app in app_list for model in app["models"]}
    groups = [
        {"name": name, "models": [left.pop(wanted) for wanted in names if wanted in left]} for name, names in GROUPS
    ]
    groups.append({"name": _("Other"), "models": list(left.values())})
    return [group for group in groups if group["models"]]


@dataclass(frozen=True)
class Figure:
    """One number of the front page, in the colour of its family, and the list that it counts."""

    name: str
    count: int
    url: str
    family: str
    icon: str


@register.simple_tag(takes_context=True)
def admin_overview(context: template.Context) -> list[tuple[str, list[Figure]]]:
    """Title and figures of each panel that this person may look into."""
    user = context["request"].user
    panels = (
        ("publishing.view_video", gettext("Videos"), _videos),
        ("publishing.view_job", gettext("Jobs"), _jobs),
        ("accounts.view_tiktokaccount", gettext("TikTok accounts"), _accounts),
    )
    return [(title, list(figures())) for permission, title, figures in panels if user.has_perm(permission)]


def _videos() -> Iterator[Figure]:
    url = reverse("admin:publishing_video_changelist")
    counts = family_counts(Video.objects.all())
    for family, name in FAMILY_NAMES.items():
        yield _figure(str(name), counts[family], f"{url}?family={family}", family)


def _jobs() -> Iterator[Figure]:
    url = reverse("admin:publishing_job_changelist")
    counts = dict(Job.objects.order_by().values_list("status").annotate(n=Count("pk")))
    for status, family in JOB_FAMILIES.items():
        yield _figure(str(status.label), counts.get(status, 0), f"{url}?status__exact={status}", family)


def _accounts() -> Iterator[Figure]:
    url = reverse("admin:accounts_tiktokaccount_changelist")
    counts = dict(TikTokAccount.objects.order_by().values_list("status").annotate(n=Count("pk")))
    for status, family in ((AccountStatus.DISCONNECTED, Family.ATTENTION), (AccountStatus.CONNECTED, Family.DONE)):
        yield _figure(str(status.label), counts.get(status, 0), f"{url}?status__exact={status}", family)


def _figure(name: str, count: int, url: str, family: Family) -> Figure:
    """Nothing there is nothing to be alarmed about: a zero stays quiet."""
    return Figure(name, count, url, family if count else Family.ENDED, FAMILY_ICONS[family])
