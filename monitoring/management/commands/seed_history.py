"""`manage.py seed_history`: fill an empty database with an invented agency's past, to see how fast the product is."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.translation import gettext

from accounts.models import TikTokAccount
from monitoring.seeding.history import Wish, history_write, is_empty
from subiteya.lib.cli import EXIT_FAILED, CliCommand, Refused


class Command(CliCommand):
    help = "Fills an empty database with an invented agency's past. For measuring only, with the sandbox."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--videos", type=int, default=100_000, help="how many videos (default: 100000)")
        parser.add_argument("--accounts", type=int, default=2_000, help="of how many accounts (default: 2000)")
        parser.add_argument("--months", type=int, default=18, help="over how many months (default: 18)")
        parser.add_argument("--seed", type=int, default=1, help="the same number tells the same history (default: 1)")

    def answer(self, options: dict[str, Any]) -> int:
        wish = Wish(**{name: options[name] for name in ("videos", "accounts", "months", "seed")})
        self._require(wish)
        written = history_write(wish, timezone.now(), self._say)
        document = {"videos": written, "accounts": wish.accounts, "months": wish.months, "seed": wish.seed}
        self.tell(document, gettext("%(videos)s videos of %(accounts)s accounts over %(months)s months.") % document)
        return 0

    def _require(self, wish: Wish) -> None:
        if not settings.TIKTOK_SANDBOX:
            raise Refused(
                "not_a_sandbox",
                gettext("An invented past belongs beside TikTok's sandbox only, and TIKTOK_SANDBOX is off."),
                exit_code=EXIT_FAILED,
            )
        if not is_empty() or TikTokAccount.objects.exists():
            raise Refused(
                "not_empty",
                gettext("This database has videos or accounts already; an invented past needs an empty one."),
                exit_code=EXIT_FAILED,
            )
        for name in ("videos", "accounts", "months"):
            if getattr(wish, name) < 1:
                raise Refused("too_few", gettext("It must be 1 or more."), field=name)

    def _say(self, text: str) -> None:
        self.screen.write(f"{text}\n")
        self.screen.flush()
