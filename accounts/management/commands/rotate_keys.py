"""`manage.py rotate_keys`: every encrypted value under the first key of FIELD_ENCRYPTION_KEYS."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext

from accounts.services.keys import FieldMove, FieldUse, keys_in_use, keys_rotate, lost_keys, removable_keys
from subiteya.lib.cli import EXIT_FAILED, CliCommand
from subiteya.lib.crypto import key_ids
from subiteya.lib.tables import table


class Command(CliCommand):
    help = "Encrypts every secret of the database with the first key; may be stopped and run again at any time."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="change nothing; exit 1 unless only the first key is used"
        )

    def answer(self, options: dict[str, Any]) -> int:
        moves = [] if options["check"] else keys_rotate(told=self._told)
        uses = keys_in_use()
        self.tell(_document(moves, uses), _words(moves, uses))
        return 0 if _done(uses) else EXIT_FAILED

    def _told(self, field: str, seen: int) -> None:
        if not self.as_json:
            self.note(gettext("%(field)s: %(count)s looked at…") % {"field": field, "count": seen})


def _done(uses: list[FieldUse]) -> bool:
    """Nothing needs another key than the first, and every value knows its place."""
    first = key_ids()[0]
    return all(set(use.rows) <= {first} and not use.unbound for use in uses)


def _document(moves: list[FieldMove], uses: list[FieldUse]) -> dict[str, Any]:
    removable = removable_keys(uses)
    return {
        "keys": [
            {
                "id": name,
                "first": place == 0,
                "rows": sum(use.rows[name] for use in uses),
                "removable": name in removable,
            }
            for place, name in enumerate(key_ids())
        ],
        "missing": [{"id": name or None, "rows": rows} for name, rows in sorted(lost_keys(uses).items())],
        "fields": [
            {"field": use.field, "rows": use.rows.total(), "byKey": dict(use.rows), "unbound": use.unbound}
            for use in uses
        ],
        "rotated": [
            {
                "field": move.field,
                "moved": move.moved,
                "changedMeanwhile": move.changed_meanwhile,
                "unreadable": move.unreadable,
                "left": move.left,
            }
            for move in moves
        ],
        "done": _done(uses),
    }


def _words(moves: list[FieldMove], uses: list[FieldUse]) -> str:
    parts = []
    if moves:
        head = [
            gettext("field"),
            gettext("moved"),
            gettext("changed meanwhile"),
            gettext("unreadable"),
            gettext("left"),
        ]
        rows = [
            [move.field, str(move.moved), str(move.changed_meanwhile), str(move.unreadable), str(move.left)]
            for move in moves
        ]
        parts += [table([head, *rows]), ""]
    parts.append(table([[gettext("key"), gettext("rows"), gettext("state")], *_key_rows(uses)]))
    if not _done(uses):
        parts += ["", gettext("Some values still need another key than the first, or are from before keys had ids.")]
    return "\n".join(parts)


def _key_rows(uses: list[FieldUse]) -> list[list[str]]:
    removable, rows = removable_keys(uses), []
    for place, name in enumerate(key_ids()):
        state = (
            gettext("encrypts") if place == 0 else gettext("may be removed") if name in removable else gettext("in use")
        )
        rows.append([name, str(sum(use.rows[name] for use in uses)), state])
    missing = gettext("MISSING: put it back")
    return rows + [[name or "?", str(count), missing] for name, count in sorted(lost_keys(uses).items())]
