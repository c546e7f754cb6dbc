"""A person's own filters: saved, renamed, deleted, brought back."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from accounts.models import User
from publishing.errors import NotPossible
from publishing.models import SavedFilter

MOST = 20


@transaction.atomic
def filter_save(*, user: User, name: str, query: str) -> SavedFilter:
    """Keep `query` under `name`; a name that is there already gets the new query. NotPossible for more than MOST."""
    User.objects.select_for_update().get(pk=user.pk)  # two browsers save one after the other
    mine = SavedFilter.objects.for_user(user).kept()
    known = mine.filter(name=name).first()
    if known is not None:
        known.query = query
        known.save(update_fields=["query"])
        return known
    if mine.count() >= MOST:
        raise NotPossible("too_many_filters", {"limit": MOST})
    last = mine.aggregate(last=Max("position"))["last"] or 0
    return SavedFilter.objects.create(user=user, name=name, query=query, position=last + 1)


def filter_rename(*, saved: SavedFilter, name: str) -> SavedFilter:
    """Another name for it; NotPossible when another of the person's filters has it."""
    others = SavedFilter.objects.for_user(saved.user).kept().exclude(pk=saved.pk)
    if others.filter(name=name).exists():
        raise NotPossible("filter_name_taken", {"name": name})
    saved.name = name
    saved.save(update_fields=["name"])
    return saved


def filter_delete(*, saved: SavedFilter) -> None:
    """Take it away; the ones deleted before are gone for good, this one can be brought back."""
    SavedFilter.objects.for_user(saved.user).exclude(deleted_at=None).delete()
    SavedFilter.objects.filter(pk=saved.pk).update(deleted_at=timezone.now())


def filter_restore(*, saved: SavedFilter) -> None:
    SavedFilter.objects.filter(pk=saved.pk).update(deleted_at=None)
