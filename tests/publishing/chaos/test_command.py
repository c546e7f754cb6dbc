"""`manage.py chaos` as a person runs it: real processes that are really killed."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.processes import MANAGE

pytestmark = pytest.mark.integration

SECONDS = 420


def chaos(folder: Path, *arguments: str) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """One run whose folders are made in `folder`; the process and its document."""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "subiteya.settings.dev", "TMPDIR": str(folder)}
    environment |= {"SUBITEYA_LANGUAGE": "en", "SUBITEYA_VAR_DIR": str(folder / "unused")}
    done = subprocess.run(
        [*MANAGE, "chaos", "--json", *arguments], env=environment, capture_output=True, text=True, timeout=SECONDS * 2
    )
    return done, json.loads(done.stdout)


def test_it_loses_doubles_changes_and_leaves_nothing(tmp_path: Path) -> None:
    done, document = chaos(tmp_path, "--videos=8", "--seed=7", f"--seconds={SECONDS}")

    assert done.returncode == 0, (document, done.stderr)
    assert document["submitted"] == 8
    wrongs = ("lost", "double_posted", "byte_mismatches", "temp_leaks")
    assert {name: document[name] for name in wrongs} == dict.fromkeys(wrongs, 0)
    assert document["strikes"]
    assert document["database"] == (
        "postgresql" if os.environ.get("DATABASE_URL", "").startswith("postgres") else "sqlite"
    )
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("subiteya-chaos-")]


@pytest.mark.parametrize(
    ("argument", "field"),
    [
        ("--videos=0", "videos"),
        ("--seconds=0", "videos"),
        ("--database=sqlite:///x", "database"),
        ("--inside=/x", "inside"),
    ],
)
def test_it_refuses_what_makes_no_sense(tmp_path: Path, argument: str, field: str) -> None:
    done, document = chaos(tmp_path, argument)

    assert done.returncode == 2
    assert document["error"]["field"] == field
