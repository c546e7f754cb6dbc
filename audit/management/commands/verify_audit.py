"""`manage.py verify_audit`: is the audit record what was written, all of it?"""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.utils.translation import gettext

from audit.services.checking import Broken, Checked, Damage, Mark, audit_check
from audit.triggers import triggers_present


class Command(BaseCommand):
    help = "Checks the whole audit record; exit code 1 when it is not what was written."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
        parser.add_argument("--head", action="store_true", help="print the last entry's HASH@NUMBER, to keep elsewhere")
        parser.add_argument("--expect", metavar="HASH@NUMBER", help="a head that was kept: it must be in the record")
        parser.add_argument("--after", metavar="HASH@NUMBER", help="begin after this entry: older ones were archived")

    def handle(self, *args: Any, **options: Any) -> None:
        found = audit_check(after=_mark(options["after"]), expect=_mark(options["expect"]))
        guarded = triggers_present(connection)
        if options["json"]:
            self.stdout.write(json.dumps(_document(found, guarded)))
        elif options["head"] and not found.broken:
            self.stdout.write(str(found.last))
        else:
            self._tell(found, guarded)
        if found.broken:
            sys.exit(1)

    def _tell(self, found: Checked, guarded: bool) -> None:
        text = gettext("%(entries)s entries hold; %(unsealed)s wait for their place.")
        self.stdout.write(text % {"entries": found.entries, "unsealed": found.unsealed})
        if not guarded:
            self.stderr.write(
                gettext("The database does not guard the record: its triggers are gone (manage.py migrate).")
            )
        if found.broken:
            self.stderr.write(_sentence(found.broken))
        else:
            self.stdout.write(gettext("Head: %(head)s") % {"head": found.last})


def _mark(text: str | None) -> Mark | None:
    try:
        return Mark.parse(text) if text else None
    except ValueError as error:
        raise CommandError(str(error), returncode=2) from None


def _document(found: Checked, guarded: bool) -> dict[str, Any]:
    broken = found.broken
    return {
        "ok": broken is None, "entries": found.entries, "unsealed": found.unsealed, "guarded": guarded,
        "head": {"sequence": found.last.sequence, "hash": found.last.hash},
        "broken": broken and {"damage": broken.damage, "sequence": broken.sequence, "entry": broken.entry},
    }  # fmt: skip


def _sentence(broken: Broken) -> str:
    words = {
        Damage.ALTERED: gettext("Entry %(number)s was altered after it was written."),
        Damage.MISSING: gettext("Entry %(number)s is missing."),
        Damage.REORDERED: gettext("Entry %(number)s does not follow the one before it."),
        Damage.FORGED: gettext("Entry %(number)s was not put there by SubiteYa."),
        Damage.KEY_UNKNOWN: gettext("Entry %(number)s is signed with a key that is not in the settings."),
    }
    number = broken.sequence if broken.sequence is not None else f"id {broken.entry}"
    return words[broken.damage] % {"number": number}
