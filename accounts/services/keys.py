"""Which key each encrypted value needs, and the move to a new one (docs/keys.md).

Works on every `EncryptedTextField` of every model; which models there are it asks Django.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from dataclasses import field as made

from django.apps import apps
from django.db import connections, models
from django.db.models import Q
from django.db.models.functions import Substr

from audit.catalogue import Action
from audit.services.recording import audit_record
from subiteya.lib.crypto import (
    PREFIX,
    DecryptionFailed,
    EncryptedTextField,
    Sealed,
    current_prefix,
    key_ids,
    opening_key,
)

logger = logging.getLogger(__name__)

BATCH = 200
#: Rows that others write while they are moved are looked at again, so many times.
PASSES = 5


@dataclass(kw_only=True)
class FieldUse:
    """The values of one encrypted field: key id → rows. What no configured key opens and does not say has the id ""."""

    field: str
    rows: Counter[str] = made(default_factory=Counter)
    #: Of them: rows from before values knew their place.
    unbound: int = 0


@dataclass(kw_only=True)
class FieldMove:
    """What became of the values of one field: moved now, changed by somebody else meanwhile, or not to be opened."""

    field: str
    moved: int = 0
    changed_meanwhile: int = 0
    unreadable: int = 0
    #: Rows that still need another key than the first.
    left: int = 0


def encrypted_fields() -> Iterator[tuple[type[models.Model], EncryptedTextField]]:
    """Every encrypted column of the database, once."""
    for model in sorted(apps.get_models(include_auto_created=True), key=lambda model: model._meta.label):
        if model._meta.managed and not model._meta.proxy:
            for column in model._meta.local_concrete_fields:
                if isinstance(column, EncryptedTextField):
                    yield model, column


def keys_in_use() -> list[FieldUse]:
    """Per field, which key its values need. Reads prefixes, and decrypts only values from before there were any."""
    return [_use(model, column) for model, column in encrypted_fields() if _is_there(model, column)]


def lost_keys(uses: list[FieldUse]) -> Counter[str]:
    """Key id → rows, of keys that rows need and `FIELD_ENCRYPTION_KEYS` lacks."""
    known = set(key_ids())
    return Counter({name: n for name, n in _total(uses).items() if name not in known})


def removable_keys(uses: list[FieldUse]) -> list[str]:
    """Configured keys, but the first, that no row needs any more."""
    total = _total(uses)
    return [name for name in key_ids()[1:] if not total[name]]


def _total(uses: list[FieldUse]) -> Counter[str]:
    return sum((use.rows for use in uses), Counter())


def _use(model: type[models.Model], column: EncryptedTextField) -> FieldUse:
    use = FieldUse(field=_label(model, column))
    there = _values(model, column)
    placed = there.filter(**{f"{column.name}__startswith": "v1:"})
    prefix = Substr(column.name, 1, PREFIX, output_field=models.CharField())
    for start, n in placed.order_by().annotate(start=prefix).values_list("start").annotate(n=models.Count("pk")):
        use.rows[Sealed(start).key_id] += n
    before = there.exclude(**{f"{column.name}__startswith": "v1:"})
    for sealed in before.values_list(column.name, flat=True).iterator():
        use.rows[opening_key(sealed)] += 1
        use.unbound += 1
    return use


def keys_rotate(*, batch: int = BATCH, told: Callable[[str, int], None] | None = None) -> list[FieldMove]:
    """Encrypt every value with the first key that is not yet. Safe to kill at any moment, and to run again.

    Each row is written on its own, and only if it still holds what was read: a token that is refreshed meanwhile stays.
    `told`: hears the field and how many rows were looked at, after each batch.
    """
    moves = []
    for model, column in encrypted_fields():
        move = FieldMove(field=_label(model, column))
        for _again in range(PASSES):
            before = move.changed_meanwhile
            move.unreadable = 0
            _pass(model, column, move, batch, told)
            if move.changed_meanwhile == before:
                break
        move.left = _old(model, column).count()
        moves.append(move)
    details = {move.field: {"moved": move.moved, "left": move.left} for move in moves if move.moved or move.left}
    audit_record(action=Action.KEYS_ROTATED, on=("key", key_ids()[0]), details=details)
    logger.info("keys_rotated", extra={"key_id": key_ids()[0], "moved": sum(move.moved for move in moves),
                                       "left": sum(move.left for move in moves)})  # fmt: skip
    return moves


def _pass(
    model: type[models.Model], column: EncryptedTextField, move: FieldMove, batch: int,
    told: Callable[[str, int], None] | None,
) -> None:  # fmt: skip
    """One walk by primary key over what needs another key."""
    last, seen = None, 0
    while True:
        rows = _old(model, column).order_by("pk").only(column.name, *([column.bound_to] if column.bound_to else []))
        page = list((rows if last is None else rows.filter(pk__gt=last))[:batch])
        if not page:
            return
        for row in page:
            _move(row, column, move)
        last, seen = page[-1].pk, seen + len(page)
        if told:
            told(move.field, seen)


def _move(row: models.Model, column: EncryptedTextField, move: FieldMove) -> None:
    sealed = row.__dict__[column.attname]
    place = column.row_of(row)
    try:
        fresh = column.seal(column.open(sealed, place), place)
    except DecryptionFailed as error:
        move.unreadable += 1
        logger.warning("key_unreadable", extra={"field": move.field, "pk": row.pk, "why": str(error)})
        return
    manager = type(row)._base_manager
    if manager.filter(pk=row.pk, **{column.name: sealed}).update(**{column.name: fresh}):
        move.moved += 1
    else:
        move.changed_meanwhile += 1


def _values(model: type[models.Model], column: EncryptedTextField) -> models.QuerySet[models.Model]:
    return model._base_manager.exclude(**{column.name: ""}).exclude(**{f"{column.name}__isnull": True})


def _old(model: type[models.Model], column: EncryptedTextField) -> models.QuerySet[models.Model]:
    return _values(model, column).filter(~Q(**{f"{column.name}__startswith": current_prefix()}))


def _label(model: type[models.Model], column: EncryptedTextField) -> str:
    return f"{model._meta.label}.{column.name}"


def _is_there(model: type[models.Model], column: EncryptedTextField) -> bool:
    """Before `migrate` has made the column, it holds no secret."""
    connection, table = connections["default"], model._meta.db_table
    with connection.cursor() as cursor:
        if table not in connection.introspection.table_names(cursor):
            return False
        return column.column in {found.name for found in connection.introspection.get_table_description(cursor, table)}
