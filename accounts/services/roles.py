"""Giving a person another role."""

from __future__ import annotations

import logging
from functools import partial

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.roles import Role
from accounts.services.second_factor import sessions_end
from accounts.signals import role_changed
from audit.catalogue import Action
from audit.services.recording import audit_record

logger = logging.getLogger(__name__)

REFUSALS: dict[str, str | Promise] = {
    "own_role": _("Nobody changes their own role: ask another administrator."),
    "last_administrator": _("This is the last administrator who may do everything: make another one first."),
    "not_for_this_role": _("Only an administrator can have every permission."),
}


class RoleRefused(Exception):
    """The role stays as it is; str() is a sentence for a person."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)

    def __str__(self) -> str:
        return str(REFUSALS[self.code])


@transaction.atomic
def user_change_role(*, user: User, role: Role, actor: User | None, every_permission: bool = True) -> User:
    """Give `user` the role and what follows from it; their sessions end, so that nothing of the old one stays open.

    `every_permission`: of an administrator, Django's superuser. Raises RoleRefused.
    """
    # All of them, in one order: two administrators who demote each other at once do not both go through.
    administrators = User.objects.select_for_update().filter(is_superuser=True, is_active=True).order_by("pk")
    left = [person.pk for person in administrators]
    before = User.objects.select_for_update().get(pk=user.pk)
    staff = role == Role.ADMINISTRATOR
    after = {"role": role, "is_staff": staff, "is_superuser": staff and every_permission}
    if all(getattr(before, name) == value for name, value in after.items()):
        return user
    if actor is not None and actor.pk == user.pk:
        raise RoleRefused("own_role")
    if left == [user.pk] and not after["is_superuser"]:
        raise RoleRefused("last_administrator")
    for name, value in after.items():
        setattr(user, name, value)
    user.save(update_fields=[*after])
    sessions_end(user)
    old = {name: getattr(before, name) for name in after}
    audit_record(action=Action.ROLE_CHANGED, on=user, details={"before": old, "after": after})
    logger.info("role_changed", extra={"user_id": user.pk, "old": before.role, "new": str(role)})
    tell = partial(role_changed.send, User, user=user, old=before.role, new=str(role), actor=actor)
    transaction.on_commit(tell)
    return user
