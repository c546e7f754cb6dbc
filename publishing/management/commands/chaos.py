"""`manage.py chaos`: breaks a private installation on purpose while it publishes, and judges what came out."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import CommandParser
from django.utils.translation import gettext

from publishing.chaos.run import Wanted, run_chaos
from publishing.chaos.stage import is_postgresql, stage
from publishing.demo.running import ShowFailed, ended, start_command
from subiteya.lib.cli import EXIT_FAILED, CliCommand, Refused

MOST_VIDEOS = 2000
SHOWN = (
    "submitted", "posted", "rejected", "unconfirmed", "failed", "lost", "double_posted", "byte_mismatches",
    "temp_leaks", "seconds", "seed", "database", "kills", "swept",
)  # fmt: skip


class Command(CliCommand):
    help = "Kills, freezes and cuts off a private installation while it publishes; exit 0 only if nothing went wrong."

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_argument
        add("--videos", type=int, default=100, metavar="N", help="how many to publish (default: 100)")
        add("--seed", type=int, default=1, metavar="N", help="of everything that is random (default: 1)")
        add("--seconds", type=float, default=1800.0, metavar="LIMIT", help="what is not over then is lost")
        add("--database", default="", metavar="URL", help="a PostgreSQL server, for a new database (default: SQLite)")
        add("--keep", action="store_true", help="leave the folder and the database, and say where they are")
        add("--inside", default="", metavar="FOLDER", help="used by the command itself")

    def answer(self, options: dict[str, Any]) -> int:
        if not 1 <= options["videos"] <= MOST_VIDEOS or options["seconds"] <= 0:
            words = gettext("Between 1 and %(most)s videos, and more than no seconds.") % {"most": MOST_VIDEOS}
            raise Refused("out_of_range", words, field="videos")
        wanted = Wanted(videos=options["videos"], seed=options["seed"], seconds=options["seconds"])
        return self._inside(wanted, options["inside"]) if options["inside"] else self._outside(wanted, options)

    def _outside(self, wanted: Wanted, options: dict[str, Any]) -> int:
        """Make the stage, and run this command again on it: settings are read once per process."""
        try:
            with stage(database=_database(options["database"]), keep=options["keep"]) as environment:
                code, document = _on_stage(wanted, environment)
        except psycopg.Error as error:
            words = gettext("No database can be made there: %(why)s") % {"why": str(error).strip()}
            raise Refused("database", words, field="database", exit_code=EXIT_FAILED) from None
        if options["keep"]:
            document |= {"folder": environment["SUBITEYA_VAR_DIR"], "database_url": environment["DATABASE_URL"]}
        self.tell(document, _words(document))
        return code

    def _inside(self, wanted: Wanted, folder: str) -> int:
        if Path(folder) != settings.VAR_DIR:
            raise Refused("inside", gettext("--inside is for the command itself."), field="inside")
        os.umask(0o077)
        try:
            verdict, document = run_chaos(wanted, say=self._say)
        except ShowFailed as failure:
            raise Refused("stopped", f"{failure}\n{failure.tail}", exit_code=EXIT_FAILED) from None
        self.tell(document, "")
        return 0 if verdict.is_good else EXIT_FAILED

    def _say(self, words: str) -> None:
        self.note(words)


def _database(given: str) -> str:
    """The server that was named, else the configured one when it is PostgreSQL, else none."""
    if given and not is_postgresql(given):
        raise Refused("database", gettext("--database takes postgres://…"), field="database")
    configured = os.environ.get("DATABASE_URL", "")
    return given or (configured if is_postgresql(configured) else "")


def _on_stage(wanted: Wanted, environment: dict[str, str]) -> tuple[int, dict[str, Any]]:
    numbers = [f"--videos={wanted.videos}", f"--seed={wanted.seed}", f"--seconds={wanted.seconds}"]
    arguments = ["chaos", "--json", f"--inside={environment['SUBITEYA_VAR_DIR']}", *numbers]
    process = start_command(arguments, environment, subprocess.PIPE, None)
    with ended(process):
        output, _none = process.communicate()
    try:
        return process.returncode, json.loads(output)
    except ValueError:
        words = gettext("The run broke off (exit code %(code)s).") % {"code": process.returncode}
        raise Refused("broken", words, exit_code=EXIT_FAILED) from None


def _words(document: dict[str, Any]) -> str:
    if "error" in document:
        return str(document["error"]["message"])
    lines = [
        f"{name:<16} {document[name]}" for name in (*SHOWN, "folder", "database_url") if document.get(name) is not None
    ]
    strikes = ", ".join(f"{name} {count}" for name, count in document["strikes"].items())
    return "\n".join([*lines, f"{'strikes':<16} {strikes}", *map(str, document["findings"])])
