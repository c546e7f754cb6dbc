"""What people are told: the event once, a copy for each person, the mails, and what each person wants."""

from __future__ import annotations

import zoneinfo
from datetime import time
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import AccountEvent, TikTokAccount, validate_time_zone
from monitoring.models import Delivery, DeliveryChannel
from publishing.models import CircuitEvent, Video, VideoEvent


class NoticeKind(models.TextChoices):
    VIDEO_FAILED = "video_failed", _("A video needs you")
    VIDEO_TAKEN_DOWN = "video_taken_down", _("TikTok took a post away")
    VIDEO_RECOVERED = "video_recovered", _("A video came out after all")
    APPROVAL_DUE = "approval_due", _("A video waits for your approval")
    SENT_BACK = "sent_back", _("A video was sent back to you")
    ACCOUNT_LOST = "account_lost", _("An account is disconnected")
    ACCOUNT_PAUSED = "account_paused", _("An account is paused")
    ACCOUNT_BACK = "account_back", _("An account is connected again")
    ACCOUNT_RESUMED = "account_resumed", _("An account publishes again")


class Topic(models.TextChoices):
    """What a person can have or not have."""

    VIDEOS = "videos", _("Videos that need me")
    ACCOUNTS = "accounts", _("Accounts that stop")
    RECOVERIES = "recoveries", _("What is well again")


K = NoticeKind
TOPIC_OF: dict[NoticeKind, Topic] = {
    K.VIDEO_FAILED: Topic.VIDEOS,
    K.VIDEO_TAKEN_DOWN: Topic.VIDEOS,
    K.APPROVAL_DUE: Topic.VIDEOS,
    K.SENT_BACK: Topic.VIDEOS,
    K.ACCOUNT_LOST: Topic.ACCOUNTS,
    K.ACCOUNT_PAUSED: Topic.ACCOUNTS,
    K.VIDEO_RECOVERED: Topic.RECOVERIES,
    K.ACCOUNT_BACK: Topic.RECOVERIES,
    K.ACCOUNT_RESUMED: Topic.RECOVERIES,
}


class Notice(models.Model):
    """Something that people have to know. It belongs to exactly one event, and an event has at most one."""

    kind = models.CharField(max_length=20, choices=NoticeKind.choices, verbose_name=_("kind"))
    account = models.ForeignKey(TikTokAccount, models.CASCADE, related_name="notices", verbose_name=_("account"))
    video = models.ForeignKey(
        Video, models.CASCADE, null=True, blank=True, related_name="notices", verbose_name=_("video")
    )
    video_event = models.OneToOneField(
        VideoEvent, models.CASCADE, null=True, blank=True, related_name="notice", verbose_name=_("video event")
    )
    circuit_event = models.OneToOneField(
        CircuitEvent, models.CASCADE, null=True, blank=True, related_name="notice", verbose_name=_("circuit event")
    )
    account_event = models.OneToOneField(
        AccountEvent, models.CASCADE, null=True, blank=True, related_name="notice", verbose_name=_("account event")
    )
    code = models.CharField(max_length=64, blank=True, verbose_name=_("cause code"))
    detail = models.JSONField(default=dict, blank=True, verbose_name=_("measured values"))
    at = models.DateTimeField(db_index=True, verbose_name=_("when"))

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=NoticeKind.values), name="notice_kind_known"),
            models.CheckConstraint(
                condition=Q(video_event__isnull=False, circuit_event__isnull=True, account_event__isnull=True)
                | Q(video_event__isnull=True, circuit_event__isnull=False, account_event__isnull=True)
                | Q(video_event__isnull=True, circuit_event__isnull=True, account_event__isnull=False),
                name="notice_of_one_event",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "-at"], name="notice_of_account"),
            models.Index(fields=["video", "kind"], name="notice_of_video", condition=Q(video__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.account}"

    @property
    def topic(self) -> Topic:
        return TOPIC_OF[NoticeKind(self.kind)]

    @property
    def is_good(self) -> bool:
        return self.topic == Topic.RECOVERIES


class MessageKind(models.TextChoices):
    NOTICES = "notices", _("notices")
    SUMMARY = "summary", _("daily summary")
    TEST = "test", _("test")


class NoticeMessage(Delivery):
    """A mail to a person, with what waited for them, or one notice to the agency's webhook."""

    channel = models.CharField(max_length=8, choices=DeliveryChannel.choices, verbose_name=_("channel"))
    kind = models.CharField(max_length=8, choices=MessageKind.choices, verbose_name=_("kind"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("person")
    )
    notice = models.ForeignKey(
        Notice, models.CASCADE, null=True, blank=True, related_name="messages", verbose_name=_("notice")
    )
    day = models.DateField(null=True, blank=True, verbose_name=_("day"))
    made_at = models.DateTimeField(verbose_name=_("written"))

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("message about notices")
        verbose_name_plural = _("messages about notices")
        constraints = [
            models.CheckConstraint(
                condition=Q(channel=DeliveryChannel.EMAIL, user__isnull=False)
                | Q(channel=DeliveryChannel.WEBHOOK, notice__isnull=False),
                name="notice_message_has_receiver",
            ),
            models.UniqueConstraint(
                fields=["user", "day"], condition=Q(kind="summary"), name="notice_summary_once_a_day"
            ),
            models.UniqueConstraint(fields=["notice"], condition=Q(channel="webhook"), name="notice_posted_once"),
        ]
        indexes = [
            models.Index(fields=["next_at"], name="notice_message_to_send", condition=Q(sent_at__isnull=True)),
            models.Index(fields=["user", "kind", "-made_at"], name="notice_message_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.made_at:%Y-%m-%d %H:%M}"


class NoticeCopyQuerySet(models.QuerySet["NoticeCopy"]):
    """Copies, narrowed to what a person may see."""

    def for_user(self, user: Any) -> NoticeCopyQuerySet:
        """The person's own, about accounts that are still in their charge; administrators see every account."""
        if not user.is_authenticated:
            return self.none()
        mine = self.filter(user=user)
        return mine if user.sees_everything else mine.filter(notice__account__managers=user)


class NoticeCopy(models.Model):
    """One notice for one person. `at` is the notice's, for the order of the list. `shown`: in the app. `mail_at`: from
    when on it may go by mail, if at all.
    """

    notice = models.ForeignKey(Notice, models.CASCADE, related_name="copies", verbose_name=_("notice"))
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notices", verbose_name=_("person"))
    at = models.DateTimeField(default=timezone.now, verbose_name=_("when"))
    shown = models.BooleanField(default=True, verbose_name=_("in the app"))
    read_at = models.DateTimeField(null=True, blank=True, verbose_name=_("read"))
    mail_at = models.DateTimeField(null=True, blank=True, verbose_name=_("mail not before"))
    mail = models.ForeignKey(
        NoticeMessage, models.SET_NULL, null=True, blank=True, related_name="copies", verbose_name=_("mail")
    )

    objects = NoticeCopyQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = _("notice for a person")
        verbose_name_plural = _("notices for people")
        constraints = [models.UniqueConstraint(fields=["notice", "user"], name="notice_once_per_person")]
        indexes = [
            models.Index(F("user"), F("at").desc(), F("id").desc(), name="notice_copy_latest"),
            models.Index(fields=["user"], name="notice_copy_unread", condition=Q(read_at__isnull=True, shown=True)),
            models.Index(
                fields=["mail_at"], name="notice_copy_to_mail", condition=Q(mail__isnull=True, mail_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.notice}"


def default_zone() -> str:
    """The product's zone, until the person chooses theirs."""
    return str(settings.TIME_ZONE)


class NoticePreferences(models.Model):
    """What a person wants to be told, where and when. Without a row, the defaults hold.

    `summary_day`: the last day, in the person's zone, on which their summary was decided on.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="notice_preferences",
        verbose_name=_("person"),
    )  # fmt: skip
    videos_app = models.BooleanField(default=True, verbose_name=_("videos: in the app"))
    videos_mail = models.BooleanField(default=True, verbose_name=_("videos: by mail"))
    accounts_app = models.BooleanField(default=True, verbose_name=_("accounts: in the app"))
    accounts_mail = models.BooleanField(default=True, verbose_name=_("accounts: by mail"))
    recoveries_app = models.BooleanField(default=True, verbose_name=_("recoveries: in the app"))
    recoveries_mail = models.BooleanField(default=False, verbose_name=_("recoveries: by mail"))
    all_accounts = models.BooleanField(default=False, verbose_name=_("every account, not only mine"))
    quiet = models.BooleanField(default=True, verbose_name=_("quiet hours"))
    quiet_from = models.TimeField(default=time(22), verbose_name=_("quiet from"))
    quiet_to = models.TimeField(default=time(8), verbose_name=_("quiet until"))
    summary = models.BooleanField(default=True, verbose_name=_("daily summary"))
    summary_at = models.TimeField(default=time(9), verbose_name=_("daily summary at"))
    summary_day = models.DateField(null=True, blank=True, verbose_name=_("last summary"))
    time_zone = models.CharField(
        max_length=64, default=default_zone, validators=[validate_time_zone], verbose_name=_("time zone")
    )

    class Meta:
        verbose_name = _("preferences about notices")
        verbose_name_plural = _("preferences about notices")

    def __str__(self) -> str:
        return str(self.user)

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone)

    def in_app(self, topic: Topic) -> bool:
        return bool(getattr(self, f"{topic}_app"))

    def by_mail(self, topic: Topic) -> bool:
        return bool(getattr(self, f"{topic}_mail"))
