"""The result of each direct post, and TikTok's dated counts of it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Sector, TikTokAccount
from publishing.models import Video
from publishing.states import SUBTITLE_VARIANTS, SubtitleAssignment, SubtitleChoice


class Outcome(models.TextChoices):
    """What became of a publication within a day of its hour. Only `published` and `failed` are compared."""

    IN_FLIGHT = "in_flight", _("Its day is not over")
    PUBLISHED = "published", _("Published in time")
    FAILED = "failed", _("Not published in time")
    CANCELLED = "cancelled", _("Cancelled by a person")


class Publication(models.Model):
    """A direct post as it was submitted: the unit of both reports. Retries and corrections are the same unit.

    Account, sector, arm and hour are those of the submission and never change (intention to treat). The outcome
    is decided when 24 hours have passed since `due_at`, for successes too: else early successes would be counted
    before the failures of the same day.
    """

    video = models.OneToOneField(
        Video, models.CASCADE, primary_key=True, related_name="publication", verbose_name=_("video")
    )
    account = models.ForeignKey(TikTokAccount, models.PROTECT, related_name="publications", verbose_name=_("account"))
    sector = models.ForeignKey(Sector, models.PROTECT, related_name="publications", verbose_name=_("sector"))
    arm = models.CharField(max_length=8, choices=SubtitleChoice.choices, verbose_name=_("subtitles"))
    assignment = models.CharField(
        max_length=8, choices=SubtitleAssignment.choices, default=SubtitleAssignment.PERSON,
        verbose_name=_("who chose"),
    )  # fmt: skip
    due_at = models.DateTimeField(help_text=_("the hour it was submitted for"), verbose_name=_("due"))
    outcome = models.CharField(
        max_length=12, choices=Outcome.choices, default=Outcome.IN_FLIGHT, verbose_name=_("outcome")
    )
    has_failed = models.BooleanField(
        default=False, help_text=_("it needed a person at least once"), verbose_name=_("has failed")
    )
    posted_at = models.DateTimeField(null=True, blank=True, verbose_name=_("published"))
    #: TikTok's latest counts; null while it has told none.
    views = models.PositiveBigIntegerField(null=True, blank=True, verbose_name=_("views"))
    likes = models.PositiveBigIntegerField(null=True, blank=True, verbose_name=_("likes"))
    comments = models.PositiveBigIntegerField(null=True, blank=True, verbose_name=_("comments"))
    shares = models.PositiveBigIntegerField(null=True, blank=True, verbose_name=_("shares"))
    counted_at = models.DateTimeField(null=True, blank=True, verbose_name=_("counted"))
    next_count_at = models.DateTimeField(null=True, blank=True, verbose_name=_("next count"))
    #: Posts of different ages are compared by their views at the same age.
    settled_views = models.PositiveBigIntegerField(null=True, blank=True, verbose_name=_("views after three days"))
    median_views = models.FloatField(
        null=True, blank=True, help_text=_("of the account's posts of the 90 days before"),
        verbose_name=_("the account's median"),
    )  # fmt: skip
    is_hit = models.BooleanField(null=True, blank=True, verbose_name=_("above the median"))

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("publication")
        verbose_name_plural = _("publications")
        constraints = [
            models.CheckConstraint(condition=Q(arm__in=SUBTITLE_VARIANTS), name="publication_arm_known"),
            models.CheckConstraint(
                condition=Q(assignment__in=SubtitleAssignment.values), name="publication_assignment_known"
            ),
            models.CheckConstraint(condition=Q(outcome__in=Outcome.values), name="publication_outcome_known"),
            models.CheckConstraint(
                condition=Q(is_hit__isnull=True) | Q(settled_views__isnull=False, median_views__isnull=False),
                name="publication_hit_has_counts",
            ),
        ]
        indexes = [
            # the posts of a sector in 30 days are counted, and its latest found, by this index alone
            models.Index(fields=["sector", "posted_at"], name="publication_sector_posted"),
            models.Index(fields=["due_at", "account", "arm", "outcome"], name="publication_report"),
            models.Index(fields=["outcome", "due_at"], name="publication_open", condition=Q(outcome="in_flight")),
            models.Index(fields=["account", "posted_at"], name="publication_account_posted"),
            models.Index(
                fields=["next_count_at"], name="publication_count_due", condition=Q(next_count_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}".capitalize()


class CountSnapshot(models.Model):
    """TikTok's counts of one post at one moment (video/query); append-only."""

    publication = models.ForeignKey(
        Publication, models.CASCADE, related_name="snapshots", verbose_name=_("publication")
    )
    taken_at = models.DateTimeField(verbose_name=_("when"))
    views = models.PositiveBigIntegerField(verbose_name=_("views"))
    likes = models.PositiveBigIntegerField(verbose_name=_("likes"))
    comments = models.PositiveBigIntegerField(verbose_name=_("comments"))
    shares = models.PositiveBigIntegerField(verbose_name=_("shares"))

    class Meta:
        ordering = ["taken_at", "pk"]
        verbose_name = _("count snapshot")
        verbose_name_plural = _("count snapshots")
        constraints = [models.UniqueConstraint(fields=["publication", "taken_at"], name="snapshot_once")]

    def __str__(self) -> str:
        return f"{self.publication_id} {self.taken_at:%Y-%m-%d %H:%M}"


class AccountCounts(models.Model):
    """How asking for an account's counts goes: nothing is asked before `next_at`."""

    account = models.OneToOneField(
        TikTokAccount, models.CASCADE, primary_key=True, related_name="counts", verbose_name=_("account")
    )
    asked_at = models.DateTimeField(null=True, blank=True, verbose_name=_("asked"))
    next_at = models.DateTimeField(null=True, blank=True, verbose_name=_("not before"))
    failures = models.PositiveIntegerField(default=0, verbose_name=_("failures in a row"))
    code = models.CharField(max_length=64, blank=True, verbose_name=_("cause code"))

    class Meta:
        verbose_name = _("count refresh")
        verbose_name_plural = _("count refreshes")

    def __str__(self) -> str:
        return str(self.account)
