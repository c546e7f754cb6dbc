"""`manage.py api_key`: make, list and revoke the keys of programs without the admin."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from monitoring.models import ApiKey, KeyScope
from monitoring.services.keys import key_make, key_revoke


class Command(BaseCommand):
    help = "Makes, lists or revokes keys of programs (Grafana, Prometheus, Alertmanager)."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        make = actions.add_parser("make", help="print a new key, the only time that it is shown")
        make.add_argument("scope", choices=KeyScope.values)
        make.add_argument("name", help="who uses it")
        actions.add_parser("list", help="list the keys that are valid")
        revoke = actions.add_parser("revoke", help="make a key open nothing")
        revoke.add_argument("prefix", help="how the key begins, as `list` shows it")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        getattr(self, f"_{action}")(**options)

    def _make(self, *, scope: str, name: str, **_options: Any) -> None:
        _key, text = key_make(name=name, scope=KeyScope(scope))
        self.stdout.write(text)

    def _list(self, **_options: Any) -> None:
        for key in ApiKey.objects.filter(revoked_at=None).order_by("pk"):
            self.stdout.write(f"{key.prefix}  {key.scope:<8}  {key.created_at:%Y-%m-%d}  {key.name}")

    def _revoke(self, *, prefix: str, **_options: Any) -> None:
        found = list(ApiKey.objects.filter(prefix=prefix, revoked_at=None))
        if len(found) != 1:
            raise CommandError(f"{len(found)} valid keys begin with {prefix!r}; `manage.py api_key list` shows them.")
        key_revoke(key=found[0])
        self.stdout.write(f"{found[0].name}: revoked")
