"""What is read afterwards: rows with their uploads, files that should not be there, processes of the folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from publishing.chaos.evidence import find_left, read_rows
from publishing.chaos.verdict import Asked
from publishing.states import UploadState
from tests.factories import AssetFactory, UploadSessionFactory, VideoFactory
from tests.processes import running, wait_for

pytestmark = pytest.mark.django_db


def test_it_reads_videos_with_every_upload_that_got_a_name() -> None:
    video = VideoFactory(caption="Batch 1")
    for state, publish_id in ((UploadState.DEAD, ""), (UploadState.DEAD, "p1"), (UploadState.PROCESSING, "p2")):
        UploadSessionFactory(video=video, account=video.account, state=state, publish_id=publish_id)

    (row,) = read_rows()

    assert row.asked == Asked(video.account.username, "Batch 1")
    assert row.publish_ids == {"p1", "p2"}
    assert (row.pk, row.status) == (video.pk, video.status)


def test_it_finds_scratch_folders_and_half_downloads(settings: Any) -> None:
    (settings.WORK_DIR / "jobs/7-0a0b0c0d").mkdir(parents=True)
    (settings.WORK_DIR / "jobs/7-0a0b0c0d/edited.mp4.part").touch()
    (settings.WORK_DIR / "assets").mkdir()
    (settings.WORK_DIR / "assets/aa.mp4").touch()
    (settings.WORK_DIR / "assets/bb.mp4.1.part").touch()

    assert find_left().work == ["assets/bb.mp4.1.part", "jobs/7-0a0b0c0d"]


def test_it_finds_stored_files_that_no_row_names() -> None:
    for key in ("edited/known.mp4", "edited/half.mp4"):
        default_storage.save(key, ContentFile(b"x"))
    AssetFactory(storage_key="edited/known.mp4")

    assert find_left().bucket == ["edited/half.mp4"]


def test_it_finds_processes_that_work_on_the_folder(settings: Any, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path / "installation"
    sleeper = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
    log = tmp_path / "log"
    with running(sleeper, log=log, SUBITEYA_VAR_DIR=str(settings.VAR_DIR)) as process:
        wait_for(log.read_text)
        assert [line.split()[0] for line in find_left().processes] == [str(process.pid)]

    assert find_left().processes == []
