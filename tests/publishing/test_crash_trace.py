"""One trace id from the submission over two deaths to the post: on rows, JSON log lines and spans of real processes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from publishing.chaos.stage import stage
from subiteya.lib.crashing import VARIABLE
from tests.publishing.conftest import make_clip
from tests.publishing.test_crash_points import TIME_SCALE, Installation

pytestmark = pytest.mark.integration

NOISE = ("-vf", "noise=alls=80:allf=t:all_seed=77", "-crf", "4")


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    with pytest.MonkeyPatch.context() as patch, stage(
        database=os.environ.get("DATABASE_URL", ""), keep=False
    ) as environment:
        patch.setenv("SUBITEYA_TIME_SCALE", TIME_SCALE)
        extra = {"SUBITEYA_TIME_SCALE": TIME_SCALE, "SUBITEYA_LOG_FORMAT": "json"}
        installation = Installation(environment | extra)
        installation.environment[VARIABLE] = str(installation.crash_at)
        with installation.serving():
            installation.control.configure(processing_seconds=0.5, moderation_seconds=0.2, status_per_minute=1000)
            installation.run("createsuperuser", "--noinput", "--username=admin", "--email=admin@agency.example")
            installation.connect("cuenta.0")
            yield installation


def log_lines(installation: Installation) -> Iterator[dict[str, Any]]:
    for path in [installation.var / "out", *sorted((installation.var / "log").glob("*"))]:
        for line in path.read_text(errors="replace").splitlines() if path.is_file() else []:
            _head, brace, rest = line.partition("{")
            if brace:
                yield json.loads(brace + rest)


@pytest.fixture(scope="module")
def published(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A video whose edit and upload were both killed once."""
    clip = make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", seconds=1.6, extra=NOISE)
    installation.crash_at.write_text("edit_rendered")
    batch = installation.manage(
        "publish", str(clip), "--account", "@cuenta.0", "--caption", "Dos muertes", "--privacy", "SELF_ONLY"
    )
    from tests.processes import wait_for

    wait_for(lambda: not installation.crash_at.exists(), seconds=60)
    installation.crash_at.write_text("upload_part_written")
    wait_for(lambda: not installation.crash_at.exists(), seconds=60)

    def over() -> Any:
        (video,) = installation.manage("videos", "--batch", str(batch["batch"]))["videos"]
        return video if video["status"] == "posted" else None

    return wait_for(over, seconds=120, every=0.5)


def test_x(installation: Installation, published: dict[str, Any]) -> None:
    import shutil
    print(json.dumps(published, indent=1))
    print(installation.run("trace", str(published["id"])))
    for line in log_lines(installation): print(line)
    if os.environ.get("KEEP"): shutil.copytree(installation.var, os.environ["KEEP"], ignore=shutil.ignore_patterns("*.sock"))
    assert 0
