"""`python -m benchmarks [NAME …]`: measure, print a table, write JSON. Exit 1 when a goal is missed or cannot be."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.harness import ROOT, CannotMeasure, Figure, loop_ms, machine, progress

#: Each is a module here whose `run(quick)` answers figures. The cheap ones come first.
NAMES = ("upload", "edit", "pipeline", "history", "hosts", "frontend")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all of them without any")
    parser.add_argument("--quick", action="store_true", help="small sizes: does it work at all? Not for quoting")
    parser.add_argument("--json", type=Path, default=ROOT / "var" / "bench.json", help="where the JSON goes")
    asked = parser.parse_args(argv)
    unknown = sorted(set(asked.names) - set(NAMES))
    if unknown:
        parser.error(f"no benchmark is called {', '.join(unknown)}: there are {', '.join(NAMES)}")
    report: dict[str, Any] = {"machine": machine(), "quick": asked.quick, "began": _now(), "benchmarks": {}}
    missed = 0
    for name in asked.names or NAMES:
        before = loop_ms()
        progress(f"{name} … (a million multiplications: {before} ms)")
        started = time.monotonic()
        try:
            figures: list[Figure] = importlib.import_module(f"benchmarks.{name}").run(quick=asked.quick)
        except CannotMeasure as why:
            print(f"error: {why}", file=sys.stderr)
            report["benchmarks"][name] = {"error": str(why), "figures": []}
            _write(asked.json, report)
            missed += 1
            continue
        seconds = round(time.monotonic() - started, 1)
        loops = [before, loop_ms()]
        report["benchmarks"][name] = {
            "seconds": seconds, "loop_ms": loops, "figures": [figure.as_json() for figure in figures],
        }  # fmt: skip
        missed += sum(figure.holds is False for figure in figures)
        print(_table(name, figures, seconds, loops), flush=True)
        _write(asked.json, report)  # after each: whatever happens to the next, this is kept
    print(f"{_machine(report['machine'])}\n{asked.json}")
    return 1 if missed else 0


def _write(path: Path, report: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _table(name: str, figures: list[Figure], seconds: float, loops: list[float]) -> str:
    rows = [("", name, "measured", "goal")]
    rows += [(_mark(figure), figure.name, _amount(figure.measured, figure.unit), _goal(figure)) for figure in figures]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        "  ".join(
            (row[0].ljust(widths[0]), row[1].ljust(widths[1]), row[2].rjust(widths[2]), row[3].rjust(widths[3]))
        ).rstrip()
        for row in rows
    ]
    said = f"({seconds:.0f} s; a million multiplications: {loops[0]} ms before, {loops[1]} ms after)"
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:], said, ""])


def _mark(figure: Figure) -> str:
    return {True: "ok", False: "MISSED", None: ""}[figure.holds]


def _amount(value: float, unit: str) -> str:
    return f"{value:,.3f}".rstrip("0").rstrip(".") + (f" {unit}" if unit else "")


def _goal(figure: Figure) -> str:
    if figure.goal is None:
        return ""
    return f"{'≤' if figure.better == 'less' else '≥'} {_amount(figure.goal, figure.unit)}"


def _machine(found: dict[str, Any]) -> str:
    return (
        f"{found['cpus']} × {found['cpu']}, {found['memory_gib']} GiB, Linux {found['kernel']}, "
        f"Python {found['python']}, commit {found['commit']}, load {found['load']} at the start"
    )


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


if __name__ == "__main__":
    sys.exit(main())
