"""House rules that no linter knows. Each test lists the places that break its rule."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeVar

from tests.processes import ROOT

APPS = ("subiteya", "audit", "accounts", "publishing", "insights", "monitoring", "notices")
MAX_FUNCTION_LINES = 40
MAX_FILE_LINES = 400
#: Where the one conditional UPDATE of each state machine lives.
MOVERS = {"publishing/services/jobs.py", "publishing/services/videos.py"}

Kind = TypeVar("Kind", bound=ast.AST)


@cache
def sources() -> dict[str, ast.Module]:
    """Path → parsed module, for every module of ours but the generated migrations."""
    paths = [path for app in APPS for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts]
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def nodes(kind: type[Kind]) -> Iterator[tuple[str, Kind]]:
    """Every node of `kind`, with the path it is in."""
    for path, tree in sources().items():
        for node in ast.walk(tree):
            if isinstance(node, kind):
                yield path, node


def at(path: str, node: ast.stmt | ast.expr) -> str:
    return f"{path}:{node.lineno}"


def code_lines(node: ast.FunctionDef) -> int:
    """Lines from `def` on, without the docstring."""
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    if ast.get_docstring(node) is not None:
        lines -= (node.body[0].end_lineno or 0) - node.body[0].lineno + 1
    return lines


def test_it_sees_the_sources() -> None:
    assert {"publishing/states.py", "subiteya/lib/env.py", "accounts/models.py"} <= sources().keys()


def test_it_keeps_files_small() -> None:
    assert not [p for p in sources() if len(Path(ROOT, p).read_text().splitlines()) > MAX_FILE_LINES]


def test_it_keeps_functions_small() -> None:
    assert not [at(p, node) for p, node in nodes(ast.FunctionDef) if code_lines(node) > MAX_FUNCTION_LINES]


def test_it_says_what_each_module_is_for() -> None:
    silent = [path for path, tree in sources().items() if tree.body and not ast.get_docstring(tree)]

    assert not [path for path in silent if Path(path).name not in {"__init__.py", "apps.py"}]


def test_it_changes_states_only_through_the_move_functions() -> None:
    """`row.status = …; row.save()` would overwrite what another process has done meanwhile."""
    targets = [(path, part) for path, node in nodes(ast.Assign) for target in node.targets for part in ast.walk(target)]

    assert not [
        at(path, target)
        for path, target in targets
        if isinstance(target, ast.Attribute)
        and target.attr == "status"
        and ast.unparse(target.value) != "self"
        and path.startswith("publishing/")
        and path not in MOVERS
    ]


def test_it_names_the_fields_that_it_saves() -> None:
    """A bare `save()` of a loaded row writes every column, also those that another process changed."""
    assert not [
        at(path, node)
        for path, node in nodes(ast.Call)
        if isinstance(node.func, ast.Attribute)
        and node.func.attr == "save"
        and not node.args
        and not node.keywords
        and not ast.unparse(node.func.value).endswith("form")
    ]


def test_it_mounts_the_apps_only_at_the_top() -> None:
    """subiteya/urls.py alone knows the apps' addresses; the rest of subiteya/ knows no app."""
    imports = [(path, node.module or "") for path, node in nodes(ast.ImportFrom)]
    imports += [(path, alias.name) for path, node in nodes(ast.Import) for alias in node.names]
    importing = {path for path, name in imports if name.split(".")[0] in APPS[1:] and path.startswith("subiteya/")}

    assert importing <= {"subiteya/urls.py", "subiteya/wsgi.py"}
