"""Migrations that the code before them survives: what a later one may not do, and the code to try it with.

Hosts are updated one by one, after the migration (docs/scaling.md): for a while old code works on the new tables.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

ROOT = Path(__file__).resolve().parents[1]
#: The last migration of each app in the newest release. A release moves these on, and empties REASONS.
RELEASED = {"accounts": 6, "audit": 2, "insights": 5, "monitoring": 3, "notices": 3, "publishing": 17}
#: ("app", "0042_name") of a later migration that breaks the rule on purpose → why old code survives it.
REASONS: dict[tuple[str, str], str] = {}
#: Old code asks for what these take away.
TAKES_AWAY = (
    migrations.RemoveField, migrations.RenameField, migrations.RenameModel, migrations.DeleteModel,
    migrations.AlterModelTable,
)  # fmt: skip
COMMITS = 500


def later() -> Iterator[tuple[tuple[str, str], list[str]]]:
    """Each of our migrations after the newest release, with what is wrong with it."""
    loader = MigrationLoader(None)
    for key, migration in sorted(loader.disk_migrations.items()):
        app, name = key
        if app in RELEASED and number_of(name) > RELEASED[app]:
            before = loader.project_state(key, at_end=False)
            yield key, complaints(app, migration.operations, before)


def number_of(name: str) -> int:
    return int(name.split("_", 1)[0])


def complaints(app: str, operations: list[Operation], before: ProjectState) -> list[str]:
    """What of these operations, done on the tables of `before`, old code would stumble over."""
    state, found = before.clone(), []
    for operation in operations:
        made = {name for known, name in state.models if known == app} - {name for _app, name in before.models}
        if why := _complaint(app, operation, state, made):
            found.append(f"{operation.describe()}: {why}")
        operation.state_forwards(app, state)
    return found


def _complaint(app: str, operation: Operation, state: ProjectState, made: set[str]) -> str:
    if isinstance(operation, migrations.SeparateDatabaseAndState):
        inner = (_complaint(app, each, state, made) for each in operation.database_operations)
        return next((why for why in inner if why), "")
    if getattr(operation, "model_name_lower", "") in made:
        return ""  # a table that old code does not know
    if isinstance(operation, TAKES_AWAY):
        return "old code still asks for it"
    if isinstance(operation, migrations.AddField) and _is_demanded(operation.field):
        return "old code does not fill it in: make it nullable, or give it a db_default"
    if isinstance(operation, migrations.AlterField) and _is_demanded(operation.field):
        old = state.models[app, operation.model_name_lower].fields[operation.name]
        if old.null:
            return "old code writes NULL there"
    return ""


def _is_demanded(field: models.Field) -> bool:
    """Does the database refuse a row that does not name it?"""
    return not (field.null or field.many_to_many or field.generated or field.has_db_default())


def released_commit() -> str:
    """The last commit of this branch whose migrations are those of the newest release; "" when it is the present one.

    Raises LookupError without git, or in a clone that does not reach back so far.
    """
    commits = _git("log", "--first-parent", "--format=%H", f"-{COMMITS}").split()
    for position, commit in enumerate(commits):
        names = _git("ls-tree", "-r", "--name-only", commit, *(f"{app}/migrations/" for app in RELEASED)).split()
        paths = [Path(name) for name in names]
        numbered = [path for path in paths if path.stem[:4].isdigit()]
        if all(number_of(path.stem) <= RELEASED[path.parts[0]] for path in numbered):
            return commit if position else ""
    raise LookupError("no commit with the migrations of the newest release")


def export(commit: str, folder: Path) -> None:
    """The files of `commit`, written into `folder`."""
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True, timeout=60)
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True, timeout=60)


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError) as error:
        raise LookupError(f"git does not answer: {type(error).__name__}") from None
    return done.stdout
