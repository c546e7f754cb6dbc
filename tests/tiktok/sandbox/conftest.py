"""An app that speaks to the sandbox, and a place for its webhooks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from subiteya.tiktok.sandbox import Sandbox, SandboxSettings, serve
from tests.tiktok.sandbox.app import App
from tests.tiktok.sandbox.receiver import Receiver


@pytest.fixture
def app(sandbox: Sandbox) -> App:
    return App(sandbox)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Any]:
    """`serving(**settings)`: an App on a sandbox with these settings; all of them share one data folder."""
    open_ones = []

    def start(**settings: Any) -> App:
        given = SandboxSettings(**{"processing_seconds": 0, "moderation_seconds": 0} | settings)
        sandbox = Sandbox(tmp_path / "shared", given)
        open_ones.append((sandbox, serve(sandbox)))
        return App(sandbox)

    yield start
    for sandbox, server in open_ones:
        server.shutdown()
        sandbox.close()
