"""The list, a video's page, what keeps them live, and what a person can do there."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import quote

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from publishing.causes import CATALOGUE
from publishing.models import Job, UploadSession, Video
from publishing.states import (
    FAMILIES,
    VIDEO_TERMINAL,
    Family,
    JobKind,
    JobStatus,
    UploadState,
    VideoStatus,
)
from publishing.views.buttons import primary_button, secondary_buttons
from tests.factories import EditedAssetFactory, JobFactory, UploadSessionFactory
from tests.publishing.views.conftest import logged_in

pytestmark = pytest.mark.django_db

ROW = re.compile(r'<li class="row" id="video-(\d+)" data-pk="\d+" data-v="([0-9a-f]{8})"')
COUNTS = re.compile(r'id="families"[^>]* data-v="([0-9a-f]{8})"')


def rows(html: str) -> dict[int, str]:
    return {int(pk): version for pk, version in ROW.findall(html)}


def page(client: Client, query: str = "") -> str:
    response = client.get(f"/videos/{query}")
    assert response.status_code == 200
    return response.content.decode()


class TestList:
    def test_it_filters_by_family_account_text_and_batch(self, as_ana, make_video, ana):
        red, green = make_video(VideoStatus.REJECTED), make_video(VideoStatus.POSTED)
        Video.objects.filter(pk=green.pk).update(caption="Alfajores de maicena")
        assert rows(page(as_ana, "?family=attention")).keys() == {red.pk}
        assert rows(page(as_ana, f"?batch={green.batch_id}")).keys() == {green.pk}
        assert rows(page(as_ana, "?q=alfajores")).keys() == {green.pk}
        assert rows(page(as_ana, f"?account={red.account_id}")).keys() == {red.pk, green.pk}

    def test_it_leaves_out_filters_that_make_no_sense(self, as_ana, make_video):
        video = make_video()
        query = "?family=purple&account=x&batch=-1&before=99999999999999999999999"
        assert rows(page(as_ana, query)).keys() == {video.pk}

    def test_it_counts_each_family_under_the_other_filters(self, as_ana, make_video):
        for status in (VideoStatus.POSTED, VideoStatus.POSTED, VideoStatus.MISSED):
            make_video(status)
        html = page(as_ana, "?family=done")
        counts = [int(n) for n in re.findall(r"<b>(\d+)</b>", html)]
        assert counts == [3, 1, 0, 0, 0, 0, 2, 0]

    def test_it_goes_on_by_key_while_new_videos_arrive(self, as_ana, make_video):
        old = [make_video().pk for _ in range(35)]
        first = page(as_ana)
        make_video()
        more = re.search(r'hx-get="([^"]+)"', first)[1]
        answer = as_ana.get(more, headers={"HX-Request": "true"}).content.decode()
        assert "<html" not in answer
        assert [*rows(first), *rows(answer)] == sorted(old, reverse=True)

    def test_it_shows_the_reason_and_one_button_for_what_is_red(self, as_ana, make_video):
        make_video(VideoStatus.FAILED_EDIT, reason_code="edit_failed")
        html = page(as_ana).split('id="rows"')[1].split("</ul>")[0]
        assert html.count("row__why is-attention") == 1
        assert html.count("button--small button--primary") == 1

    def test_it_links_what_is_published(self, as_ana, make_video):
        video = make_video(VideoStatus.POSTED)
        assert f'href="{video.post_url}" target="_blank" rel="noopener noreferrer"' in page(as_ana)

    def test_it_prints_the_hour_with_the_accounts_zone(self, as_ana, make_video):
        at = timezone.now().replace(year=2031, month=7, day=9, hour=21, minute=30)
        make_video(VideoStatus.SCHEDULED, scheduled_at=at, time_zone="America/Bogota")
        assert "16:30 (Bogotá)" in page(as_ana)


class TestLive:
    def ask(self, client: Client, html: str, query: str = ""):
        known = ",".join(f"{pk}-{version}" for pk, version in rows(html).items())
        newest = max(rows(html), default=0)
        address = f"/videos/live/?v={known}&newest={newest}&counts={COUNTS.search(html)[1]}{query}"
        return client.get(address, headers={"HX-Request": "true"})

    def test_it_says_nothing_when_nothing_changed(self, as_ana, story):
        response = self.ask(as_ana, page(as_ana))
        assert (response.status_code, response.content) == (204, b"")

    def test_it_sends_only_the_rows_that_changed_and_the_counts(self, as_ana, story):
        html = page(as_ana)
        Job.objects.filter(pk=story.job.pk).update(progress=0.75)
        UploadSession.objects.update(uploaded_bytes=9_000_000)
        answer = self.ask(as_ana, html).content.decode()
        assert rows(answer).keys() == {story.uploading.pk}
        assert 'hx-swap-oob="true"' in answer
        assert 'value="75"' in answer
        assert 'id="families"' not in answer
        Video.objects.filter(pk=story.uploading.pk).update(status=VideoStatus.VERIFYING)
        assert 'id="families"' not in self.ask(as_ana, html).content.decode()  # the family is the same
        Video.objects.filter(pk=story.uploading.pk).update(status=VideoStatus.RETRYING)
        assert 'id="families"' in self.ask(as_ana, html).content.decode()

    def test_it_puts_new_videos_on_top(self, as_ana, make_video):
        make_video()
        html = page(as_ana)
        new = make_video()
        answer = self.ask(as_ana, html).content.decode()
        assert 'hx-swap-oob="afterbegin:#rows"' in answer
        assert rows(answer).keys() == {new.pk}

    def test_it_keeps_a_row_that_left_the_filter(self, as_ana, make_video):
        video = make_video(VideoStatus.UPLOADING)
        html = page(as_ana, "?family=working")
        Video.objects.filter(pk=video.pk).update(status=VideoStatus.RETRYING)
        answer = self.ask(as_ana, html, "&family=working").content.decode()
        assert rows(answer).keys() == {video.pk}

    def test_it_says_where_to_log_in_again_when_the_session_ended(self):
        response = Client().get("/videos/live/", headers={"HX-Request": "true"})
        assert (response.status_code, response["Log-In-At"]) == (401, "/login/")

    def test_it_ignores_nonsense(self, as_ana, make_video):
        make_video()
        for query in ("v=abc,12-,-x,999999999999999999999-aa&newest=x", "v=,,,", "newest=99999999999999999999"):
            assert as_ana.get(f"/videos/live/?{query}").status_code == 200

    def test_it_refreshes_a_videos_page_only_when_it_changed(self, as_ana, story):
        address = f"/videos/{story.uploading.pk}/"
        html = as_ana.get(address).content.decode()
        version = re.search(r'id="live"[^>]* data-v="([^"]+)"', html)[1]
        assert as_ana.get(f"{address}live/", {"v": version}).status_code == 204
        Job.objects.filter(pk=story.job.pk).update(progress=0.9)
        answer = as_ana.get(f"{address}live/", {"v": version}).content.decode()
        assert 'id="live"' in answer
        assert 'id="players"' not in answer
        Video.objects.filter(pk=story.uploading.pk).update(edited=None)
        assert 'id="players"' in as_ana.get(f"{address}live/", {"v": version}).content.decode()


class TestPage:
    def test_it_draws_the_parts(self, as_ana, story):
        html = as_ana.get(f"/videos/{story.uploading.pk}/").content.decode()
        assert [html.count(f'class="parts__{word}"') for word in ("done", "current", "todo")] == [6, 1, 5]
        assert 'value="50"' in html

    def test_it_shows_what_is_sent_and_what_support_needs(self, as_ana, story):
        html = as_ana.get(f"/videos/{story.uploading.pk}/").content.decode()
        assert "traza-de-ana" in html
        assert story.edited.sha256 in html
        assert html.count("<video controls") == 2
        assert "data-compare" in html

    def test_it_counts_what_a_reconnection_resumes(self, as_ana, make_video):
        make_video(VideoStatus.HELD, reason_code="circuit_open")
        for status in (VideoStatus.FAILED_UPLOAD, VideoStatus.HELD, VideoStatus.HELD):
            video = make_video(status, reason_code="account_disconnected")
        html = as_ana.get(f"/videos/{video.pk}/").content.decode()
        assert f'formaction="/accounts/{video.account_id}/reconnect/"' in html
        assert re.search(r"\b3</button>", html)

    def test_it_escapes_what_people_write(self, as_ana, make_video):
        video = make_video()
        Video.objects.filter(pk=video.pk).update(caption='<script>alert("x")</script>')
        for address in ("/videos/", f"/videos/{video.pk}/"):
            assert "<script>alert" not in as_ana.get(address).content.decode()


class TestButtons:
    @pytest.mark.parametrize("status", sorted(FAMILIES[Family.ATTENTION]))
    def test_it_gives_one_primary_button_to_each_red_video_for_any_cause(self, status, make_video):
        video = make_video(status)
        for code in [*CATALOGUE, "a_code_of_tomorrow", ""]:
            video.reason_code = code
            button = primary_button(video)
            assert button is not None
            assert button.target not in [other.target for other in secondary_buttons(video)]

    def test_it_gives_none_to_the_others(self, story):
        others = [video for status, video in story.videos.items() if status not in FAMILIES[Family.ATTENTION]]
        assert not [video.status for video in others if primary_button(video)]

    @pytest.mark.parametrize("status", VideoStatus.values)
    def test_it_offers_only_what_the_service_does(self, status, as_ana, make_video):
        """Each button of each status works: pressing it is never answered by "not possible"."""
        for press in ("retry", "cancel", "reschedule"):
            video = make_video(status)
            offered = [primary_button(video), *secondary_buttons(video)]
            targets = {button.target for button in offered if button}
            if f"/videos/{video.pk}/retry/" not in targets and press == "retry":
                continue
            if f"dialog-{press}" not in targets and press != "retry":
                continue
            as_ana.post(f"/videos/{video.pk}/{press}/", {"day": "2040-01-01", "hour": "10:00"})
            assert Video.objects.get(pk=video.pk).events.count() == 2, press


class TestActions:
    def test_it_retries_where_it_stopped(self, as_ana, make_video):
        video = make_video(VideoStatus.FAILED_UPLOAD, edited=EditedAssetFactory())
        response = as_ana.post(f"/videos/{video.pk}/retry/", {"next": "/videos/?family=attention"})
        assert response["Location"] == "/videos/?family=attention"
        assert Video.objects.get(pk=video.pk).status == VideoStatus.EDITED
        assert Job.objects.get(video=video).kind == JobKind.UPLOAD

    def test_it_never_follows_next_to_another_site(self, as_ana, make_video):
        video = make_video(VideoStatus.FAILED_EDIT)
        response = as_ana.post(f"/videos/{video.pk}/retry/", {"next": "https://evil.example/"})
        assert response["Location"] == f"/videos/{video.pk}/"

    def test_it_cancels_and_says_so_when_it_is_too_late(self, as_ana, make_video):
        waiting, sent = make_video(VideoStatus.PENDING), make_video(VideoStatus.VERIFYING)
        as_ana.post(f"/videos/{waiting.pk}/cancel/")
        assert Video.objects.get(pk=waiting.pk).status == VideoStatus.CANCELLED
        response = as_ana.post(f"/videos/{sent.pk}/cancel/", follow=True)
        assert Video.objects.get(pk=sent.pk).status == VideoStatus.VERIFYING
        assert "toast is-attention" in response.content.decode()

    @time_machine.travel("2027-03-01 12:00:00Z", tick=False)
    def test_it_reschedules_in_the_videos_zone(self, ana, make_video):
        as_ana = logged_in(ana)  # a session of this day
        at = timezone.now() + timedelta(hours=2)
        video = make_video(VideoStatus.SCHEDULED, scheduled_at=at, time_zone="America/Bogota")
        as_ana.post(f"/videos/{video.pk}/reschedule/", {"day": "2027-03-02", "hour": "09:15"})
        assert Video.objects.get(pk=video.pk).scheduled_at.isoformat() == "2027-03-02T14:15:00+00:00"
        past = as_ana.post(f"/videos/{video.pk}/reschedule/", {"day": "2026-01-01", "hour": "09:15"}, follow=True)
        half = as_ana.post(f"/videos/{video.pk}/reschedule/", {"day": "2027-03-02"}, follow=True)
        assert all("toast is-attention" in response.content.decode() for response in (past, half))
        assert Video.objects.get(pk=video.pk).scheduled_at.isoformat() == "2027-03-02T14:15:00+00:00"

    @pytest.mark.parametrize(
        ("posted", "status", "state"),
        [("yes", VideoStatus.POSTED, UploadState.COMPLETE), ("no", VideoStatus.EDITED, UploadState.DEAD)],
    )
    def test_it_takes_a_persons_word_about_an_unconfirmed_video(self, posted, status, state, as_ana, make_video):
        video = make_video(VideoStatus.UNCONFIRMED, edited=EditedAssetFactory())
        session = UploadSessionFactory(video=video, state=UploadState.UNKNOWN)
        link = "https://www.tiktok.com/@secretanita/video/7"
        as_ana.post(f"/videos/{video.pk}/resolve/", {"posted": posted, "post_url": link})
        video = Video.objects.get(pk=video.pk)
        assert (video.status, UploadSession.objects.get(pk=session.pk).state) == (status, state)
        assert video.post_url == (link if posted == "yes" else "")

    @pytest.mark.parametrize("link", ["javascript:alert(1)", "ftp://tiktok.com/x", "not a link"])
    def test_it_takes_no_link_that_is_none(self, link, as_ana, make_video):
        video = make_video(VideoStatus.UNCONFIRMED)
        as_ana.post(f"/videos/{video.pk}/resolve/", {"posted": "yes", "post_url": link})
        assert Video.objects.get(pk=video.pk).status == VideoStatus.UNCONFIRMED

    def test_it_changes_nothing_by_get(self, as_ana, make_video):
        video = make_video(VideoStatus.FAILED_EDIT)
        for action in ("retry", "cancel", "reschedule", "resolve"):
            assert as_ana.get(f"/videos/{video.pk}/{action}/").status_code == 405


def test_it_polls_fast_only_while_something_moves(as_ana, make_video):
    job = JobFactory(video=make_video(VideoStatus.EDITING), status=JobStatus.RUNNING, progress=0.3)
    assert " data-active" in page(as_ana)
    Job.objects.filter(pk=job.pk).delete()
    Video.objects.update(status=VideoStatus.POSTED, posted_at=timezone.now())
    assert VideoStatus.POSTED in VIDEO_TERMINAL
    assert " data-active" not in page(as_ana)


@pytest.mark.parametrize("filters", ["since=2026-01-01", "since=2026-01-01&q=pan", "on=scheduled&until=2027-01-01"])
@pytest.mark.parametrize(
    "at", ["9999-12-31T23:59:59", "0001-01-01T00:00:00", "9999-12-31T23:59:59-12:00", "2026-02-30"]
)
def test_it_begins_anew_from_a_place_that_there_is_not(as_ana, make_video, filters: str, at: str) -> None:
    """Beyond the last day that there is no date can be put into another zone."""
    make_video()
    page(as_ana, f"?{filters}&before=3&at={quote(at)}")
