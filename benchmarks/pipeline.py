"""The pipeline beside the work itself: jobs a second, submit to start, a full minute drained, what a tick costs.

PostgreSQL, Redis, workers, scheduler and TikTok's sandbox are real and private to the run. A job that does nothing is
an edit whose result is there already.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.harness import ROOT, Figure

PARTS = "rate,latency,drain,ticks"


def run(*, quick: bool) -> list[Figure]:
    """Everything on PostgreSQL, and the ticks on SQLite as well."""
    parts = os.environ.get("BENCH_PIPELINE", PARTS)  # some of them, for whoever works on one
    figures = _measured([str(ROOT / "tools" / "with_postgres")], parts, quick=quick)
    if "ticks" in parts:
        figures += _measured([], "ticks", quick=quick, sqlite=True)
    return figures


def _measured(wrapper: list[str], parts: str, *, quick: bool, sqlite: bool = False) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="subiteya-bench-") as name:
        folder = Path(name)
        (folder / "var").mkdir()
        env = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
        if sqlite:
            env["DATABASE_URL"] = f"sqlite:///{folder / 'db.sqlite3'}"
        argv = [*wrapper, sys.executable, "-m", "benchmarks._pipeline_child", str(folder), parts]
        subprocess.run([*argv, *(["--quick"] if quick else [])], cwd=ROOT, env=env, check=True)
        found = json.loads((folder / "figures.json").read_text(encoding="utf-8"))
    for figure in found:
        del figure["holds"]
    return [Figure(**figure) for figure in found]
