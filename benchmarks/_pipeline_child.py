"""One database's measurements, in a process of their own: `pipeline` starts it with DATABASE_URL set."""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path

from benchmarks.harness import Figure


def main(folder: Path, parts: str, *, quick: bool) -> None:
    """Measure `parts` and leave the figures in `folder`/figures.json."""
    from benchmarks._pipeline_world import redis_running

    with redis_running(folder / "redis") as address, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        os.environ |= {
            "REDIS_URL": address, "DJANGO_SETTINGS_MODULE": "subiteya.settings.dev", "SUBITEYA_HOST_NAME": "bench",
            "SUBITEYA_VAR_DIR": str(folder / "var"), "SUBITEYA_LOG_LEVEL": "WARNING",
            "SUBITEYA_SANDBOX_PORT": str(free.getsockname()[1]),
        }  # fmt: skip
        free.close()
        figures = _measure(folder, parts.split(","), quick=quick)
    (folder / "figures.json").write_text(json.dumps([figure.as_json() for figure in figures]), encoding="utf-8")


def _measure(folder: Path, parts: list[str], *, quick: bool) -> list[Figure]:
    import django

    django.setup()
    from django.core.management import call_command

    from benchmarks._pipeline_drain import drains
    from benchmarks._pipeline_latency import latencies
    from benchmarks._pipeline_rate import rates
    from benchmarks._pipeline_ticks import ticks
    from benchmarks._pipeline_world import ACCOUNTS, World

    call_command("migrate", verbosity=0)
    world = World(folder, 50 if quick else ACCOUNTS)
    measures = {"rate": rates, "latency": latencies, "drain": drains, "ticks": ticks}
    return [figure for part in parts for figure in measures[part](world, quick=quick)]


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], quick="--quick" in sys.argv)
