"""`manage.py demo_data`: the demo's people, accounts and history, loaded into a database with a running sandbox."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils.translation import gettext

from publishing.demo.load import DemoRefused, demo_load
from publishing.demo.stand_in import StandIn, StandInFailed
from subiteya.lib.cli import EXIT_FAILED, CliCommand, Refused


class Command(CliCommand):
    help = "Loads the demo's accounts and a month of history; running it again adds nothing twice."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--sandbox-url", default=settings.SANDBOX_URL, help="where TikTok's sandbox answers")

    def answer(self, options: dict[str, Any]) -> int:
        try:
            loaded = demo_load(StandIn(options["sandbox_url"]))
        except DemoRefused as refusal:
            raise Refused("not_a_demo", str(refusal), exit_code=EXIT_FAILED) from None
        except StandInFailed as failure:
            raise Refused("sandbox_unreachable", str(failure), exit_code=EXIT_FAILED) from None
        document = {"accounts": loaded.accounts, "videos": loaded.videos, "written": loaded.written}
        words = gettext("%(accounts)s accounts, %(videos)s videos (%(written)s of them new).")
        self.tell(document, words % document)
        return 0
