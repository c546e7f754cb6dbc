"""Results as plain JSON, and back: what a report said is kept, and shown again as it was."""

from __future__ import annotations

import types
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

Result = TypeVar("Result")


def as_plain(value: Any) -> Any:
    """Lists, dictionaries, numbers and texts that say what `value` says."""
    if is_dataclass(value):
        return {part.name: as_plain(getattr(value, part.name)) for part in fields(value)}
    if isinstance(value, dict):
        return {name: as_plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [as_plain(part) for part in value]
    if isinstance(value, date):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value


def of_plain(kind: type[Result], plain: Any) -> Result:
    """The value that was made plain. Raises KeyError, TypeError or ValueError where that was of another shape."""
    return cast(Result, _read(kind, plain))


def _read(kind: Any, plain: Any) -> Any:
    origin, inside = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):  # of something and None
        return None if plain is None else _read(next(part for part in inside if part is not types.NoneType), plain)
    if origin in (tuple, list):
        return origin(_read(inside[0], part) for part in plain)
    if origin is dict:
        return {name: _read(inside[1], part) for name, part in plain.items()}
    if isinstance(kind, type) and is_dataclass(kind):
        return kind(**{name: _read(part, plain[name]) for name, part in _parts(kind).items()})
    if kind is date:
        return date.fromisoformat(plain)
    return kind(plain)


@cache
def _parts(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {part.name: hints[part.name] for part in fields(kind)}
