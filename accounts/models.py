"""Who we publish as (TikTokAccount) and who may (User)."""

from __future__ import annotations

import zoneinfo
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from accounts.roles import PeopleManager, WithRole, role_constraints
from subiteya.lib.crypto import EncryptedTextField
from subiteya.lib.tracing import current_trace_id


def validate_time_zone(value: str) -> None:
    """Accept IANA names such as America/Argentina/Buenos_Aires."""
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        raise ValidationError(_("%(value)s is not a time zone."), params={"value": value}) from None


class User(WithRole, AbstractUser):
    """A person of the agency. `role` says what they may; `is_staff` follows from it."""

    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES, default="es")
    security_stamp = models.CharField(
        max_length=32, blank=True, editable=False, help_text=_("a new one ends every session of the person"),
        verbose_name=_("security stamp"),
    )  # fmt: skip

    objects: ClassVar[PeopleManager] = PeopleManager()

    class Meta(AbstractUser.Meta):
        verbose_name = _("person")  # type: ignore[assignment]  # Django allows lazy texts here
        verbose_name_plural = _("people")  # type: ignore[assignment]
        constraints = role_constraints()

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What a session must know to go on: Django's own hash of the password, and of the stamp once there is one."""
        salt = "django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash"
        text = self.password + self.security_stamp
        return salted_hmac(salt, text, secret=secret, algorithm="sha256").hexdigest()


class RecoveryCode(models.Model):
    """A code for the day on which the phone is lost: works once. Only its keyed hash is kept."""

    user = models.ForeignKey(User, models.CASCADE, related_name="recovery_codes", verbose_name=_("person"))
    code_hash = models.CharField(max_length=64, verbose_name=_("sha256"))
    created_at = models.DateTimeField(auto_now_add=True, verbose_name=_("created"))
    used_at = models.DateTimeField(null=True, blank=True, verbose_name=_("used"))

    class Meta:
        verbose_name = _("recovery code")
        verbose_name_plural = _("recovery codes")
        constraints = [models.UniqueConstraint(fields=["user", "code_hash"], name="recovery_code_once")]

    def __str__(self) -> str:
        return f"{self.user}"


class Sector(models.Model):
    """A client's line of business; hashtags are compared inside it."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    slug = models.SlugField(max_length=80, unique=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("sector")
        verbose_name_plural = _("sectors")

    def __str__(self) -> str:
        return self.name


class AccountStatus(models.TextChoices):
    CONNECTED = "connected", _("Connected")
    DISCONNECTED = "disconnected", _("Disconnected")


class TikTokAccountQuerySet(models.QuerySet["TikTokAccount"]):
    """Accounts, narrowed to what a person may see."""

    def for_user(self, user: Any) -> TikTokAccountQuerySet:
        """Administrators and auditors see all; the others the accounts in their charge; a stranger none."""
        if not user.is_authenticated:
            return self.none()
        return self if user.sees_everything else self.filter(managers=user)


class TikTokAccount(models.Model):
    """A client's TikTok account. `open_id` is TikTok's identity of it for our app."""

    open_id = models.CharField(max_length=128, unique=True, verbose_name=_("open_id"))
    username = models.CharField(_("username"), max_length=64, db_index=True)
    display_name = models.CharField(_("nickname"), max_length=128, blank=True)
    avatar_url = models.URLField(max_length=500, blank=True, verbose_name=_("picture"))
    sector = models.ForeignKey(Sector, models.PROTECT, verbose_name=_("sector"), related_name="accounts")
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        default="America/Argentina/Buenos_Aires",
        validators=[validate_time_zone],
    )
    managers = models.ManyToManyField(
        User, verbose_name=_("community managers in charge"), related_name="accounts", blank=True
    )
    status = models.CharField(
        _("status"), max_length=16, choices=AccountStatus.choices, default=AccountStatus.CONNECTED
    )
    status_reason = models.CharField(max_length=64, blank=True, verbose_name=_("reason"))
    needs_approval = models.BooleanField(
        _("needs approval"), default=False,
        help_text=_("what is submitted for it waits for an approver in charge of it"),
    )  # fmt: skip
    connected_at = models.DateTimeField(_("connected"), null=True, blank=True)
    disconnected_at = models.DateTimeField(null=True, blank=True, verbose_name=_("disconnected"))
    created_at = models.DateTimeField(auto_now_add=True, verbose_name=_("created"))

    objects = TikTokAccountQuerySet.as_manager()

    class Meta:
        ordering = ["username"]
        verbose_name = _("TikTok account")
        verbose_name_plural = _("TikTok accounts")
        constraints = [
            models.CheckConstraint(condition=Q(status__in=AccountStatus.values), name="account_status_known"),
            models.CheckConstraint(condition=~Q(open_id=""), name="account_open_id_set"),
        ]

    def __str__(self) -> str:
        return f"@{self.username}"

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone)

    @property
    def is_connected(self) -> bool:
        return self.status == AccountStatus.CONNECTED


class OAuthToken(models.Model):
    """The tokens of one account. Lifetimes come from TikTok's answer, never from a constant."""

    account = models.OneToOneField(TikTokAccount, models.CASCADE, related_name="token", verbose_name=_("account"))
    access_token = EncryptedTextField(bound_to="account_id", verbose_name=_("access token"))
    refresh_token = EncryptedTextField(bound_to="account_id", verbose_name=_("refresh token"))
    scope = models.CharField(max_length=500, verbose_name=_("permissions"))
    expires_at = models.DateTimeField(verbose_name=_("expires"))
    refresh_expires_at = models.DateTimeField(verbose_name=_("refresh token expires"))
    refresh_claimed_until = models.DateTimeField(null=True, blank=True, verbose_name=_("refresh claimed until"))
    refreshed_at = models.DateTimeField(null=True, blank=True, verbose_name=_("last refreshed"))
    refresh_issued_at = models.DateTimeField(null=True, blank=True, verbose_name=_("refresh token issued"))

    class Meta:
        verbose_name = _("OAuth token")
        verbose_name_plural = _("OAuth tokens")
        constraints = [models.CheckConstraint(condition=~Q(refresh_token=""), name="token_refresh_token_set")]

    def __str__(self) -> str:
        return f"token {self.pk}"

    @property
    def scopes(self) -> frozenset[str]:
        return frozenset(scope for scope in self.scope.split(",") if scope)


class OAuthAttempt(models.Model):
    """One trip to TikTok's authorise page: `state` works once, for the person who left, for ten minutes.

    Without a person it is the trip of the account's owner, who came with a link.
    """

    state_hash = models.CharField(max_length=64, unique=True, verbose_name=_("state"))
    code_verifier = EncryptedTextField(bound_to="state_hash", verbose_name=_("verifier"))
    user = models.ForeignKey(User, models.CASCADE, null=True, blank=True, verbose_name=_("person"))
    account = models.ForeignKey(TikTokAccount, models.CASCADE, null=True, blank=True, verbose_name=_("account"))
    created_at = models.DateTimeField(verbose_name=_("created"))
    used_at = models.DateTimeField(null=True, blank=True, verbose_name=_("used"))

    class Meta:
        verbose_name = _("trip to TikTok")
        verbose_name_plural = _("trips to TikTok")

    def __str__(self) -> str:
        return f"attempt {self.pk}"


class AccountEventKind(models.TextChoices):
    CONNECTED = "connected", _("Connected")
    RECONNECTED = "reconnected", _("Reconnected")
    IMPORTED = "imported", _("Imported")
    REFRESHED = "refreshed", _("Token refreshed")
    REFRESH_FAILED = "refresh_failed", _("Token refresh failed")
    DISCONNECTED = "disconnected", _("Disconnected")


class AccountEvent(models.Model):
    """What happened to an account's connection; append-only."""

    account = models.ForeignKey(TikTokAccount, models.CASCADE, related_name="events", verbose_name=_("account"))
    kind = models.CharField(max_length=20, choices=AccountEventKind.choices, verbose_name=_("kind"))
    reason = models.CharField(max_length=64, blank=True, verbose_name=_("reason"))
    log_id = models.CharField(max_length=64, blank=True, verbose_name=_("log_id"))
    actor = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, verbose_name=_("person"))
    at = models.DateTimeField(verbose_name=_("when"))
    trace_id = models.CharField(max_length=32, default=current_trace_id, blank=True, verbose_name=_("trace"))

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = _("account event")
        verbose_name_plural = _("account events")
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=AccountEventKind.values), name="account_event_kind_known")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M}"


from accounts.models_sessions import FailureCount, PersonSession  # noqa: E402, F401  # Django looks for models here
