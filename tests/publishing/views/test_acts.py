"""Acts in the browser: the dialog, the act, the offer to undo; and the list's filters and saved ones."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from publishing.models import Act, SavedFilter, Video
from publishing.services import acts
from publishing.services.filters import MOST
from publishing.states import VideoStatus
from tests.factories import EditedAssetFactory, TikTokAccountFactory
from tests.publishing.views.conftest import logged_in

pytestmark = pytest.mark.django_db

PICK = re.compile(r'name="videos" value="(\d+)"')


def shown(client, query: str = "") -> set[int]:
    return {int(pk) for pk in PICK.findall(client.get(f"/videos/?{query}").content.decode())}


def field(html: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', html)
    return found[1] if found else ""


class TestDialog:
    def test_it_says_what_will_happen_and_what_cannot(self, as_ana, make_video):
        failed = [make_video(VideoStatus.FAILED_EDIT) for _ in range(3)]
        gone = make_video(VideoStatus.IN_REVIEW)
        keys = ",".join(str(video.pk) for video in [*failed, gone])

        answer = as_ana.post("/acts/preview/", {"kind": "retry", "videos": keys}, headers={"HX-Request": "true"})

        html = answer.content.decode()
        assert html.lstrip().startswith("<dialog")
        assert "<strong>3</strong> · " in html
        assert "<strong>1</strong> · " in html
        assert set(field(html, "videos").split(",")) == {str(video.pk) for video in failed}
        assert not Act.objects.exists()

    def test_it_is_a_page_without_scripts(self, as_ana, make_video):
        video = make_video(VideoStatus.FAILED_EDIT)
        html = as_ana.post("/acts/preview/", {"kind": "retry", "videos": video.pk}).content.decode()
        assert "<html" in html
        assert 'action="/acts/do/"' in html

    def test_it_takes_all_that_match_the_list(self, as_ana, make_video):
        failed, _other = make_video(VideoStatus.FAILED_EDIT), make_video(VideoStatus.MISSED)
        fields = {"kind": "retry", "selection": "all=1&status=failed_edit"}
        html = as_ana.post("/acts/preview/", fields, headers={"HX-Request": "true"}).content.decode()
        assert field(html, "videos") == str(failed.pk)

    def test_it_keeps_the_choice_when_the_hour_is_wrong(self, as_ana, make_video):
        video = make_video(VideoStatus.SCHEDULED, scheduled_at=timezone.now() + timedelta(hours=2))
        fields = {"kind": "reschedule", "videos": video.pk, "tomorrow": "", "day": "2040-01-01", "hour": "soon"}
        html = as_ana.post("/acts/preview/", fields, headers={"HX-Request": "true"}).content.decode()
        assert 'role="alert"' in html
        assert field(html, "videos") == str(video.pk)
        assert 'value="2040-01-01"' in html

    def test_it_says_how_many_are_too_many(self, as_ana, make_video, monkeypatch):
        monkeypatch.setattr(acts, "MOST", 1)
        for _ in range(2):
            make_video(VideoStatus.FAILED_EDIT)
        fields = {"kind": "retry", "selection": "all=1"}
        html = as_ana.post("/acts/preview/", fields, headers={"HX-Request": "true"}).content.decode()
        assert 'role="alert"' in html

    @pytest.mark.parametrize(
        "fields", [{}, {"kind": "explode"}, {"kind": "retry", "videos": "x,-1,9999999999999999999"}]
    )
    def test_it_answers_nonsense_in_words(self, fields, as_ana):
        assert as_ana.post("/acts/preview/", fields).status_code == 200
        assert as_ana.post("/acts/do/", fields)["Location"] == "/videos/"


class TestDo:
    def test_it_does_it_and_offers_the_undo_until_its_time_is_over(self, as_ana, make_video):
        video = make_video(VideoStatus.FAILED_EDIT)
        fields = {"kind": "retry", "videos": video.pk, "key": "k1", "next": "/videos/?family=attention"}

        answer = as_ana.post("/acts/do/", fields)

        act = Act.objects.get(key="k1")
        assert answer["Location"] == "/videos/?family=attention"
        assert Video.objects.get(pk=video.pk).status == VideoStatus.PENDING
        for _reload in range(2):
            assert f'action="/acts/{act.pk}/undo/"' in as_ana.get("/videos/").content.decode()
        with time_machine.travel(timezone.now() + timedelta(seconds=31)):
            assert "/undo/" not in as_ana.get("/videos/").content.decode()

    def test_it_puts_back_and_stops_offering(self, as_ana, make_video):
        video = make_video(VideoStatus.FAILED_EDIT)
        as_ana.post("/acts/do/", {"kind": "retry", "videos": video.pk, "key": "k1"})
        act = Act.objects.get(key="k1")
        html = as_ana.post(f"/acts/{act.pk}/undo/", follow=True).content.decode()
        video.refresh_from_db()
        assert (video.status, video.reason_code) == (VideoStatus.FAILED_EDIT, "edit_failed")
        assert "toast is-done" in html
        assert "/undo/" not in html

    def test_it_is_done_once_when_pressed_twice(self, as_ana, make_video):
        video = make_video(VideoStatus.FAILED_EDIT)
        for _ in range(2):
            answer = as_ana.post("/acts/do/", {"kind": "retry", "videos": video.pk, "key": "k1"}, follow=True)
        assert video.jobs.count() == 1
        assert 'is-attention" data-toast' not in answer.content.decode()

    def test_it_says_why_what_could_not_be_done(self, as_ana, make_video):
        keys = ",".join(str(make_video(VideoStatus.IN_REVIEW).pk) for _ in range(2))
        html = as_ana.post("/acts/do/", {"kind": "cancel", "videos": keys}, follow=True).content.decode()
        assert html.count('is-attention" data-toast') == 1

    def test_it_keeps_another_persons_act_out_of_reach(self, story, as_bruno):
        assert as_bruno.post(f"/acts/{story.act.pk}/undo/").status_code == 404

    def test_it_moves_to_the_day_on_each_accounts_clocks(self, as_ana, make_video):
        at = timezone.now() + timedelta(hours=2)
        video = make_video(VideoStatus.SCHEDULED, scheduled_at=at, time_zone="America/Bogota")
        fields = {"kind": "reschedule", "videos": video.pk, "day": "2040-01-01", "hour": "09:15", "tomorrow": ""}
        as_ana.post("/acts/do/", fields)
        assert Video.objects.get(pk=video.pk).scheduled_at.isoformat() == "2040-01-01T14:15:00+00:00"

    def test_it_holds_and_releases_from_the_videos_page(self, as_ana, make_video):
        video = make_video(VideoStatus.EDITED, edited=EditedAssetFactory())
        assert f'formaction="/videos/{video.pk}/hold/"' in as_ana.get(f"/videos/{video.pk}/").content.decode()
        as_ana.post(f"/videos/{video.pk}/hold/")
        assert Video.objects.get(pk=video.pk).reason_code == "held_by_person"
        assert f'formaction="/videos/{video.pk}/release/"' in as_ana.get(f"/videos/{video.pk}/").content.decode()
        as_ana.post(f"/videos/{video.pk}/release/")
        assert Video.objects.get(pk=video.pk).status == VideoStatus.EDITED


class TestFilters:
    def test_it_filters_by_state_cause_and_every_text(self, as_ana, make_video):
        one, two = make_video(VideoStatus.FAILED_EDIT), make_video(VideoStatus.MISSED, reason_code="missed")
        Video.objects.filter(pk=two.pk).update(post_id="7777", trace_id="abcdef")
        type(one.batch.source).objects.filter(pk=one.batch.source_id).update(original_name="Empanadas.mov")
        assert shown(as_ana, "status=missed") == {two.pk}
        assert shown(as_ana, "cause=edit_failed") == {one.pk}
        assert shown(as_ana, "q=empanadas") == {one.pk}
        assert shown(as_ana, "q=7777") == shown(as_ana, "q=abcdef") == {two.pk}
        assert shown(as_ana, "status=purple&cause=A B") == {one.pk, two.pk}

    @time_machine.travel("2027-03-10 15:00:00Z", tick=False)
    def test_it_filters_by_days_both_included(self, ana, make_video):
        as_ana = logged_in(ana)
        moments = {day: timezone.now().replace(day=day) for day in (9, 10, 11)}
        videos = {day: make_video(VideoStatus.SCHEDULED, scheduled_at=at).pk for day, at in moments.items()}
        for day, at in moments.items():
            Video.objects.filter(pk=videos[day]).update(created_at=at)
        assert shown(as_ana, "since=2027-03-10") == {videos[10], videos[11]}
        assert shown(as_ana, "since=today&until=today&on=scheduled") == {videos[10]}
        assert shown(as_ana, "until=yesterday") == {videos[9]}
        assert shown(as_ana, "since=2027-02-30&until=never") == set(videos.values())

    @pytest.mark.parametrize("query", ["q=palabra", "cause=edit_failed", "since=yesterday", "status=failed_edit"])
    def test_it_goes_on_by_key_under_every_filter(self, query, as_ana, make_video):
        pks = {make_video(VideoStatus.FAILED_EDIT).pk for _ in range(33)}
        first = as_ana.get(f"/videos/?{query}").content.decode()
        more = re.search(r'id="more"><a[^>]*hx-get="([^"]+)"', first)[1].replace("&amp;", "&")
        make_video(VideoStatus.FAILED_EDIT)
        rest = as_ana.get(more, headers={"HX-Request": "true"}).content.decode()
        found = [int(pk) for pk in PICK.findall(first) + PICK.findall(rest)]
        assert found == sorted(pks, reverse=True)

    def test_it_names_the_filter_that_hides_everything(self, as_ana, make_video):
        make_video(VideoStatus.FAILED_EDIT)
        html = as_ana.get("/videos/?status=failed_edit&q=nothing-like-it").content.decode()
        assert re.findall(r'class="button" href="([^"]+)"><svg[^>]*><use[^>]*></use></svg>[^<]*1 ', html) == [
            "/videos/?status=failed_edit"
        ]

    def test_it_offers_each_filter_to_be_taken_away(self, as_ana, make_video):
        html = as_ana.get("/videos/?status=missed&q=pan").content.decode()
        assert re.findall(r'class="chosen__chip" href="([^"]+)"', html) == ["/videos/?q=pan", "/videos/?status=missed"]

    def test_it_asks_no_more_for_more_rows(self, as_ana, make_video, django_assert_max_num_queries):
        for _ in range(25):
            make_video(VideoStatus.FAILED_EDIT)
        with django_assert_max_num_queries(15):
            as_ana.get("/videos/?family=attention&since=yesterday")


class TestSaved:
    def save(self, client, name: str = "Panadería", query: str = "q=pan&family=attention"):
        return client.post("/filters/", {"name": name, "query": query})

    def test_it_saves_what_is_shown_and_marks_it(self, as_ana):
        answer = self.save(as_ana)
        assert answer["Location"] == "/videos/?family=attention&q=pan"
        html = as_ana.get(answer["Location"]).content.decode()
        assert re.search(r'aria-current="true">\s*<svg.*?</svg>Panadería', html, re.DOTALL)

    def test_it_overwrites_a_name_that_is_there(self, as_ana, ana):
        self.save(as_ana)
        self.save(as_ana, query="status=missed")
        assert list(SavedFilter.objects.for_user(ana).values_list("name", "query")) == [("Panadería", "status=missed")]

    def test_it_renames_but_not_to_a_taken_name(self, as_ana):
        self.save(as_ana)
        self.save(as_ana, "Otro")
        one = SavedFilter.objects.get(name="Panadería")
        as_ana.post(f"/filters/{one.pk}/rename/", {"name": "Otro"})
        assert SavedFilter.objects.get(pk=one.pk).name == "Panadería"
        as_ana.post(f"/filters/{one.pk}/rename/", {"name": "Panes"})
        assert SavedFilter.objects.get(pk=one.pk).name == "Panes"

    def test_it_brings_a_deleted_one_back(self, as_ana):
        self.save(as_ana)
        one = SavedFilter.objects.get()
        html = as_ana.post(f"/filters/{one.pk}/delete/", follow=True).content.decode()
        assert SavedFilter.objects.kept().count() == 0
        assert f'action="/filters/{one.pk}/restore/"' in html
        as_ana.post(f"/filters/{one.pk}/restore/")
        assert SavedFilter.objects.kept().get().name == "Panadería"

    def test_it_has_an_end(self, as_ana, ana):
        for number in range(MOST + 1):
            self.save(as_ana, f"F{number}")
        assert SavedFilter.objects.for_user(ana).count() == MOST

    def test_it_shows_nobody_anothers(self, story, as_bruno):
        assert "secretanita" not in as_bruno.get("/videos/").content.decode()
        assert as_bruno.post(f"/filters/{story.saved.pk}/delete/").status_code == 404


def test_it_asks_nothing_of_the_database_for_the_offer(as_ana, make_video, django_assert_max_num_queries):
    """Every page shows the offer to undo: it comes from the session."""
    TikTokAccountFactory()
    video = make_video(VideoStatus.FAILED_EDIT)
    as_ana.get("/videos/")
    as_ana.post("/acts/do/", {"kind": "retry", "videos": video.pk, "key": "k1"})
    with django_assert_max_num_queries(14):
        as_ana.get("/videos/")
