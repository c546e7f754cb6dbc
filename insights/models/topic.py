"""Topics: hashtags folded together, their uses, and the summary that every ranking reads."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Sector, TikTokAccount
from insights.models.publication import Publication


class Topic(models.Model):
    """What a hashtag is about: `name` without case and accents; `hashtag` is how it is mostly written, without #."""

    name = models.CharField(max_length=150, unique=True, verbose_name=_("topic"))
    hashtag = models.CharField(max_length=150, verbose_name=_("hashtag"))

    class Meta:
        ordering = ["name"]
        verbose_name = _("topic")
        verbose_name_plural = _("topics")

    def __str__(self) -> str:
        return f"#{self.hashtag}"


class PublicationTopic(models.Model):
    """A published post that carries a topic; written once, at publication."""

    publication = models.ForeignKey(Publication, models.CASCADE, related_name="topics", verbose_name=_("publication"))
    topic = models.ForeignKey(Topic, models.CASCADE, related_name="uses", verbose_name=_("topic"))
    hashtag = models.CharField(max_length=150, help_text=_("as it was written"), verbose_name=_("hashtag"))

    class Meta:
        verbose_name = _("use of a topic")
        verbose_name_plural = _("uses of topics")
        constraints = [models.UniqueConstraint(fields=["publication", "topic"], name="topic_once_per_publication")]

    def __str__(self) -> str:
        return f"#{self.hashtag}"


class TopicDay(models.Model):
    """The uses of a topic by an account on a day (UTC, of publication): the summary behind `topicLeaders`.

    `counted` of the `videos` have views after three days and a median to compare with; `hits` are above it.

    The three `summed_*` say how much of a row is in the summaries across accounts (insights.models.standing): the
    scheduler brings them up, and a reading adds what is not in them yet. So an event locks rows of its own account
    only, and a row that is written by anything that knows nothing of summaries is behind, never lost.
    """

    day = models.DateField(verbose_name=_("day"))
    account = models.ForeignKey(TikTokAccount, models.CASCADE, related_name="topic_days", verbose_name=_("account"))
    sector = models.ForeignKey(Sector, models.PROTECT, related_name="topic_days", verbose_name=_("sector"))
    topic = models.ForeignKey(Topic, models.CASCADE, related_name="days", verbose_name=_("topic"))
    videos = models.PositiveIntegerField(default=0, verbose_name=_("videos"))
    counted = models.PositiveIntegerField(default=0, verbose_name=_("with views"))
    hits = models.PositiveIntegerField(default=0, verbose_name=_("above the median"))
    summed_videos = models.PositiveIntegerField(default=0, db_default=0, verbose_name=_("videos summed"))
    summed_counted = models.PositiveIntegerField(default=0, db_default=0, verbose_name=_("with views, summed"))
    summed_hits = models.PositiveIntegerField(default=0, db_default=0, verbose_name=_("above the median, summed"))
    #: A column, and no condition of a search, for its statistics: PostgreSQL would expect a third of the table.
    is_behind = models.GeneratedField(
        expression=Q(videos__gt=F("summed_videos")) | Q(counted__gt=F("summed_counted")),  # type: ignore[arg-type]
        output_field=models.BooleanField(), db_persist=True, verbose_name=_("not wholly summed"),
    )  # fmt: skip

    class Meta:
        verbose_name = _("day of a topic")
        verbose_name_plural = _("days of topics")
        constraints = [
            models.UniqueConstraint(fields=["day", "account", "sector", "topic"], name="topic_day_once"),
            models.CheckConstraint(
                condition=Q(hits__lte=F("counted"), counted__lte=F("videos")), name="topic_day_adds_up"
            ),
        ]
        indexes = [
            # a range of days of a sector, for whoever makes its sums anew
            models.Index(fields=["sector", "day"], name="topic_day_sector"),
            # what some accounts did lately, for suggestions that count their own results twice; and with the topic,
            # whether an account used it between two days that somebody typed
            models.Index(fields=["account", "day", "topic"], name="topic_day_account_topic"),
            # what the scheduler has not summed: some seconds' worth, whatever the size of the table
            models.Index(fields=["id"], name="topic_day_unsummed", condition=Q(is_behind=True)),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.topic_id}"


class BlockedTopic(models.Model):
    """A topic that is never suggested: in one sector, or (no sector) anywhere."""

    name = models.CharField(max_length=150, help_text=_("folded as a topic's name"), verbose_name=_("topic"))
    sector = models.ForeignKey(
        Sector, models.CASCADE, null=True, blank=True, related_name="blocked_topics", verbose_name=_("sector")
    )
    reason = models.CharField(max_length=200, blank=True, verbose_name=_("reason"))
    blocked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("person")
    )
    at = models.DateTimeField(auto_now_add=True, verbose_name=_("when"))

    class Meta:
        ordering = ["name"]
        verbose_name = _("blocked topic")
        verbose_name_plural = _("blocked topics")
        constraints = [
            models.UniqueConstraint(fields=["name", "sector"], name="blocked_topic_once"),
            models.UniqueConstraint(
                fields=["name"], condition=Q(sector__isnull=True), name="blocked_topic_everywhere_once"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.name}"
