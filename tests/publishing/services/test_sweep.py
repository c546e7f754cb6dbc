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

from publishing.services.files import work_folder
from publishing.services.sweep import SCRATCH_LIFE, UNNAMED_LIFE, bucket_sweep, scratch_sweep
from publishing.states import JobStatus
from tests.factories import AssetFactory, JobFactory

pytestmark = pytest.mark.django_db

NAME = "0123456789abcdef0123456789abcdef"


def scratch(job: int, *, age: timedelta = SCRATCH_LIFE * 2) -> Path:
    folder = work_folder("jobs") / f"{job}-0a0b0c0d"
    folder.mkdir()
    (folder / "edited.mp4.part").write_bytes(b"half")
    then = time.time() - age.total_seconds()
    os.utime(folder, (then, then))
    return folder


@pytest.mark.parametrize("status", [JobStatus.QUEUED, JobStatus.SUCCEEDED, JobStatus.ERRORED])
def test_it_clears_the_scratch_of_a_job_that_nobody_works_on(status: JobStatus) -> None:
    folder = scratch(JobFactory(status=status).pk)

    assert scratch_sweep() == 1
    assert not folder.exists()


def test_it_leaves_the_scratch_of_a_job_at_work_even_when_its_lease_ran_out() -> None:
    folder = scratch(JobFactory(status=JobStatus.RUNNING, lease_until=timezone.now() - timedelta(seconds=1)).pk)

    assert scratch_sweep() == 0
    assert folder.exists()


def test_it_leaves_fresh_scratch_and_what_is_not_scratch() -> None:
    job = JobFactory(status=JobStatus.QUEUED)
    fresh, other = scratch(job.pk, age=timedelta(0)), work_folder("jobs") / "notes"
    other.mkdir()

    assert scratch_sweep() == 0
    assert fresh.exists()
    assert other.exists()


def store(key: str) -> str:
    return default_storage.save(key, ContentFile(b"x"))


def test_it_clears_stored_files_that_no_row_has_named_for_a_day() -> None:
    key = store(f"edited/{NAME}.mp4")

    assert bucket_sweep() == 0, "its writer may still be at work"
    assert bucket_sweep(now=timezone.now() + UNNAMED_LIFE * 2) == 1
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
