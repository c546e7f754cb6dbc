"""The product on twelve hosts, for real: network namespaces on one bridge, each with its own disk, name and processes.

PostgreSQL, Redis, an S3 server, TikTok's sandbox, two web hosts (each with a scheduler), two edit hosts with a
processor each, four upload hosts. All of it lives in namespaces below one process and dies with it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from functools import partial
from pathlib import Path

from benchmarks._hosts_net import NAMESPACES, own_rights, require_namespaces
from benchmarks.harness import ROOT, CannotMeasure, Figure
from subiteya.lib.processes import die_with_parent

LONGEST_SECONDS = 900


def run(*, quick: bool) -> list[Figure]:
    """Raises CannotMeasure where there are no namespaces, or something is not installed."""
    require_namespaces()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what follows cleans up, as after Ctrl-C
    with tempfile.TemporaryDirectory(prefix="subiteya-hosts-", ignore_cleanup_errors=True) as name:
        answer = Path(name) / "answer.json"
        argv = ["unshare", *own_rights(), *NAMESPACES, sys.executable, "-m", "benchmarks._hosts_inside", name]
        inside = subprocess.Popen(
            [*argv, *(["--quick"] if quick else [])], cwd=ROOT, preexec_fn=partial(die_with_parent, os.getpid()),
            start_new_session=True,
        )  # fmt: skip
        try:
            inside.wait(timeout=LONGEST_SECONDS)
        finally:  # whatever happened: the first process takes all hosts along
            with suppress(ProcessLookupError):
                os.killpg(inside.pid, signal.SIGKILL)
            inside.wait()
        said = (
            json.loads(answer.read_text(encoding="utf-8")) if answer.exists() else {"error": "it ended without a word"}
        )
    if "error" in said:
        raise CannotMeasure(f"hosts: {said['error']}")
    return [Figure(**figure) for figure in said["figures"]]
