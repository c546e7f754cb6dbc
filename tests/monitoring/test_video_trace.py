"""The waterfall on a video's page, and the story in the terminal."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from monitoring.models import Span
from monitoring.selectors.spans import WIDTH, waterfall
from publishing.models import Job, Video
from publishing.states import JobStatus
from tests.factories import AdminFactory, JobFactory, UserFactory, VideoFactory

BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def cm(db: None) -> User:
    return UserFactory(username="ana")


@pytest.fixture
def video(cm: User) -> Video:
    video: Video = VideoFactory()
    video.account.managers.add(cm)
    return video


@pytest.fixture
def browser(cm: User) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.cookies["django_language"] = "en"
    cm.language = "en"
    cm.save()
    client.force_login(cm)
    return client


def add(
    video: Video, name: str, start: float, end: float | None, *, parent: str = "", mine: bool = True, **fields: Any
) -> Span:
    """A span from `start` to `end`, in seconds after BEGIN."""
    return Span.objects.create(
        trace_id=video.trace_id, span_id=f"{Span.objects.count() + 1:016x}", parent_id=parent, name=name,
        started_at=BEGIN + timedelta(seconds=start), video_id=video.pk if mine else None,
        ended_at=None if end is None else BEGIN + timedelta(seconds=end), **({"kind": "internal"} | fields),
    )  # fmt: skip


def page(browser: Client, video: Video) -> str:
    answer = browser.get(f"/videos/{video.pk}/trace/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_it_draws_spans_to_scale_below_their_parents(video: Video) -> None:
    run = add(video, "process edit", 0, 10, kind="consumer")
    add(video, "render", 5, 10, parent=run.span_id)

    shown = waterfall(video)

    assert [(bar.span.name, bar.depth) for bar in shown.bars] == [("process edit", 0), ("render", 1)]
    assert [(bar.left, bar.width) for bar in shown.bars] == [(0, WIDTH), (WIDTH / 2, WIDTH / 2)]
    assert shown.lasted == timedelta(seconds=10)


def test_it_squeezes_the_pauses(video: Video) -> None:
    """Two seconds of work with a day between them: the work is what is seen."""
    add(video, "publish", 0, 1)
    add(video, "process upload", 86400, 86401, kind="consumer")

    shown = waterfall(video)

    (pause,) = shown.pauses
    first, second = shown.bars
    assert pause.lasted == timedelta(seconds=86399)
    assert pause.width < WIDTH * 0.1
    assert first.width > WIDTH * 0.4
    assert second.left + second.width == pytest.approx(WIDTH)


def test_it_marks_a_run_that_was_cut_off_and_one_that_goes_on(video: Video) -> None:
    killed = add(video, "process edit", 0, None, kind="consumer")
    alive = add(
        video, "process edit", 30, None, kind="consumer",
        links=[{"why": "previous", "trace_id": video.trace_id, "span_id": killed.span_id}],
    )  # fmt: skip
    JobFactory(
        video=video, status=JobStatus.RUNNING, lease_until=BEGIN + timedelta(minutes=2),
        traceparent=f"00-{video.trace_id}-{alive.span_id}-01",
    )  # fmt: skip

    with time_machine.travel(BEGIN + timedelta(minutes=1), tick=False):
        first, second = waterfall(video).bars

    assert (first.state, second.state) == ("cut", "running")
    assert first.width > 3  # as far as the run that goes on from it
    assert second.links[0].name == "process edit"


def test_it_shows_steps_errors_links_and_a_way_to_copy_the_id(browser: Client, video: Video) -> None:
    killed = add(video, "process upload", 0, None, kind="consumer")
    add(
        video, "process upload", 1, 2, kind="consumer", status="error",
        attributes={"error.type": "unavailable", "tiktok.log_id": "2026log"},
        links=[
            {"why": "previous", "trace_id": video.trace_id, "span_id": killed.span_id},
            {"why": "asked", "trace_id": "d" * 32, "span_id": "e" * 16},
        ],
    )  # fmt: skip

    text = page(browser, video)

    assert "cut off: its worker died" in text
    assert "failed · unavailable" in text
    assert f'<a href="#span-{killed.span_id}">process upload</a>' in text
    assert "dddddddd…/" in text
    assert "2026log" in text
    assert f'data-copy="{video.trace_id}"' in text


def test_it_shows_nothing_of_the_batch_s_other_accounts(browser: Client, video: Video) -> None:
    add(video, "publish", 0, 1, mine=False)
    add(video, "tiktok creator_info", 0, 1, mine=False, attributes={"subiteya.account_id": video.account_id})
    add(video, "tiktok user_info", 0, 1, mine=False, attributes={"subiteya.account_id": video.account_id + 1})
    other = VideoFactory(batch=video.batch, trace_id=video.trace_id)
    Span.objects.create(
        trace_id=video.trace_id, span_id="f" * 16, name="process other", kind="consumer", started_at=BEGIN,
        video_id=other.pk,
    )  # fmt: skip

    text = page(browser, video)

    assert "publish" in text
    assert "tiktok creator_info" in text
    assert "tiktok user_info" not in text
    assert "process other" not in text


def test_it_hides_the_videos_of_others(browser: Client, db: None) -> None:
    assert browser.get(f"/videos/{VideoFactory().pk}/trace/").status_code == 404
    assert browser.get("/videos/999999/trace/").status_code == 404
    assert Client().get("/videos/999999/trace/").status_code == 302


def test_it_says_when_nothing_is_kept(browser: Client, video: Video) -> None:
    assert "No steps are kept of this video" in page(browser, video)


def test_it_draws_so_many_and_says_how_many_more(browser: Client, video: Video) -> None:
    for number in range(303):
        add(video, f"step {number}", number, number + 1)

    assert "3 later steps are not drawn." in page(browser, video)


def test_it_is_asked_for_from_the_video_s_page(browser: Client, video: Video) -> None:
    assert f'hx-get="/videos/{video.pk}/trace/"' in browser.get(f"/videos/{video.pk}/").content.decode()


# manage.py trace


def told(*arguments: str) -> tuple[str, int]:
    out, code = StringIO(), 0
    try:
        call_command("trace", *arguments, stdout=out, stderr=out)
    except SystemExit as end:
        code = int(end.code or 0)
    return out.getvalue(), code


@pytest.fixture
def story(video: Video) -> Video:
    AdminFactory()
    job: Job = JobFactory(video=video, trace_id=video.trace_id, traceback="Traceback\nValueError: boom")
    video.events.create(new="pending", at=BEGIN, trace_id=video.trace_id)
    job.events.create(new="queued", at=BEGIN + timedelta(seconds=1), trace_id=video.trace_id)
    add(video, "process edit", 2, None, kind="consumer", job_id=job.pk)
    add(video, "tiktok status_fetch", 3, 4, kind="client", attributes={"tiktok.log_id": "2026log"})
    return video


def test_it_tells_the_story_of_a_video_in_the_order_of_time(story: Video) -> None:
    text, code = told(str(story.pk))

    first, *lines = text.splitlines()
    assert (first, code) == (f"trace {story.trace_id}", 0)
    moments = [line[:23] for line in lines]
    assert moments == sorted(moments)
    assert any("process edit  lasted=cut" in line for line in lines)
    assert any("log_id=2026log" in line for line in lines)
    assert any("error=ValueError: boom" in line for line in lines)


def test_it_tells_the_story_of_a_trace_as_json(story: Video) -> None:
    text, code = told(story.trace_id, "--json")

    answer = json.loads(text)
    assert (answer["traceId"], code) == (story.trace_id, 0)
    assert {line["kind"] for line in answer["lines"]} >= {"batch", "video", "job", "span"}


@pytest.mark.parametrize(("what", "field"), [("999999", "video_unknown"), ("nonsense", "trace_unknown")])
def test_it_refuses_what_it_does_not_know(db: None, what: str, field: str) -> None:
    AdminFactory()

    text, code = told(what, "--json")

    assert (json.loads(text)["error"]["code"], code) == (field, 2)
