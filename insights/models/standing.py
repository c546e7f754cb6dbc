"""Summaries of the days of topics across accounts, which the scheduler keeps; made anew from the rows at will."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Sector, TikTokAccount
from insights.models.topic import Topic


class TopicSectorDay(models.Model):
    """The uses of a topic in a sector on a day: one row for however many accounts."""

    day = models.DateField(verbose_name=_("day"))
    # every search by topic or sector goes by the constraint's index, or by the topic's
    sector = models.ForeignKey(
        Sector, models.PROTECT, related_name="topic_sums", db_index=False, verbose_name=_("sector")
    )
    topic = models.ForeignKey(Topic, models.CASCADE, related_name="sums", verbose_name=_("topic"))
    videos = models.PositiveIntegerField(default=0, verbose_name=_("videos"))
    counted = models.PositiveIntegerField(default=0, verbose_name=_("with views"))
    hits = models.PositiveIntegerField(default=0, verbose_name=_("above the median"))

    class Meta:
        verbose_name = _("day of a topic in a sector")
        verbose_name_plural = _("days of topics in sectors")
        # in this order: the last 90 days of a topic lie side by side
        constraints = [models.UniqueConstraint(fields=["sector", "topic", "day"], name="topic_sector_day_once")]
        # between two days that somebody typed, or outside of them
        indexes = [models.Index(fields=["day"], name="topic_sector_day_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.topic_id}"


class TopicAccount(models.Model):
    """All the uses of a topic by an account in a sector. `last_day` tells who used it in any period up to today."""

    sector = models.ForeignKey(
        Sector, models.PROTECT, related_name="topic_accounts", db_index=False, verbose_name=_("sector")
    )
    topic = models.ForeignKey(Topic, models.CASCADE, related_name="topic_accounts", verbose_name=_("topic"))
    account = models.ForeignKey(TikTokAccount, models.CASCADE, related_name="topic_sums", verbose_name=_("account"))
    videos = models.PositiveIntegerField(default=0, verbose_name=_("videos"))
    counted = models.PositiveIntegerField(default=0, verbose_name=_("with views"))
    hits = models.PositiveIntegerField(default=0, verbose_name=_("above the median"))
    last_day = models.DateField(verbose_name=_("last day"))

    class Meta:
        verbose_name = _("topic of an account")
        verbose_name_plural = _("topics of accounts")
        # who uses a topic of a sector; what an account uses goes by the account's own index
        constraints = [models.UniqueConstraint(fields=["sector", "topic", "account"], name="topic_account_once")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.topic_id}"


class TopicStanding(models.Model):
    """How a topic stands in a sector, or (no sector) in all together, as of `day`: all of history, 90 days and 30.

    Small enough that every suggestion reads all of it; lists of leaders read the first of each sector. The windows
    slide: on a new day (UTC) the scheduler makes all rows again, and until then a reading goes to sums by day, or to
    the days themselves.
    """

    sector = models.ForeignKey(
        Sector, models.PROTECT, null=True, blank=True, related_name="standings", db_index=False,
        verbose_name=_("sector"),
    )  # fmt: skip
    topic = models.ForeignKey(Topic, models.CASCADE, related_name="standings", verbose_name=_("topic"))
    day = models.DateField(verbose_name=_("as of"))
    last_day = models.DateField(verbose_name=_("last day"))
    videos = models.PositiveIntegerField(default=0, verbose_name=_("videos"))
    counted = models.PositiveIntegerField(default=0, verbose_name=_("with views"))
    hits = models.PositiveIntegerField(default=0, verbose_name=_("above the median"))
    accounts = models.PositiveIntegerField(default=0, verbose_name=_("accounts"))
    videos90 = models.PositiveIntegerField(default=0, verbose_name=_("videos in 90 days"))
    counted90 = models.PositiveIntegerField(default=0, verbose_name=_("with views in 90 days"))
    hits90 = models.PositiveIntegerField(default=0, verbose_name=_("above the median in 90 days"))
    accounts90 = models.PositiveIntegerField(default=0, verbose_name=_("accounts in 90 days"))
    videos30 = models.PositiveIntegerField(default=0, verbose_name=_("videos in 30 days"))
    counted30 = models.PositiveIntegerField(default=0, verbose_name=_("with views in 30 days"))
    hits30 = models.PositiveIntegerField(default=0, verbose_name=_("above the median in 30 days"))
    accounts30 = models.PositiveIntegerField(default=0, verbose_name=_("accounts in 30 days"))
    #: The same of 90 days, each counted by its age.
    use_weight = models.FloatField(default=0.0, verbose_name=_("weight of the videos"))
    weight = models.FloatField(default=0.0, verbose_name=_("weight of those with views"))
    hit_weight = models.FloatField(default=0.0, verbose_name=_("weight of those above the median"))

    class Meta:
        verbose_name = _("standing of a topic")
        verbose_name_plural = _("standings of topics")
        constraints = [
            models.UniqueConstraint(fields=["sector", "topic"], name="topic_standing_once"),
            models.UniqueConstraint(
                fields=["topic"], condition=Q(sector__isnull=True), name="topic_standing_overall_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.topic_id}"
