"""What killed processes leave is cleared away, and nothing that is still in use."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from publishing.services.cleaning import SCRATCH_IDLE, scratch_sweep
from publishing.services.disk import scratch, work_folder
from publishing.services.sweep import UNNAMED_LIFE, bucket_sweep
from tests.factories import AssetFactory

pytestmark = pytest.mark.django_db

NAME = "0123456789abcdef0123456789abcdef"


def aged(folder: Path, *, age: timedelta = SCRATCH_IDLE * 2) -> Path:
    (folder / "edited.mp4.part").write_bytes(b"half")
    then = time.time() - age.total_seconds()
    for path in (*folder.iterdir(), folder):
        os.utime(path, (then, then))
    return folder


def left_behind(**age: timedelta) -> Path:
    """As a killed worker leaves it: the kernel has freed its lock."""
    folder = work_folder("jobs") / "render-0a0b0c0d"
    folder.mkdir()
    return aged(folder, **age)


def test_it_clears_the_scratch_that_a_killed_worker_left() -> None:
    folder = left_behind()

    assert scratch_sweep() == 1
    assert not folder.exists()


def test_it_leaves_the_scratch_of_a_worker_that_lives_however_slow_it_is() -> None:
    with scratch("render") as folder:
        aged(folder)
        assert scratch_sweep() == 0
        assert folder.exists()


def test_it_leaves_scratch_that_was_made_just_now() -> None:
    folder = left_behind(age=timedelta(0))

    assert scratch_sweep() == 0
    assert folder.exists()


def store(key: str) -> str:
    return default_storage.save(key, ContentFile(b"x"))


def test_it_clears_stored_files_that_no_row_has_named_for_a_day() -> None:
    key = store(f"edited/{NAME}.mp4")
    store(f"edited/{NAME}.mp4.part")

    assert bucket_sweep() == 0, "its writer may still be at work"
    assert bucket_sweep(now=timezone.now() + UNNAMED_LIFE * 2) == 2
    assert not default_storage.exists(key)


@pytest.mark.parametrize("key", ["edited/by-hand.mp4", f"elsewhere/{NAME}.mp4"])
def test_it_leaves_files_that_are_not_of_its_making(key: str) -> None:
    store(key)

    assert bucket_sweep(now=timezone.now() + UNNAMED_LIFE * 2) == 0
    assert default_storage.exists(key)


def test_it_leaves_every_file_that_a_row_names() -> None:
    key = store(f"source/{NAME}.mov")
    AssetFactory(storage_key=key)

    assert bucket_sweep(now=timezone.now() + UNNAMED_LIFE * 2) == 0
    assert default_storage.exists(key)


def test_it_clears_an_s3_bucket_too(s3_bucket: Any) -> None:
    key = store(f"edited/{NAME}.mp4")

    assert bucket_sweep(now=timezone.now() + UNNAMED_LIFE * 2) == 1
    assert not default_storage.exists(key)
