"""The state machine is closed, complete, and the page about it is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from publishing import states
from publishing.states import CircuitState, JobStatus, UploadState, VideoStatus

PAGE = (Path(__file__).parents[2] / "docs/states.md").read_text(encoding="utf-8")
MACHINES = [
    pytest.param(VideoStatus, states.VIDEO_ALLOWED, id="video"),
    pytest.param(JobStatus, states.JOB_ALLOWED, id="job"),
    pytest.param(CircuitState, states.CIRCUIT_ALLOWED, id="circuit"),
    pytest.param(UploadState, states.UPLOAD_ALLOWED, id="upload"),
]
VIDEO_START = {VideoStatus.DRAFT, VideoStatus.PENDING, VideoStatus.SCHEDULED}
FINAL = {VideoStatus.POSTED}


def documented(statuses) -> dict[str, set[str]]:
    """The table of the page's section that speaks of these statuses."""
    for section in PAGE.split("\n## ")[1:]:
        rows = re.findall(r"^\| `(\w+)` \|(?:.*\|)? ([^|]*) \|$", section, re.MULTILINE)
        if {name for name, _targets in rows} == set(statuses):
            return {name: set(re.findall(r"`(\w+)`", targets)) for name, targets in rows}
    raise AssertionError(f"no section for {statuses}")


@pytest.mark.parametrize(("statuses", "allowed"), MACHINES)
def test_it_declares_what_every_status_may_become(statuses, allowed):
    assert set(allowed) == set(statuses)
    assert all(target in statuses for targets in allowed.values() for target in targets)


def test_it_gives_every_video_status_one_family():
    listed = [status for members in states.FAMILIES.values() for status in members]
    assert sorted(listed) == sorted(VideoStatus)


def test_it_leaves_no_video_status_without_a_way_out():
    stuck = {status for status, targets in states.VIDEO_ALLOWED.items() if not targets}
    assert stuck == FINAL


def test_it_reaches_every_video_status_from_the_start():
    seen, todo = set(VIDEO_START), list(VIDEO_START)
    while todo:
        for target in states.VIDEO_ALLOWED[todo.pop()] - seen:
            seen.add(target)
            todo.append(target)
    assert seen == set(VideoStatus)


def test_it_can_end_published_from_every_status_but_a_published_one():
    for start in set(VideoStatus) - FINAL:
        seen, todo = {start}, [start]
        while todo:
            for target in states.VIDEO_ALLOWED[todo.pop()] - seen:
                seen.add(target)
                todo.append(target)
        assert VideoStatus.POSTED in seen, start


def test_it_lets_a_person_cancel_or_take_up_only_along_the_machine():
    for status in states.VIDEO_CANCELLABLE:
        assert VideoStatus.CANCELLED in states.VIDEO_ALLOWED[status], status
    for status in states.VIDEO_RETRYABLE | {VideoStatus.CANCELLED}:
        assert states.VIDEO_ALLOWED[status] & {VideoStatus.PENDING, VideoStatus.EDITED}, status


@pytest.mark.parametrize(("statuses", "allowed"), MACHINES)
def test_it_documents_every_transition_and_no_other(statuses, allowed):
    drawn = documented(statuses)

    assert {str(status): {str(target) for target in targets} for status, targets in allowed.items()} == drawn


def test_it_documents_no_transition_of_a_video_that_the_code_refuses():
    section = PAGE.split("## Job")[0]
    for name, targets in re.findall(r"^\| `(\w+)` \|.*\| ([^|]*) \|$", section, re.MULTILINE):
        real = {str(target) for target in states.VIDEO_ALLOWED[VideoStatus(name)]}
        assert set(re.findall(r"`(\w+)`", targets)) == real, name
