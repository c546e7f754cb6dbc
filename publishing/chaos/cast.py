"""Who publishes: one administrator, and accounts that are connected to the sandbox."""

from __future__ import annotations

from accounts.models import User
from accounts.services.connections import account_import
from publishing.chaos.control import Control
from publishing.models import AccountBrand, BrandPattern

ACCOUNTS = 8
#: Every other account has a look of its own, so that each source is edited twice.
LOOK = {"fit": "crop", "contrast": 1.1}
DAILY_POST_CAP = 10_000


def make_cast(control: Control) -> tuple[User, list[str]]:
    """The administrator, and the accounts' names."""
    admin = User.objects.create_superuser("chaos", password=None)
    pattern = BrandPattern.objects.create(name="Chaos", **LOOK)
    names = [f"chaos.{number}" for number in range(1, ACCOUNTS + 1)]
    for index, name in enumerate(names):
        control.account(name, daily_post_cap=DAILY_POST_CAP)
        account, _new = account_import(
            answer=control.tokens(name), username=name, sector_name="Chaos", actor=admin, managers=[admin]
        )
        if index % 2:
            AccountBrand.objects.create(account=account, pattern=pattern)
    return admin, names
