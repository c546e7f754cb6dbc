"""The supervisor as a library: what it writes, restarts, hands out and stops."""

from __future__ import annotations

import configparser
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from subiteya.lib.supervision import Program, configuration
from tests.processes import alive, descendants, running, wait_for

RUNNER = """
import sys
from pathlib import Path
from subiteya.lib.supervision import Program, Watcher, run
folder = Path(sys.argv[1])
say = lambda *words: print(*words, flush=True)
watcher = Watcher(line=lambda name, text: say("line", name, text), ended=lambda name: say("ended", name),
                  stopping=lambda: say("stopping"))
shell = lambda name, script, rank=1: Program(name=name, argv=["/bin/sh", "-c", script], rank=rank)
run([
    shell("base", "trap 'echo base stops; exit' TERM; while :; do sleep 0.05; done", rank=0),
    shell("top", "trap 'sleep 0.3; echo top stops; exit' TERM; printf 'half '; sleep 0.2; echo 'line 100%'; "
                 "while :; do sleep 0.05; done"),
    shell("failing", f"echo started >> {folder}/starts; exit 3"),
    shell("deaf", "trap '' TERM; while :; do sleep 0.05; done"),
], folder=folder, watcher=watcher)
say("over")
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def supervisor(tmp_path: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with running([sys.executable, "-c", RUNNER, str(tmp_path)], log=log) as process:
        wait_for(lambda: "line top half line 100%" in log.read_text())
        yield process


def test_it_hands_out_whole_lines_and_restarts_what_ends(
    supervisor: subprocess.Popen[bytes], tmp_path: Path, log: Path
) -> None:
    wait_for(lambda: (tmp_path / "starts").read_text().count("started") >= 2)

    assert "ended failing" in log.read_text()


def test_it_keeps_the_terminal_s_signals_away_from_the_programs(supervisor: subprocess.Popen[bytes]) -> None:
    sessions = {os.getsid(child.pid) for child in psutil.Process(supervisor.pid).children()}

    assert len(sessions) >= 3
    assert os.getsid(supervisor.pid) not in sessions


def test_it_stops_higher_ranks_first_and_kills_what_is_deaf(supervisor: subprocess.Popen[bytes], log: Path) -> None:
    below = descendants(supervisor.pid)

    supervisor.send_signal(signal.SIGTERM)

    assert supervisor.wait(timeout=20) == 0
    assert not [child for child in below if alive(child)]
    text = log.read_text()
    assert text.index("stopping") < text.index("top stops") < text.index("base stops") < text.index("over")


def test_it_takes_the_programs_along_when_it_is_killed(supervisor: subprocess.Popen[bytes]) -> None:
    below = psutil.Process(supervisor.pid).children()

    supervisor.kill()

    wait_for(lambda: not [child for child in below if alive(child)], seconds=15)


def test_it_writes_commands_that_survive_quoting(tmp_path: Path) -> None:
    argv = ["/bin/echo", "two words", "100%", "it's", ""]
    text = configuration([Program(name="p", argv=argv)], folder=tmp_path)

    parser = configparser.RawConfigParser()
    parser.read_string(text)

    assert shlex.split(parser["program:p"]["command"].replace("%%", "%")) == argv
