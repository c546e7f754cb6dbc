"""What a person of the agency is to the product. docs/roles.md draws it; the views ask these properties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import UserManager
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from accounts.models import User


class Role(models.TextChoices):
    """One for each person. Only the administrator is Django's staff (see `role_constraints`)."""

    ADMINISTRATOR = "administrator", _("Administrator")
    COMMUNITY_MANAGER = "community_manager", _("Community manager")
    APPROVER = "approver", _("Approver")
    AUDITOR = "auditor", _("Auditor (reads everything, changes nothing)")


class WithRole(models.Model):
    """The role, and what follows from it."""

    role = models.CharField(_("role"), max_length=20, choices=Role.choices, default=Role.COMMUNITY_MANAGER)

    class Meta:
        abstract = True

    @property
    def sees_everything(self) -> bool:
        """Of all accounts, whoever is in charge of them: administrators and auditors."""
        return self.role in {Role.ADMINISTRATOR, Role.AUDITOR}

    @property
    def may_act(self) -> bool:
        """May they change anything but their own log-in? All but auditors."""
        return self.role != Role.AUDITOR

    @property
    def may_approve(self) -> bool:
        """May they let a video out that waits for an approval? In the accounts that they see."""
        return self.role in {Role.ADMINISTRATOR, Role.APPROVER}


class PeopleManager(UserManager["User"]):
    """`createsuperuser` makes an administrator."""

    def create_superuser(self, username: str, *args: Any, **fields: Any) -> User:
        fields.setdefault("role", Role.ADMINISTRATOR)
        return super().create_superuser(username, *args, **fields)


def role_constraints() -> list[models.BaseConstraint]:
    """Staff is whoever is an administrator; every permission of the administration is for administrators only."""
    staff = Q(role=Role.ADMINISTRATOR, is_staff=True)
    others = ~Q(role=Role.ADMINISTRATOR) & Q(is_staff=False, is_superuser=False)
    return [
        models.CheckConstraint(condition=Q(role__in=Role.values), name="user_role_known"),
        models.CheckConstraint(condition=staff | others, name="user_role_is_staff"),
    ]
