"""One trace from the submission to TikTok's last word: the spans of the main job, kept in the database."""

from __future__ import annotations

from typing import Any

import pytest

from monitoring.models import Span
from monitoring.services.spans import SpanKeeper
from publishing.models import Batch, Video
from subiteya.lib import spans
from tests.publishing.conftest import reload


@pytest.fixture
def kept(transactional_db: None) -> None:
    """Spans are written, as in a process that serves."""
    spans.register(SpanKeeper())


def tree(video: Video) -> list[str]:
    """The video's spans, indented below their parents."""
    found = list(Span.objects.filter(trace_id=video.trace_id))
    lines: list[str] = []

    def walk(parent: str, depth: int) -> None:
        for one in found:
            if one.parent_id == parent:
                lines.append("  " * depth + one.name)
                walk(one.span_id, depth + 1)

    walk("", 0)
    return lines


def test_it_traces_the_main_job(kept: None, connect: Any, submit: Any, work: Any) -> None:
    batch: Batch = submit(connect())
    work()
    (video,) = batch.videos.all()
    video = reload(video)
    pass
    for s in Span.objects.all():
    assert 0
