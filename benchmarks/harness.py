"""What every benchmark shares: figures with their goals, the machine, percentiles, memory."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


class CannotMeasure(Exception):
    """This machine lacks what the benchmark needs; str() is one line for the person who wanted it."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured number. `goal` is what it must be, read with `better`: "more" or "less"; None: no goal.

    `detail` holds the raw numbers that a ratio was made of, with their units in their names.
    """

    name: str
    measured: float
    unit: str = ""
    goal: float | None = None
    better: str = "less"
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def holds(self) -> bool | None:
        """Is the goal met? None without one."""
        if self.goal is None:
            return None
        return self.measured <= self.goal if self.better == "less" else self.measured >= self.goal

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"holds": self.holds}


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values lie (the nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def timed(act: Callable[[], object], times: int, *, warm: int = 1) -> list[float]:
    """Seconds of each of `times` calls, after `warm` that do not count."""
    for _ in range(warm):
        act()
    found = []
    for _ in range(times):
        started = time.perf_counter()
        act()
        found.append(time.perf_counter() - started)
    return found


def machine() -> dict[str, Any]:
    """What the figures were measured on: processors, memory, kernel, versions of what matters."""
    return {
        "cpus": os.cpu_count(),
        "cpu": _first(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo")),
        "memory_gib": round(int(_first(r"MemTotal:\s*(\d+)", Path("/proc/meminfo")) or 0) / 2**20, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
        "commit": _said("git", "rev-parse", "--short", "HEAD"),
    }


def loop_ms() -> float:
    """Milliseconds of a million multiplications, the quickest of five: how fast the processor is at the moment.

    A shared machine is half as fast in one hour as in another, and every figure in milliseconds with it.
    """
    return round(min(timed(_million, 5)) * 1000, 1)


def _million() -> None:
    total = 0
    for number in range(1_000_000):
        total += number * number


def progress(text: str) -> None:
    """Tell the person who waits what is being measured; the table goes to stdout, this does not."""
    print(f"  {text}", file=sys.stderr, flush=True)


def _first(pattern: str, path: Path) -> str:
    found = re.search(pattern, path.read_text(encoding="utf-8")) if path.exists() else None
    return found.group(1).strip() if found else ""


def _said(*argv: str) -> str:
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False, timeout=10)
    return done.stdout.strip()
