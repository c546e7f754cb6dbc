"""docs/cli.md says what the commands can do."""

from __future__ import annotations

import pytest
from django.core.management import load_command_class
from django.core.management.base import BaseCommand

from publishing.demo.cast import PEOPLE
from tests.processes import ROOT

PAGE = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
COMMANDS = {
    "publish": "publishing", "videos": "publishing", "demo": "publishing", "demo_data": "publishing",
    "account_import": "accounts",
}  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_it_explains_every_option(name):
    parser = load_command_class(COMMANDS[name], name).create_parser("manage.py", name)
    general = BaseCommand().create_parser("manage.py", name)
    known = {option for action in general._actions for option in action.option_strings}

    options = {option for action in parser._actions for option in action.option_strings} - known

    assert options
    assert not [option for option in options if option not in PAGE]


def test_it_names_the_demos_people():
    assert not [person for person in PEOPLE if f"| `{person.username}` | `{person.password}` |" not in PAGE]
