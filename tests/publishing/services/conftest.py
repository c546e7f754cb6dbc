"""A bucket that is no folder, and hosts with disks of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages

from tests.buckets import CountingBucket


@pytest.fixture
def bucket(settings: Any) -> CountingBucket:
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": "tests.buckets.CountingBucket"}}
    return storages["default"]


@pytest.fixture
def on_host(settings: Any, tmp_path: Path) -> Callable[[str], Path]:
    """From now on this process works on that host; answers the host's working folder."""

    def on_host(name: str) -> Path:
        settings.HOST_NAME, settings.WORK_DIR = name, tmp_path / f"work-{name}"
        return settings.WORK_DIR

    on_host("one")
    return on_host
