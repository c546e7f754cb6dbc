"""Hosts are updated one by one, after the migration: the code before it goes on working on the new tables."""

from __future__ import annotations

import pytest
from django.db import migrations, models
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import F

from tests.processes import ROOT
from tests.test_architecture import APPS
from tools.rolling import REASONS, RELEASED, complaints, later, number_of

GENERATED = models.GeneratedField(expression=F("id"), output_field=models.BigIntegerField(), db_persist=True)


def state() -> ProjectState:
    """A table of the newest release."""
    made, fields = ProjectState(), [("id", models.BigAutoField(primary_key=True)), ("old", models.TextField(null=True))]
    migrations.CreateModel("Row", fields).state_forwards("app", made)
    return made


@pytest.mark.parametrize(("key", "wrong"), list(later()), ids=lambda value: str(value[-1]) if value else "")
def test_it_migrates_under_code_that_knows_nothing_of_it(key: tuple[str, str], wrong: list[str]) -> None:
    assert not wrong or key in REASONS


def test_it_knows_every_app_and_no_reason_too_many() -> None:
    apps = {path.parent.parent.name for path in ROOT.glob("*/migrations/0001_initial.py")}
    newest = {app: max(number_of(path.stem) for path in ROOT.glob(f"{app}/migrations/0*.py")) for app in apps}

    assert set(RELEASED) == apps == set(APPS) - {"subiteya"}
    assert all(RELEASED[app] <= newest[app] for app in apps)
    assert set(REASONS) <= {key for key, wrong in later() if wrong}


@pytest.mark.parametrize(
    "operation",
    [
        migrations.RemoveField("row", "old"),
        migrations.RenameField("row", "old", "new"),
        migrations.RenameModel("Row", "Line"),
        migrations.DeleteModel("Row"),
        migrations.AlterModelTable("row", "line"),
        migrations.AddField("row", "new", models.TextField()),
        migrations.AddField("row", "new", models.TextField(default="")),
        migrations.AlterField("row", "old", models.TextField(default="")),
        migrations.SeparateDatabaseAndState(database_operations=[migrations.DeleteModel("Row")]),
    ],
    ids=lambda operation: type(operation).__name__,
)
def test_it_refuses_what_old_code_stumbles_over(operation: Operation) -> None:
    assert len(complaints("app", [operation], state())) == 1


@pytest.mark.parametrize(
    "operation",
    [
        migrations.AddField("row", "new", models.TextField(null=True)),
        migrations.AddField("row", "new", models.TextField(db_default="")),
        migrations.AddField("row", "new", models.ManyToManyField("app.Row")),
        migrations.AddField("row", "new", GENERATED),
        migrations.AlterField("row", "old", models.CharField(max_length=10, null=True)),
        migrations.AddIndex("row", models.Index(fields=["old"], name="row_old")),
        migrations.RunPython(migrations.RunPython.noop),
    ],
    ids=lambda operation: type(operation).__name__,
)
def test_it_lets_pass_what_old_code_does_not_notice(operation: Operation) -> None:
    assert complaints("app", [operation], state()) == []


def test_it_does_as_it_likes_with_a_table_that_is_new() -> None:
    made = [
        migrations.CreateModel("Fresh", [("id", models.BigAutoField(primary_key=True))]),
        migrations.AddField("fresh", "name", models.TextField(default="")),
        migrations.RenameField("fresh", "name", "title"),
    ]

    assert complaints("app", made, state()) == []
