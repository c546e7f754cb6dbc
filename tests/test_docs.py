"""The pages that must agree with the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

import pytest

from subiteya.lib import env
from tests.processes import ROOT

READERS = {name for name in vars(env) if not name.startswith("_") and callable(getattr(env, name))}
#: Django's own: it is read before any of ours.
DJANGO = {"DJANGO_SETTINGS_MODULE"}
#: The terminal's.
TERMINAL = {"TERM"}


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Every `env.reader("NAME", …)` in the code, with its name."""
    for app in ("subiteya", "accounts", "publishing", "monitoring"):
        for path in sorted((ROOT / app).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and (name := read_name(node)):
                    yield name, node


def read_name(node: ast.Call) -> str:
    """The setting that this call reads from the environment, or nothing."""
    called = ast.unparse(node.func)
    reads = called in {"os.environ.get", "os.getenv"}
    reads |= called.startswith("env.") and called.removeprefix("env.") in READERS
    first = node.args[0] if node.args else None
    is_name = isinstance(first, ast.Constant) and re.fullmatch(r"[A-Z][A-Z0-9_]+", str(first.value))
    return str(first.value) if reads and is_name else ""


def documented() -> dict[str, str]:
    """Name → default cell of each row of docs/settings.md."""
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^\| `([A-Z0-9_]+)` \| (.*?) ?\| .+ \|$", page, re.MULTILINE))


def test_it_finds_the_settings_of_the_code() -> None:
    assert {"SECRET_KEY", "DATABASE_URL", "SUBITEYA_WEB_PORT"} <= {name for name, _ in calls()}


def test_it_documents_every_setting_and_no_other() -> None:
    assert set(documented()) == {name for name, _ in calls()} - DJANGO - TERMINAL


def test_it_lists_every_setting_in_the_example() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")

    listed = re.findall(r"^#?([A-Z][A-Z0-9_]+)=", example, re.MULTILINE)

    assert sorted(listed) == sorted({*documented(), *DJANGO})


def constant_defaults() -> list[Any]:
    """(name, default as the page should write it) of each reader whose default is written out in base.py."""
    found = []
    for name, call in calls():
        given = [*call.args[1:2], *(word.value for word in call.keywords if word.arg == "default")]
        if given and not isinstance(given[0], (ast.Name, ast.Subscript)):
            try:
                value = eval(compile(ast.Expression(given[0]), "default", "eval"), {})
            except NameError:
                continue
            if value != "":
                found.append(pytest.param(name, str(value).lower() if value is True or value is False else str(value)))
    return found


@pytest.mark.parametrize(("name", "default"), constant_defaults())
def test_it_gives_the_default_of_the_code(name: str, default: str) -> None:
    assert f"`{default}`" in documented()[name]
