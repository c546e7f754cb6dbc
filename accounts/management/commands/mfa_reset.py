"""`manage.py mfa_reset`: for the administrator whose phone and recovery codes are both gone."""

from __future__ import annotations

import logging
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from accounts.services.second_factor import second_factor_remove

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Forgets a person's second factor and ends their sessions."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is nobody called {username!r}.")
        if not second_factor_remove(user=user):
            raise CommandError(f"{username} has no second factor.")
        logger.warning("second_factor_forgotten", extra={"user_id": user.pk})
        self.stdout.write(f"{username}: second factor forgotten, sessions ended.")
