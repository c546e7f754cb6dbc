"""`manage.py tokens`: how old the accounts' tokens are and how long they live. Opens none of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.translation import gettext

from accounts.selectors import TokenState, TokenStatus, token_states
from subiteya.lib.cli import CliCommand, Refused
from subiteya.lib.tables import table


class Command(CliCommand):
    help = "Lists the accounts' tokens: ages, lives, keys. Never a secret."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--account", default="", metavar="@NAME", help="only this one")

    def answer(self, options: dict[str, Any]) -> int:
        now = timezone.now()
        name = options["account"].removeprefix("@").lower()
        states = [state for state in token_states(now) if not name or state.account.lower() == name]
        if name and not states:
            raise Refused(
                "account_unknown", gettext("There is no account @%(name)s.") % {"name": name}, field="account"
            )
        self.tell({"tokens": [_document(state, now) for state in states]}, _words(states, now))
        return 0


def _document(state: TokenState, now: datetime) -> dict[str, Any]:
    def left(at: datetime | None) -> int | None:
        return int((at - now).total_seconds()) if at else None

    def since(at: datetime | None) -> int | None:
        return int((now - at).total_seconds()) if at else None

    return {
        "account": f"@{state.account}",
        "status": state.status.value,
        "scopes": sorted(state.scopes),
        "accessExpiresInSeconds": left(state.access_expires_at),
        "refreshExpiresInSeconds": left(state.refresh_expires_at),
        "refreshAgeSeconds": since(state.refresh_issued_at),
        "lastRefreshedAt": state.refreshed_at.isoformat() if state.refreshed_at else None,
        "keys": state.key_ids,
    }


def _words(states: list[TokenState], now: datetime) -> str:
    if not states:
        return gettext("No accounts.")
    head = [
        gettext("account"), gettext("status"), gettext("access expires in"), gettext("refresh expires in"),
        gettext("refresh age"), gettext("last refreshed"), gettext("key"), gettext("permissions"),
    ]  # fmt: skip
    return table([head, *(_cells(state, now) for state in states)])


def _cells(state: TokenState, now: datetime) -> list[str]:
    def life(at: datetime | None) -> str:
        return _span(at - now) if at else "—"

    def age(at: datetime | None) -> str:
        return _span(now - at) if at else "—"

    return [
        f"@{state.account}",
        _status_words(state.status),
        life(state.access_expires_at),
        life(state.refresh_expires_at),
        age(state.refresh_issued_at),
        age(state.refreshed_at),
        " ".join(state.key_ids) or "—",
        ",".join(sorted(state.scopes)) or "—",
    ]


def _status_words(status: TokenStatus) -> str:
    words = {
        TokenStatus.GOOD: gettext("good"),
        TokenStatus.REFRESH_DUE: gettext("refreshes at its next use"),
        TokenStatus.ENDS_SOON: gettext("ENDS SOON: reconnect"),
        TokenStatus.ENDED: gettext("ENDED: reconnect"),
        TokenStatus.DISCONNECTED: gettext("disconnected"),
    }
    return words[status]


def _span(length: timedelta) -> str:
    """Two units are enough: `364d 3h`, `7h 12m`, `0m`; a minus for what is over."""
    minutes = int(abs(length).total_seconds() // 60)
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    text = f"{days}d {hours}h" if days else f"{hours}h {minutes}m" if hours else f"{minutes}m"
    return f"-{text}" if length < timedelta(0) else text
