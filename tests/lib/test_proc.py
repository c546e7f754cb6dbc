"""The process table, read from /proc."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from subiteya.lib.proc import below, processes, that_mention
from tests.processes import running, wait_for

PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"


def test_it_knows_itself_and_its_parent() -> None:
    (me,) = [process for process in processes() if process.pid == os.getpid()]

    assert me.parent == os.getppid()
    assert me.argv


def test_it_finds_children_and_theirs_nearest_first(tmp_path: Path) -> None:
    with running([sys.executable, "-c", PARENT], log=tmp_path / "log") as parent:
        wait_for(lambda: below(parent.pid))
        found = [process.pid for process in below(os.getpid())]
        (child,) = below(parent.pid)

    assert child.parent == parent.pid
    assert found.index(parent.pid) < found.index(child.pid)


def test_it_takes_a_zombie_for_ended() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)

    assert ended.pid not in {process.pid for process in processes()}
    ended.wait()


def test_it_finds_who_names_a_folder_but_not_itself(tmp_path: Path) -> None:
    folder = tmp_path / "only here"
    sleeper = [sys.executable, "-c", "import time; time.sleep(60)", str(folder)]
    with running(sleeper, log=tmp_path / "log") as process:
        wait_for(lambda: [found.pid for found in that_mention(folder)] == [process.pid])

    assert that_mention(folder) == []
