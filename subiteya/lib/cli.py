"""The base of the commands that answer people in words and scripts in one JSON document."""

from __future__ import annotations

import json
import logging
import sys
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.utils.translation import gettext

from subiteya.lib.tracing import span

#: The file, TikTok or the outcome; what was typed; Ctrl-C.
EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130


class Refused(Exception):
    """The command does not do it; str() is a sentence for a person, `field` the option that is to blame."""

    def __init__(self, code: str, message: str, *, field: str = "", exit_code: int = EXIT_USAGE) -> None:
        self.code, self.field, self.exit_code = code, field, exit_code
        super().__init__(message)


class CliCommand(BaseCommand):
    """A command with `--json`. Then stdout is one JSON document and nothing else, also when it refuses."""

    requires_system_checks = []
    as_json = False
    #: Where progress and notes go, past Django's wrapper, which would colour and end every piece.
    screen: TextIO = sys.stderr

    @abstractmethod
    def answer(self, options: dict[str, Any]) -> int:
        """Do it, `tell` the result, return the exit code. Raises Refused."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, allow_abbrev=False, **kwargs)
        parser.called_from_command_line = False  # its errors are raised: with --json they become a document
        parser.add_argument("--json", action="store_true", help="write one JSON document to stdout, and nothing else")
        return parser

    def run_from_argv(self, argv: list[str]) -> None:
        try:
            super().run_from_argv(argv)
        except CommandError as error:  # the parser's: nothing has run yet
            self.as_json = "--json" in argv
            if not self.as_json:
                self.stderr.write(self.create_parser(argv[0], argv[1]).format_usage().strip())
            sys.exit(self._refuse(Refused("usage", str(error).removeprefix("Error: "))))

    def handle(self, *args: Any, **options: Any) -> None:
        self.as_json = options["json"]
        self.screen = options.get("stderr") or sys.stderr
        name = type(self).__module__.rpartition(".")[2]
        with span(f"manage.py {name}", parent="", minor=True) as at:
            code = self._answered(options)
            at.set_attribute("process.exit.code", code)
        if code:
            sys.exit(code)

    def _answered(self, options: dict[str, Any]) -> int:
        try:
            with _log_of(options["verbosity"]):
                return self.answer(options)
        except Refused as refusal:
            return self._refuse(refusal)
        except DatabaseError as error:
            return self._refuse(_no_database(error))
        except KeyboardInterrupt:
            return self._refuse(Refused("interrupted", gettext("Interrupted."), exit_code=EXIT_INTERRUPTED))

    def tell(self, document: dict[str, Any], words: str) -> None:
        """The answer: `document` for a script, `words` for a person."""
        self.stdout.write(json.dumps(document, ensure_ascii=False) if self.as_json else words)

    def note(self, words: str) -> None:
        """Something a person should know besides the answer."""
        self.screen.write(f"{words}\n")

    def _refuse(self, refusal: Refused) -> int:
        if self.as_json:
            error = {"code": refusal.code, "message": str(refusal), "field": refusal.field or None}
            self.tell({"error": error}, "")
        else:
            self.stderr.write(gettext("error: %(sentence)s") % {"sentence": refusal})
        return refusal.exit_code


@contextmanager
def _log_of(verbosity: int) -> Iterator[None]:
    """A person reads the sentences: the log beside them only warns, unless `-v 2` asks for all of it."""
    root = logging.getLogger()
    level = root.level
    if verbosity < 2:
        root.setLevel(max(level, logging.WARNING))
    try:
        yield
    finally:
        root.setLevel(level)


def _no_database(error: DatabaseError) -> Refused:
    why = next(iter(str(error).strip().splitlines()), type(error).__name__)
    words = gettext("The database cannot be used (%(why)s). Is it running, and was “manage.py migrate” run?")
    return Refused("database", words % {"why": why}, exit_code=EXIT_FAILED)
