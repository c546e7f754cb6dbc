"""`manage.py account_import`: accounts whose OAuth answer was obtained elsewhere (moves, headless set-ups)."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils.translation import gettext

from accounts.models import User
from accounts.services.connections import ImportInvalid, account_import

INPUT_MAX = 2_000_000
#: Field -> what it must be. Texts may not be empty.
ANSWER = {
    "open_id": str,
    "access_token": str,
    "refresh_token": str,
    "expires_in": int,
    "refresh_expires_in": int,
    "scope": str,
}
OURS = {"username": str, "sector": str}
OPTIONAL = {"display_name": str, "time_zone": str}


class Command(BaseCommand):
    help = "Imports accounts from OAuth answers in JSON; importing one again renews its tokens."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", required=True, metavar="FILE", help="a JSON object or list; - reads stdin")
        parser.add_argument(
            "--manager", action="append", default=[], metavar="USERNAME", help="community manager in charge; repeatable"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        managers = [_manager(name) for name in options["manager"]]
        entries = _entries(options["json"])
        with transaction.atomic():  # all of them or none
            done = [_import(entry, _place(index, entries), managers) for index, entry in enumerate(entries)]
        self.stdout.write("\n".join(done))


def _manager(username: str) -> User:
    user: User | None = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        raise _bad(gettext("There is no person %(name)s.") % {"name": username})
    return user


def _entries(name: str) -> list[Any]:
    """The objects of the document; errors never quote it, since it is full of tokens."""
    try:
        if name == "-":
            document = _document(sys.stdin.buffer)
        else:
            with Path(name).open("rb") as file:
                document = _document(file)
    except OSError as error:
        raise _bad(gettext("%(name)s cannot be read: %(why)s.") % {"name": name, "why": error.strerror}) from None
    entries = document if isinstance(document, list) else [document]
    if not entries:
        raise _bad(gettext("The list is empty."))
    return entries


def _document(file: BinaryIO) -> Any:
    data = file.read(INPUT_MAX + 1)
    if len(data) > INPUT_MAX:
        raise _bad(gettext("That is too long for OAuth answers."))
    try:
        return json.loads(data)
    except json.JSONDecodeError as error:
        raise _bad(gettext("That is not JSON (line %(line)s).") % {"line": error.lineno}) from None
    except UnicodeDecodeError:
        raise _bad(gettext("That is not UTF-8 text.")) from None
    except (ValueError, RecursionError):  # a number or a nesting beyond all reason
        raise _bad(gettext("That is too long for OAuth answers.")) from None


def _place(index: int, entries: list[Any]) -> str:
    """Which of several entries an error is about."""
    return gettext("Entry %(number)s: ") % {"number": index + 1} if len(entries) > 1 else ""


def _import(entry: Any, place: str, managers: Iterable[User]) -> str:
    """Import one entry; return the line that says so."""
    if not isinstance(entry, Mapping):
        raise _bad(place + gettext("a JSON object is expected."))
    for field, kind in {**ANSWER, **OURS}.items():
        _check(entry.get(field), field, kind, place)
    for field, kind in OPTIONAL.items():
        if entry.get(field):
            _check(entry[field], field, kind, place)
    try:
        account, new = account_import(
            answer={field: entry[field] for field in ANSWER},
            username=entry["username"],
            sector_name=entry["sector"],
            managers=managers,
            display_name=entry.get("display_name") or "",
            time_zone=entry.get("time_zone") or "",
        )
    except ImportInvalid as error:
        raise _bad(f"{place}{error}") from None
    renewed = gettext("%(account)s was here already; its tokens are renewed.")
    return (gettext("%(account)s imported.") if new else renewed) % {"account": account}


def _check(value: Any, field: str, kind: type, place: str) -> None:
    if isinstance(value, kind) and not isinstance(value, bool) and value:
        return
    words = gettext("%(field)s must be a text.") if kind is str else gettext("%(field)s must be a number of seconds.")
    if value is None:
        words = gettext("%(field)s is missing.")
    raise _bad(place + words % {"field": field})


def _bad(words: str) -> CommandError:
    return CommandError(words, returncode=2)
