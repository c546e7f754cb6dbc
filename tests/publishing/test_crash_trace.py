"""One trace id from the submission over two deaths to the post: on rows, JSON log lines and spans of real processes."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from publishing.chaos.stage import stage
from subiteya.lib.crashing import VARIABLE
from tests.processes import wait_for
from tests.publishing.conftest import make_clip
from tests.publishing.test_crash_points import TIME_SCALE, Installation

pytestmark = pytest.mark.integration

NOISE = ("-vf", "noise=alls=80:allf=t:all_seed=77", "-crf", "4")


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    """A private installation that logs JSON."""
    database = os.environ.get("DATABASE_URL", "")
    with pytest.MonkeyPatch.context() as patch, stage(database=database, keep=False) as environment:
        patch.setenv("SUBITEYA_TIME_SCALE", TIME_SCALE)
        installation = Installation(
            environment | {"SUBITEYA_TIME_SCALE": TIME_SCALE, "SUBITEYA_LOG_FORMAT": "json"}
        )  # fmt: skip
        installation.environment[VARIABLE] = str(installation.crash_at)
        with installation.serving():
            installation.control.configure(processing_seconds=0.5, moderation_seconds=0.2, status_per_minute=1000)
            installation.run("createsuperuser", "--noinput", "--username=admin", "--email=admin@agency.example")
            installation.connect("cuenta.0")
            yield installation


@pytest.fixture(scope="module")
def video(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A video whose edit and upload were killed once each, at its end."""
    clip = make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", seconds=1.6, extra=NOISE)
    installation.crash_at.write_text("edit_rendered")
    batch = installation.manage(
        "publish", str(clip), "--account", "@cuenta.0", "--caption", "Dos muertes", "--privacy", "SELF_ONLY"
    )
    wait_for(lambda: not installation.crash_at.exists(), seconds=60)
    installation.crash_at.write_text("upload_part_written")
    wait_for(lambda: not installation.crash_at.exists(), seconds=60)

    def posted() -> dict[str, Any] | None:
        (video,) = installation.manage("videos", "--batch", str(batch["batch"]))["videos"]
        return video if video["status"] == "posted" else None

    return wait_for(posted, seconds=120, every=0.5)


@pytest.fixture(scope="module")
def story(installation: Installation, video: dict[str, Any]) -> list[dict[str, Any]]:
    """What `manage.py trace` tells of it."""
    answer = installation.manage("trace", str(video["id"]))
    assert answer["traceId"] == video["traceId"]
    return answer["lines"]


def of_kind(story: list[dict[str, Any]], kind: str, what: str = "") -> list[dict[str, Any]]:
    return [line for line in story if line["kind"] == kind and what in line["what"]]


def links(line: dict[str, Any]) -> dict[str, str]:
    return dict(pair.split(":") for pair in line.get("links", "").split(",") if pair)


def test_it_keeps_every_row_in_one_trace(
    installation: Installation, video: dict[str, Any], story: list[dict[str, Any]]
) -> None:
    by_trace = installation.manage("trace", video["traceId"])["lines"]

    for kind in ("batch", "video", "job", "tiktok", "span"):
        assert of_kind(story, kind)
        assert of_kind(by_trace, kind) == of_kind(story, kind)


def test_it_shows_the_killed_runs_as_cut_and_links_the_next_to_them(story: list[dict[str, Any]]) -> None:
    for kind in ("edit", "upload"):
        killed, resumed = of_kind(story, "span", f"process {kind}")
        (taken_over,) = [line for line in of_kind(story, "span", "job_take_over") if line["job"] == killed["job"]]
        bells = {line["span"] for line in of_kind(story, "span", f"send {kind}")}
        assert (killed["lasted"], resumed["lasted"][-1]) == ("cut", "s")
        assert links(resumed)["previous"] == links(taken_over)["previous"] == killed["span"]
        assert links(resumed)["bell"] in bells
        assert links(resumed)["asked"] == links(taken_over)["asked"]


def test_it_traces_every_step(story: list[dict[str, Any]]) -> None:
    names = {line["what"] for line in of_kind(story, "span")}

    assert names >= {
        "manage.py publish", "publish", "send edit", "process edit", "store", "send upload", "process upload",
        "check settings", "transfer", "part", "tiktok upload", "poll status", "tiktok status_fetch",
    }  # fmt: skip
    assert all(line["log_id"] for line in of_kind(story, "span", "tiktok status_fetch"))


def test_it_tells_the_reconciler_s_side(installation: Installation, story: list[dict[str, Any]]) -> None:
    """Its round has a trace of its own, with links to those of the videos that it touched."""
    taken_over = of_kind(story, "span", "job_take_over")[0]
    trace_id, _slash, span_id = links(taken_over)["asked"].partition("/")

    (tick,) = installation.manage("trace", trace_id)["lines"]

    assert (tick["what"], tick["span"]) == ("reconcile", span_id)
    assert f"/{taken_over['span']}" in tick["links"]


def test_it_names_trace_span_job_video_and_account_in_each_line_of_a_job(
    installation: Installation, video: dict[str, Any]
) -> None:
    lines = list(log_lines(installation))
    # A killed horse's parent, and the workers' own lines, belong to no job.
    jobs = [line for line in lines if line["scope"].startswith("publishing.services") and "job_id" in line]

    assert {"job_started", "upload_initialised", "job_taken_over"} <= {line["body"] for line in jobs}
    for line in jobs:
        assert line["trace_id"] == video["traceId"]
        assert (line["video_id"], line["account_id"]) == (video["id"], 1)
        assert re.fullmatch("[0-9a-f]{16}", line["span_id"])


def test_it_leaves_nothing_of_a_job_on_the_lines_after_it(installation: Installation, video: dict[str, Any]) -> None:
    others = [line for line in log_lines(installation) if line["scope"] in {"publishing.worker", "gunicorn.error"}]

    assert others
    for line in others:
        assert (line["trace_id"], line["span_id"]) == ("", "")
        assert not {"job_id", "video_id", "account_id"} & line.keys()


def log_lines(installation: Installation) -> Iterator[dict[str, Any]]:
    for line in (installation.var / "up.log").read_text().splitlines():
        _program, brace, rest = line.partition("| {")
        if brace:
            yield json.loads("{" + rest)


def test_it_has_counted_what_killed_and_forked_workers_did(installation: Installation, video: dict[str, Any]) -> None:
    """Counters in a horse's memory would have died with it."""
    web = json.loads((installation.var / "up.json").read_text())["web_url"]
    key = installation.run("api_key", "make", "metrics", "a test").strip()
    answer = requests.get(f"{web}/metrics", headers={"Authorization": f"Bearer {key}"}, timeout=30)
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }

    assert found["videos_total", "submitted"] == found["videos_total", "posted"] == 1
    assert found["subiteya_jobs_finished_total", "edit", "succeeded"] == 1
    assert found["subiteya_jobs_finished_total", "upload", "succeeded"] == 1
    assert found["tiktok_api_requests_total", "video_init", "ok"] == 1
    assert found["tiktok_api_request_duration_seconds_count", "status_fetch"] >= 2
    assert found["edit_duration_seconds_count",] == found["verify_duration_seconds_count",] == 1
    assert found["subiteya_workers", "edit"] >= 1


SECRET = re.compile(
    r"(act|rft|clt)\.[\w!*.~-]{8,}|upload_token=(?!\[redacted)|client_secret=(?!\[redacted)|Bearer (?!\[redacted)"
)


def test_it_writes_no_secret_where_it_crashed(installation: Installation, video: dict[str, Any]) -> None:
    """Over every process's lines, the story, and every value of every table that is not encrypted."""
    texts = {
        "lines": (installation.var / "up.log").read_text(),
        "story": installation.run("trace", video["traceId"]),
        "tables": installation.run("dumpdata", "accounts", "publishing", "monitoring.span"),
    }

    for name, text in texts.items():
        assert video["traceId"] in text, name
        assert not SECRET.search(encrypted_aside(text)), name


def encrypted_aside(text: str) -> str:
    """`dumpdata` decrypts the encrypted columns, whose names are these."""
    names = "access_token|refresh_token|code_verifier|upload_url"
    return re.sub(rf'"({names})": "[^"]*"', "", text)
