"""The administrators' pages about people: roles, passwords, sessions; and the administration's one door."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as StockGroupAdmin
from django.contrib.auth.admin import UserAdmin as StockUserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, UserChangeForm
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.generic import RedirectView
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_otp_webauthn.models import WebAuthnCredential

from accounts.browsers import browser_words
from accounts.models import RecoveryCode, TikTokAccount, User
from accounts.models_sessions import FailureCount, PersonSession
from accounts.reauthentication import ProofWanted, proof_asked
from accounts.roles import Role
from accounts.services.roles import RoleRefused, user_change_role
from accounts.services.second_factor import second_factor_remove
from accounts.services.sessions import session_end, sessions_end_all
from accounts.views_login import AdminLogin
from audit.catalogue import Action
from audit.people import ROLE_FIELDS, AuditedAdmin
from audit.services.recording import audit_record
from subiteya.lib.admin import NOTHING, ReadOnlyAdmin
from subiteya.lib.admin_actions import Asking, Refused, ask_first, report_each

# One door: the administration's log-in is slowed down, and asks for the second factor, as the product's.
admin.site.login = AdminLogin.as_view()  # type: ignore[method-assign, assignment]
# Nor a second one for one's own password: the product's asks for a proof first, and is recorded.
admin.site.password_change = RedirectView.as_view(pattern_name="accounts:password_change")  # type: ignore[method-assign, assignment]
admin.site.site_header = "SubiteYa"
admin.site.site_title = "SubiteYa"
admin.site.index_title = _("Administration")


#: What makes one person more powerful than another.
POWERS = ["role", "is_superuser", "groups", "user_permissions"]
ROLE_HELP = _(
    "Administrators do everything. Community managers publish on the accounts in their charge; approvers too, and let "
    "out what waits for an approval. Auditors see everything and change nothing. "
    "Another role ends the person's sessions."
)
PERMISSIONS_HELP = _(
    "Of administrators only: without “superuser status” they see of this administration what is chosen here."
)


class ChargeInline(admin.TabularInline):  # type: ignore[type-arg]
    """The accounts that a person is in charge of."""

    model = TikTokAccount.managers.through
    extra = 0
    verbose_name = _("account in charge")
    verbose_name_plural = _("accounts in charge")
    autocomplete_fields = ["tiktokaccount"]

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        return super().get_formset(request, obj, **kwargs, labels={"tiktokaccount": _("Account")})


# The add-ons' own pages would show the secrets of other people's phones, and change passkeys without a proof.
for device in (TOTPDevice, StaticDevice, WebAuthnCredential):
    if admin.site.is_registered(device):
        admin.site.unregister(device)


@admin.register(RecoveryCode)
class RecoveryCodeAdmin(ReadOnlyAdmin):
    list_display = ["user", "created_at", "used_at"]
    list_select_related = ["user"]
    search_fields = ["user__username"]
    fields = ["user", "created_at", "used_at"]


class PersonForm(UserChangeForm):  # type: ignore[type-arg]
    """A person's fields; the role's rules are told beside them."""

    def clean(self) -> dict[str, Any]:
        asked = dict(super().clean() or self.cleaned_data)
        role, everything = asked.get("role"), asked.get("is_superuser")
        if role and everything and role != Role.ADMINISTRATOR:
            self.add_error("is_superuser", str(RoleRefused("not_for_this_role")))
        return asked


class GivenPasswordForm(AdminPasswordChangeForm):  # type: ignore[type-arg]
    """A password that an administrator sets, or takes away."""

    def save(self, commit: bool = True) -> Any:
        with transaction.atomic():
            audit_record(action=Action.PASSWORD_CHANGED, on=self.user, details={"by": "administrator"})
            return super().save(commit)


@admin.register(User)
class UserAdmin(ProofWanted, AuditedAdmin, StockUserAdmin):  # type: ignore[type-arg]
    audit_created, audit_changed, audit_deleted = Action.PERSON_CREATED, Action.PERSON_CHANGED, Action.PERSON_DELETED
    audit_fields, audit_inline = ROLE_FIELDS, "tiktokaccount"
    form = PersonForm
    change_password_form = GivenPasswordForm
    list_display = ["username", "name", "email", "language", "role", "is_active", "charge", "last_login"]
    list_filter = ["role", "is_active", "language", "groups"]
    inlines = [ChargeInline]
    readonly_fields = ["last_login", "date_joined"]
    actions = ["forget_phone", "end_sessions"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        (_("Personal info"), {"fields": ["first_name", "last_name", "email", "language"]}),
        (_("Role"), {"fields": ["role", "is_active"], "description": ROLE_HELP}),
        (
            _("In the administration"),
            {"fields": ["is_superuser", "groups", "user_permissions"], "description": PERMISSIONS_HELP},
        ),
        (_("Important dates"), {"fields": ["last_login", "date_joined"]}),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Only who may do everything hands out what others may do."""
        fields = [*super().get_readonly_fields(request, obj), *([] if request.user.is_superuser else POWERS)]
        return [*fields, "is_active"] if _is_oneself(request, obj) else fields

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """And nobody else opens the log-in of somebody who may do everything: a new password would be their power."""
        return not _is_above(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nor deletes them. Nobody deletes or closes themselves: so somebody is always left who may do everything."""
        guarded = _is_above(request, obj) or _is_oneself(request, obj)
        return not guarded and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """The role goes by its service; the other fields are stored with what the person was before."""
        role, everything = Role(obj.role), obj.is_superuser
        before = User.objects.get(pk=obj.pk) if change else User()
        obj.role, obj.is_staff, obj.is_superuser = before.role, before.is_staff, before.is_superuser
        super().save_model(request, obj, form, change)
        try:
            user_change_role(user=obj, role=role, actor=cast(User, request.user), every_permission=everything)
        except RoleRefused as refusal:
            messages.error(request, str(refusal))

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        rows: QuerySet[User] = super().get_queryset(request)
        return rows.annotate(charge_count=Count("accounts"))

    @admin.action(description=_("Forget the second factor"), permissions=["change"])
    def forget_phone(self, request: HttpRequest, queryset: QuerySet[User]) -> TemplateResponse | None:
        def one(user: User, _answers: dict[str, Any]) -> None:
            if not self.has_change_permission(request, user):
                raise Refused(gettext("may do everything: only who may do so too helps them."))
            if not second_factor_remove(user=user):
                raise Refused(gettext("had no second factor"))
            self.log_change(request, user, "second factor forgotten")

        asking = Asking(
            title=_("Forget the second factor of these people?"), button=_("Forget it"), danger=True,
            effect=_("For a lost phone. They are logged out everywhere, and their password alone lets them in until "
                     "they set up another phone. Be sure that it is really they who ask."),
        )  # fmt: skip
        return ask_first(self, request, queryset, asking=asking, act=one, done=_("Second factor forgotten"))

    @admin.action(description=_("End all sessions"), permissions=["change"])
    def end_sessions(self, request: HttpRequest, queryset: QuerySet[User]) -> TemplateResponse | None:
        def one(user: User, _answers: dict[str, Any]) -> None:
            sessions_end_all(user=user)
            self.log_change(request, user, "sessions ended")

        asking = Asking(
            title=_("End all sessions of these people?"), button=_("End them"), danger=True,
            effect=_("They are logged out on every device at their next click, and log in again with what they have."),
        )  # fmt: skip
        return ask_first(self, request, queryset, asking=asking, act=one, done=_("Sessions ended"))

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:
        return proof_asked(request) or super().user_change_password(request, id, form_url)

    @admin.display(description=_("name"), ordering="first_name")
    def name(self, user: User) -> str:
        return user.get_full_name() or NOTHING

    @admin.display(description=_("accounts in charge"), ordering="charge_count")
    def charge(self, user: Any) -> int:
        return int(user.charge_count)


def _is_above(request: HttpRequest, obj: User | None) -> bool:
    """May this person do everything, and who asks may not?"""
    return obj is not None and obj.is_superuser and not request.user.is_superuser


def _is_oneself(request: HttpRequest, obj: User | None) -> bool:
    return obj is not None and obj.pk == request.user.pk


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(ProofWanted, StockGroupAdmin):
    """What the people of a group may do: only who may do everything hands that out."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser


@admin.register(PersonSession)
class PersonSessionAdmin(ReadOnlyAdmin):
    list_display = ["user", "browser", "address", "started_at", "seen_at"]
    list_select_related = ["user"]
    search_fields = ["user__username", "address"]
    fields = ["user", "browser", "address", "started_at", "seen_at", "user_agent"]
    actions = ["end"]

    @admin.display(description=_("browser"))
    def browser(self, row: PersonSession) -> str:
        return browser_words(row.user_agent)

    @admin.action(description=_("End these sessions"), permissions=["act"])
    def end(self, request: HttpRequest, queryset: QuerySet[PersonSession]) -> None:
        def one(row: PersonSession) -> None:
            if not session_end(user=row.user, pk=row.pk):
                raise Refused(gettext("it is over already."))

        report_each(request, queryset, one, done=_("Ended"))


@admin.register(FailureCount)
class FailureCountAdmin(ReadOnlyAdmin):
    """Whose they are, nobody can read."""

    list_display = ["failed_at", "failures", "free_at"]
    fields = ["failed_at", "failures", "free_at"]
    search_fields = ["principal"]
