"""`python -m tools.grafana`: write the dashboards that Grafana is provisioned with."""

from __future__ import annotations

from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from tools.grafana.boards import account, overview

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "grafana" / "dashboards"
BOARDS = {"overview.json": overview, "account.json": account}


def written(board: Dashboard) -> str:
    """The dashboard as its file has it."""
    return JSONEncoder(sort_keys=True, indent=2, ensure_ascii=False).encode(board) + "\n"


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, build in BOARDS.items():
        (FOLDER / name).write_text(written(build()), encoding="utf-8")


if __name__ == "__main__":
    main()
