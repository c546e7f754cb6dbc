"""The sandbox's control interface, for one who breaks it and reads its ledger."""

from __future__ import annotations

from typing import Any

from publishing.chaos.verdict import Asked, Post
from publishing.demo.stand_in import StandIn


class Control(StandIn):
    """The sandbox at `url`, with its faults, settings and ledger."""

    def configure(self, **values: Any) -> None:
        """Change settings of the sandbox."""
        self._ask("POST", "settings", values)

    def fault(self, kind: str, **values: Any) -> None:
        """Script a fault (docs/sandbox.md)."""
        self._ask("POST", "faults", {"kind": kind, **values})

    def waiting(self) -> int:
        """How many faults wait for their call."""
        return len(self._ask("GET", "faults")["faults"])

    def heal(self) -> None:
        """Take every fault back."""
        self._ask("DELETE", "faults")

    def ledger(self) -> list[Post]:
        """Every publish that it knows."""
        return [
            Post(
                publish_id=entry["publish_id"],
                asked=Asked(entry["username"], entry["title"]),
                status=entry["status"],
                arrived=entry["uploaded_at"] is not None,
                sha256=entry["sha256"],
            )
            for entry in self._ask("GET", "ledger")["publishes"]
        ]
