"""A text field encrypted at rest, with a list of keys: the first encrypts, each of them decrypts.

What is stored is `v1:<key id>:<Fernet token>`. The key id is a fingerprint, not a secret: it tells which key a row
needs. Inside the token, beside the secret, is the place that it belongs to: the column, and what identifies the row. A
value that somebody copied into another column or row does not open there. Values without a prefix are from before:
every key is tried on them, and they have no place until `manage.py rotate_keys` has given them one.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.db import models
from django.db.models.query_utils import DeferredAttribute

VERSION = "v1"
#: Length of `v1:<key id>:`.
PREFIX = 12
#: Begins what is inside a token that knows its place.
_PLACED = b"\0v1"


class DecryptionFailed(Exception):
    """A stored secret does not open: its key was removed too early, or it was altered, or it belongs elsewhere."""


@dataclass(frozen=True)
class Sealed:
    """A secret as it is stored. It may be shown to anybody, but there is no reason to: only the key's id is."""

    stored: str

    @property
    def key_id(self) -> str:
        """The id of its key; nothing for a value from before, which does not say."""
        return self.stored[3 : PREFIX - 1] if self.has_place else ""

    @property
    def has_place(self) -> bool:
        return self.stored.startswith(f"{VERSION}:")

    def __repr__(self) -> str:
        return f"<sealed {self.key_id or 'before v1'}>"

    __str__ = __repr__


class Dumped(Sealed):
    """What `dumpdata` wrote: `loaddata` stores it as it is, so its row does not open it."""


def key_id(key: str) -> str:
    """The fingerprint of a key: tells keys apart, says nothing about them."""
    return hashlib.sha256(b"subiteya field key\0" + base64.urlsafe_b64decode(key)).hexdigest()[:8]


def key_ids() -> list[str]:
    """The ids of `FIELD_ENCRYPTION_KEYS`, in their order: the first is the one that encrypts."""
    return list(_ring(tuple(settings.FIELD_ENCRYPTION_KEYS)))


def current_prefix() -> str:
    """How everything begins that is sealed now."""
    return f"{VERSION}:{key_ids()[0]}:"


@lru_cache(maxsize=8)
def _ring(keys: tuple[str, ...]) -> dict[str, Fernet]:
    return {key_id(key): Fernet(key) for key in keys}


def _boxes() -> dict[str, Fernet]:
    return _ring(tuple(settings.FIELD_ENCRYPTION_KEYS))


def _seal(plain: str, column: str, row: str) -> Sealed:
    name, box = next(iter(_boxes().items()))
    inside = _PLACED + json.dumps([column, row, plain]).encode()
    return Sealed(f"{VERSION}:{name}:{box.encrypt(inside).decode()}")


def _open(sealed: Sealed, column: str, row: str) -> str:
    """The secret, if it belongs to this place. What is raised quotes nothing of it."""
    if not sealed.has_place:
        return _open_from_before(sealed)[1]
    box = _boxes().get(sealed.key_id)
    if box is None:
        raise DecryptionFailed(f"the key {sealed.key_id} of this value is not in FIELD_ENCRYPTION_KEYS")
    try:
        inside = box.decrypt(sealed.stored[PREFIX:].encode())
    except InvalidToken:
        raise DecryptionFailed(f"a value of {column} was altered") from None
    if not inside.startswith(_PLACED):
        raise DecryptionFailed(f"a value of {column} was altered")
    its_column, its_row, plain = json.loads(inside[len(_PLACED) :])
    if (its_column, its_row) != (column, row):
        raise DecryptionFailed(f"a value of {column} was copied there from another column or row")
    return str(plain)


def _open_from_before(sealed: Sealed) -> tuple[str, str]:
    """The id of the key that opens a value without a prefix, and the secret."""
    for name, box in _boxes().items():
        try:
            inside = box.decrypt(sealed.stored.encode())
        except InvalidToken:
            continue
        if inside.startswith(_PLACED):
            raise DecryptionFailed("a value was altered: its prefix is gone")
        return name, inside.decode()
    raise DecryptionFailed("no key in FIELD_ENCRYPTION_KEYS opens this value")


def opening_key(sealed: Sealed) -> str:
    """The id of the key that `sealed` needs; nothing when it is from before and no key opens it."""
    if sealed.has_place:
        return sealed.key_id
    try:
        return _open_from_before(sealed)[0]
    except DecryptionFailed:
        return ""


class _Opening(DeferredAttribute):
    """Opens the secret of a row when it is asked for, and not before."""

    field: EncryptedTextField

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        if instance is None:
            return self
        value = super().__get__(instance, cls)
        if isinstance(value, Sealed) and not isinstance(value, Dumped):
            value = instance.__dict__[self.field.attname] = self.field.open(value, self.field.row_of(instance))
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """Holds a secret: encrypted in the database, plain as an attribute, empty string kept as it is.

    `bound_to` names a field of the same row that identifies it and never changes; it must be there before the row is
    saved, so the id of a new row will not do. `values()` gives `Sealed`; a secret is written by `save()` or `create()`,
    and by `update()` only through `sealed_for`, because a secret must know its row.
    """

    descriptor_class = _Opening
    non_db_attrs = (*models.TextField.non_db_attrs, "bound_to")

    def __init__(self, *args: Any, bound_to: str = "", **kwargs: Any) -> None:
        self.bound_to = bound_to
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, kwargs | ({"bound_to": self.bound_to} if self.bound_to else {})

    @property
    def column_label(self) -> str:
        """What a value of this column says about where it belongs."""
        return f"{self.model._meta.label_lower}.{self.name}"

    def row_of(self, instance: models.Model) -> str:
        """What a value says about its row."""
        if not self.bound_to:
            return ""
        value = getattr(instance, self.bound_to)
        if value in (None, ""):
            raise ValueError(f"{self.column_label} needs {self.bound_to} before it can be encrypted")
        return str(value)

    def seal(self, plain: str, row: str) -> Sealed:
        return _seal(plain, self.column_label, row)

    def open(self, sealed: Sealed, row: str) -> str:
        return _open(sealed, self.column_label, row)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return Sealed(value) if value else value

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = super().pre_save(model_instance, add)
        return self.seal(value, self.row_of(model_instance)) if value and isinstance(value, str) else value

    def get_prep_value(self, value: Any) -> Any:
        """For comparisons: what is stored equals only itself, and a plain text nothing."""
        if isinstance(value, Sealed):
            return value.stored
        return self.seal(value, "").stored if value and isinstance(value, str) else value

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if value and isinstance(value, str):
            raise TypeError(f"{self.column_label} is written by save(), or by update() with sealed_for()")
        return super().get_db_prep_save(value, connection)

    def to_python(self, value: Any) -> Any:
        """What `dumpdata` wrote comes back as it was stored."""
        if isinstance(value, str) and value.startswith(f"{VERSION}:"):
            return Dumped(value)
        return value if isinstance(value, Sealed) else super().to_python(value)

    def value_to_string(self, obj: models.Model) -> str:
        """For `dumpdata`: never the secret."""
        plain = self.value_from_object(obj)
        return self.seal(plain, self.row_of(obj)).stored if plain else ""


def sealed_for(instance: models.Model, fields: Mapping[str, Any]) -> dict[str, Any]:
    """`fields` for an `update()` of the row of `instance`: what must be encrypted is."""
    found: dict[str, Any] = {}
    for name, value in fields.items():
        field = instance._meta.get_field(name)
        secret = isinstance(field, EncryptedTextField) and value and isinstance(value, str)
        found[name] = field.seal(value, field.row_of(instance)) if secret else value  # type: ignore[union-attr]
    return found
