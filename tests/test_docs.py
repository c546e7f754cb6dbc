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
    for app in ("subiteya", "audit", "accounts", "publishing", "insights", "monitoring", "notices"):
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


def named_in(path: str) -> set[str]:
    """The tests of a file, those of classes with the class's name before them."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    for group in tree.body:
        if isinstance(group, ast.ClassDef):
            names |= {f"{group.name}::{node.name}" for node in group.body if isinstance(node, ast.FunctionDef)}
    return {name for name in names if name.rpartition("::")[2].startswith("test_")}


def claimed() -> list[tuple[str, str]]:
    """(file, test) of each test that docs/security.md names."""
    page = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    return re.findall(r"`(tests/[\w/]+\.py)::([\w:]+)`", page)


def test_it_names_only_tests_that_exist_for_what_it_claims() -> None:
    assert len(claimed()) > 80
    assert [f"{path}::{name}" for path, name in claimed() if name not in named_in(path)] == []


def test_it_has_a_test_for_each_item_that_it_claims() -> None:
    """Each row of the tables: ids, what we do, a page that is there, a test."""
    page = (ROOT / "docs/security.md").read_text(encoding="utf-8").partition("## What is not claimed")[0]
    rows = [line.strip("|").split("|") for line in page.splitlines() if re.match(r"\| \d", line)]

    assert len(rows) > 40
    for row in rows:
        assert len(row) == 4, row
        ids, _what, pages, tests = row
        assert re.match(r" \d+\.\d+\.\d+", ids)
        assert re.fullmatch(r" (`tests/[\w/]+\.py::[\w:]+`(, )?)+ ", tests), tests
        assert [name for name in re.findall(r"\((.+?)\)", pages) if not (ROOT / "docs" / name).is_file()] == []


def test_it_lists_every_page_once_in_the_readme() -> None:
    table = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Where to read on")[2].partition("## ")[0]
    listed = re.findall(r"`docs/(\w+\.md)`", "".join(re.findall(r"^\|([^|]+)\|", table, re.MULTILINE)))

    assert sorted(listed) == sorted(path.name for path in (ROOT / "docs").glob("*.md"))
