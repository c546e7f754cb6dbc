"""The tables of docs/performance.md, from what a run wrote: `python -m benchmarks.markdown [var/bench.json …]`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.harness import ROOT

SIGN = {"less": "≤", "more": "≥"}


def table(figures: list[dict[str, Any]]) -> str:
    """A row for each figure, and in its last column what is not reached."""
    rows = ["| what | goal | measured | |", "|---|---|---|---|"]
    for figure in figures:
        goal = "" if figure["goal"] is None else f"{SIGN[figure['better']]} {amount(figure['goal'], figure['unit'])}"
        missed = "**missed**" if figure["holds"] is False else ""
        rows.append(f"| {figure['name']} | {goal} | {amount(figure['measured'], figure['unit'])} | {missed} |")
    return "\n".join(rows)


def amount(value: float, unit: str) -> str:
    """With three digits that say something, and thousands apart."""
    digits = 3 if abs(value) < 10 else 1 if abs(value) < 1_000 else 0
    text = f"{value:,.{digits}f}".replace(",", " ")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{text} {unit}".strip()


def main(paths: list[str]) -> None:
    for path in paths or [str(ROOT / "var" / "bench.json")]:
        report = json.loads(Path(path).read_text(encoding="utf-8"))
        for name, measured in report["benchmarks"].items():
            print(f"## {name}: {report['began']}, {report['machine']['commit']}\n\n{table(measured['figures'])}\n")
            print("A million multiplications: {} ms before, {} ms after.\n".format(*measured.get("loop_ms", "??")))


if __name__ == "__main__":
    main(sys.argv[1:])
