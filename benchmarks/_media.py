"""For uploads and edits: a migrated database to copy, and the environment of the children that use it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.harness import ROOT


def template(folder: Path) -> Path:
    """A migrated SQLite database, for every child to start from a copy of."""
    path = folder / "template.sqlite3"
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment(path), check=True, timeout=300
    )
    return path


def fresh(database: Path, name: str) -> Path:
    """A copy under another name, with nothing in it."""
    target = database.with_name(f"{name}.sqlite3")
    for ending in ("", "-wal", "-shm"):
        target.with_name(target.name + ending).unlink(missing_ok=True)
    shutil.copy(database, target)
    return target


def environment(database: Path, **more: str) -> dict[str, str]:
    """Of a child that works with that database."""
    ours = {"DJANGO_SETTINGS_MODULE": "subiteya.settings.test", "DATABASE_URL": f"sqlite:///{database}"}
    return {**os.environ, **ours, **more}
