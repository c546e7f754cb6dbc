"""What a person does to brand patterns. A pattern is read when an edit begins: what is edited already stays."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext

from accounts.models import TikTokAccount, User
from accounts.selectors import accounts_for
from publishing.errors import StateConflict
from publishing.models import AccountBrand, BrandPattern

NAME_MAX = 80
COPIES_MAX = 100
#: What the editor writes: all but who made it.
EDITED = [field.name for field in BrandPattern._meta.concrete_fields if field.name not in {"id", "created_by"}]


class PatternInUse(Exception):
    """An account uses it, so it stays."""


@transaction.atomic
def pattern_save(*, pattern: BrandPattern, user: User, accounts: Iterable[TikTokAccount], seen: str = "") -> None:
    """Write the pattern and give it to these accounts (of those in the person's charge).

    `seen` is the `updated_at` (ISO 8601) that the person began with. Raises StateConflict when somebody has changed
    or deleted it since, or when an account outside of the person's charge has come to use it.
    """
    if pattern.pk:
        found = BrandPattern.objects.select_for_update().filter(pk=pattern.pk).first()
        if found is None or found.updated_at.isoformat() != seen:
            raise StateConflict
        if not BrandPattern.objects.editable_by(user).filter(pk=pattern.pk).exists():
            raise StateConflict
        pattern.save(update_fields=EDITED)
    else:
        pattern.created_by = user
        pattern.save(force_insert=True)
    _give(pattern, user, {account.pk for account in accounts})


def _give(pattern: BrandPattern, user: User, ticked: set[int]) -> None:
    charge = set(accounts_for(user).values_list("pk", flat=True))
    pattern.accounts.filter(account__in=charge - ticked).delete()
    for pk in sorted(ticked & charge):
        AccountBrand.objects.update_or_create(account_id=pk, defaults={"pattern": pattern})


def pattern_copy(*, pattern: BrandPattern, user: User) -> BrandPattern:
    """The same under another name, without accounts."""
    for number in range(2, COPIES_MAX):
        suffix = gettext(" (copy %(number)s)") % {"number": number} if number > 2 else gettext(" (copy)")
        copy = BrandPattern.objects.get(pk=pattern.pk)
        copy.pk, copy.created_by, copy.name = None, user, pattern.name[: NAME_MAX - len(suffix)] + suffix
        try:
            with transaction.atomic():
                copy.save(force_insert=True)
        except IntegrityError:
            continue
        return copy
    raise StateConflict


def pattern_delete(*, pattern: BrandPattern) -> None:
    """Raises PatternInUse while an account uses it."""
    try:
        pattern.delete()
    except ProtectedError as error:
        raise PatternInUse from error
