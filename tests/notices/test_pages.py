"""The bell, the list, read and unread with undo, the way to the fix, and the preferences."""

from __future__ import annotations

import re
from datetime import time, timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from django.utils import timezone

from accounts.models import AccountEvent, AccountEventKind, AccountStatus, TikTokAccount
from notices.models import Notice, NoticeCopy, NoticeKind, NoticeMessage, NoticePreferences
from notices.selectors.rows import LOOKS, row_of, unread_count
from notices.services.catching import notices_catch_up
from notices.services.making import notice_of_account
from notices.views.notices import PAGE
from publishing.models import Video, VideoEvent
from publishing.services.moves import video_move
from publishing.services.videos import video_retry
from publishing.states import VideoStatus
from tests.factories import AdminFactory, UserFactory, VideoFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def as_ana(ana):
    client = Client()
    client.force_login(ana)
    return client


def page(client, address="/notices/"):
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_it_lists_what_happened_with_the_account_and_the_one_button(fail, as_ana):
    fail(code="edit_failed")
    text = page(as_ana)
    copy = NoticeCopy.objects.get()
    assert "The edit was cut. The video is already stored." in text
    assert "@luna" in text
    assert text.count("Retry the edit</button>") == 1
    assert f'action="/notices/{copy.pk}/"' in text
    assert "1 unread" in text


def test_it_says_what_is_mended_and_offers_nothing_more(fail, as_ana):
    video = fail()
    video_retry(video=video, actor=None)
    text = page(as_ana)
    assert "It is on its way again" in text
    assert "Retry the edit" not in text
    Video.objects.filter(pk=video.pk).update(status=VideoStatus.POSTED, posted_at=timezone.now())
    assert "It is published by now" in page(as_ana)


def test_it_offers_the_button_of_the_newest_notice_about_a_video(fail, as_ana, clock):
    video = video_retry(video=fail(), actor=None)
    clock.shift(60)
    video_move(video=video, to=VideoStatus.FAILED_EDIT, code="edit_timeout")
    text = page(as_ana)
    assert text.count("There is a newer notice about it") == 1
    assert text.count("Retry the edit</button>") == 1


def test_it_groups_by_the_persons_own_days(fail, as_ana, ana, clock):
    fail()
    clock.shift(timedelta(hours=14))  # two in the morning in Buenos Aires
    fail()
    assert re.findall(r'<h2 id="day-([\d-]+)"', page(as_ana)) == ["2026-11-24", "2026-11-23"]
    NoticePreferences.objects.create(user=ana, time_zone="Pacific/Auckland")
    assert re.findall(r'<h2 id="day-([\d-]+)"', page(as_ana)) == ["2026-11-24"]


def test_a_notice_that_was_made_up_for_stands_where_it_belongs(fail, as_ana, account, clock):
    clock.shift(timedelta(hours=14))
    fail()
    late = VideoFactory(account=account, status=VideoStatus.MISSED, caption="made up for")
    before = timezone.now() - timedelta(hours=14)
    VideoEvent.objects.create(video=late, old="scheduled", new="missed", code="missed", at=before)
    notices_catch_up()
    text = page(as_ana)
    assert re.findall(r'<h2 id="day-([\d-]+)"', text) == ["2026-11-24", "2026-11-23"]
    newest = NoticeCopy.objects.order_by("-at").first()
    assert "made up for" in page(as_ana, f"/notices/?before={newest.pk}")


def test_it_pages_by_the_last_key(fail, as_ana):
    for _notice in range(PAGE + 3):
        fail()
    first = page(as_ana)
    assert first.count('class="notice ') == PAGE
    older = re.search(r'href="(/notices/\?before=\d+)"', first)[1]
    fail()
    assert page(as_ana, older).count('class="notice ') == 3


@pytest.mark.parametrize("query", ["before=x", "before=99999999999999999999", "undo=x", "undo=2026-99-99T00:00:00Z"])
def test_it_ignores_nonsense_in_the_address(fail, as_ana, query):
    fail()
    assert 'class="notice ' in page(as_ana, f"/notices/?{query}")


def test_it_asks_the_same_however_many_notices(fail, as_ana, django_assert_max_num_queries):
    for _notice in range(PAGE):
        fail()
    with django_assert_max_num_queries(8):
        page(as_ana)


def test_the_bell_costs_a_page_one_query_and_a_stranger_none(fail, ana, django_assert_num_queries):
    fail()
    with django_assert_num_queries(1):
        assert unread_count(ana) == 1
    with django_assert_num_queries(0):
        assert unread_count(AnonymousUser()) == 0


def test_the_bell_counts_on_every_page(fail, as_ana):
    fail()
    fail()
    assert page(as_ana, "/videos/").count('data-unread="2"') == 2  # beside the navigation, and on the phone
    assert 'data-unread="0"' in page(client_of(UserFactory()), "/videos/")


def client_of(user):
    client = Client()
    client.force_login(user)
    return client


def test_the_bell_rings_only_when_something_changed(fail, as_ana):
    fail()
    assert as_ana.get("/notices/bell/?v=1").status_code == 204
    louder = as_ana.get("/notices/bell/?v=0").content.decode()
    assert "1 unread notice" in louder and louder.count("hx-swap-oob") == 3
    quieter = as_ana.get("/notices/bell/?v=4").content.decode()
    assert "unread notice" not in quieter and 'data-unread="1"' in quieter


def test_it_marks_one_as_read_and_undoes_it(fail, as_ana):
    fail()
    fail()
    first = NoticeCopy.objects.earliest("pk")
    answer = as_ana.post("/notices/read/", {"pk": first.pk})
    assert NoticeCopy.objects.filter(read_at=None).count() == 1
    text = page(as_ana, answer["Location"])
    at = re.search(r'name="at" value="([^"]+)"', text)[1]
    as_ana.post("/notices/unread/", {"at": at})
    assert NoticeCopy.objects.filter(read_at=None).count() == 2


def test_it_marks_all_as_read_and_undoes_exactly_those(fail, as_ana, clock):
    fail()
    as_ana.post("/notices/read/")
    clock.shift(5)
    fail()
    fail()
    text = page(as_ana, as_ana.post("/notices/read/", {"unread": "1"})["Location"])
    assert "Nothing unread" in text
    as_ana.post("/notices/unread/", {"at": re.search(r'name="at" value="([^"]+)"', text)[1]})
    assert NoticeCopy.objects.filter(read_at=None).count() == 2


def test_it_marks_one_as_unread_again(fail, as_ana):
    fail()
    as_ana.post("/notices/read/")
    as_ana.post("/notices/unread/", {"pk": NoticeCopy.objects.get().pk})
    assert NoticeCopy.objects.get().read_at is None


def test_it_wants_to_know_what_is_to_be_unread(as_ana):
    assert as_ana.post("/notices/unread/").status_code == 404
    assert as_ana.post("/notices/read/", {"pk": "x"}).status_code == 404


def test_the_button_mends_and_marks_as_read_in_one_press(fail, as_ana):
    video = fail()
    copy = NoticeCopy.objects.get()
    answer = as_ana.post(f"/notices/{copy.pk}/", {"next": "/notices/"}, follow=True)
    assert answer.redirect_chain[0] == (f"/videos/{video.pk}/retry/", 307)
    assert answer.redirect_chain[-1][0] == "/notices/"
    assert Video.objects.get(pk=video.pk).status == VideoStatus.PENDING
    assert NoticeCopy.objects.get().read_at


def test_the_link_of_a_mail_opens_the_dialog_that_mends_it(fail, as_ana):
    video = fail()
    Video.objects.filter(pk=video.pk).update(status=VideoStatus.UNCONFIRMED, reason_code="unconfirmed")
    Notice.objects.update(code="unconfirmed", detail={"status": "unconfirmed"})
    copy = NoticeCopy.objects.get()
    answer = as_ana.get(f"/notices/{copy.pk}/")
    assert answer["Location"] == f"/videos/{video.pk}/#dialog-resolve"
    assert NoticeCopy.objects.get().read_at
    assert Client().get(f"/notices/{copy.pk}/")["Location"] == f"/login/?next=/notices/{copy.pk}/"


def test_a_lost_account_is_reconnected_from_its_notice(account, as_ana):
    TikTokAccount.objects.filter(pk=account.pk).update(status=AccountStatus.DISCONNECTED)
    event = AccountEvent.objects.create(account=account, kind=AccountEventKind.DISCONNECTED, at=timezone.now())
    notice_of_account(event)
    text = page(as_ana)
    assert "@luna is disconnected from TikTok." in text and "Reconnect and resume" in text
    pk = NoticeCopy.objects.get().pk
    assert as_ana.post(f"/notices/{pk}/")["Location"] == f"/accounts/{account.pk}/reconnect/"
    TikTokAccount.objects.update(status=AccountStatus.CONNECTED)
    text = page(as_ana)
    assert "It is connected again" in text and "Reconnect and resume" not in text


def test_a_person_sees_and_touches_only_theirs(fail, ana, account):
    fail()
    other = client_of(UserFactory(language="en"))
    pk = NoticeCopy.objects.get().pk
    assert "No notices yet" in page(other)
    assert other.get(f"/notices/{pk}/").status_code == 404
    for address in ("/notices/read/", "/notices/unread/"):
        other.post(address, {"pk": pk})
    assert NoticeCopy.objects.get().read_at is None
    account.managers.remove(ana)
    assert "No notices yet" in page(client_of(ana))


def test_an_administrator_sees_their_own_copies_only(fail):
    fail()
    assert "No notices yet" in page(client_of(AdminFactory(language="en")))


PREFERENCES = {
    "videos_app": "on", "accounts_app": "on", "accounts_mail": "on", "quiet_from": "23:00", "quiet_to": "07:30",
    "summary": "on", "summary_at": "10:15", "time_zone": "Europe/Madrid", "all_accounts": "on",
}  # fmt: skip


def test_it_keeps_what_a_person_wants(as_ana, ana):
    assert 'value="22:00"' in page(as_ana, "/notices/preferences/")
    assert as_ana.post("/notices/preferences/", PREFERENCES).status_code == 302
    wants = NoticePreferences.objects.get(user=ana)
    assert (wants.videos_app, wants.videos_mail, wants.quiet) == (True, False, False)
    assert (wants.quiet_from, wants.summary_at, wants.time_zone) == (time(23), time(10, 15), "Europe/Madrid")
    assert not wants.all_accounts  # for administrators only
    NoticePreferences.objects.update(summary_day="2026-11-23")
    as_ana.post("/notices/preferences/", PREFERENCES)
    assert str(NoticePreferences.objects.get().summary_day) == "2026-11-23"


def test_an_administrator_may_want_every_account():
    chief = AdminFactory()
    client_of(chief).post("/notices/preferences/", PREFERENCES)
    assert NoticePreferences.objects.get(user=chief).all_accounts


@pytest.mark.parametrize(
    ("field", "value"), [("time_zone", "Mars/Olympus"), ("summary_at", "25:00"), ("quiet_to", "23:00")]
)
def test_it_refuses_preferences_that_make_no_sense_and_loses_nothing(as_ana, field, value):
    answer = as_ana.post("/notices/preferences/", PREFERENCES | {"quiet": "on", field: value})
    assert answer.status_code == 422
    text = answer.content.decode()
    assert 'class="error"' in text and f'value="{value}"' in text
    assert not NoticePreferences.objects.exists()


def test_it_says_that_no_mails_go_out(as_ana, ana, settings):
    settings.NOTICE_MAILS = False
    assert "no mails go out" in page(as_ana, "/notices/preferences/")
    settings.NOTICE_MAILS = True
    assert "no mails go out" not in page(as_ana, "/notices/preferences/")
    NoticeMessage.objects.create(
        channel="email", kind="test", user=ana, attempts=2, error="go away", next_at=timezone.now(),
        made_at=timezone.now(),
    )  # fmt: skip
    assert "Your last mail did not arrive yet: go away" in page(as_ana, "/notices/preferences/")


def test_it_sends_a_test_mail_on_request(as_ana, mailbox):
    answer = as_ana.post("/notices/preferences/test/", follow=True)
    assert "on its way to ana@agency.example" in answer.content.decode()
    assert len(mailbox.mails) == 1


def test_it_says_why_no_test_mail_went_out(as_ana, ana, mailbox):
    mailbox.refuse = True
    assert "go away" in as_ana.post("/notices/preferences/test/", follow=True).content.decode()
    ana.email = ""
    ana.save(update_fields=["email"])
    assert "no e-mail address" in as_ana.post("/notices/preferences/test/", follow=True).content.decode()


def test_it_words_every_kind(account, as_ana, ana):
    """Each kind is a sentence, in both languages, with a look of its own."""
    assert LOOKS.keys() == set(NoticeKind)
    for kind in NoticeKind:
        copy = NoticeCopy(notice=Notice(kind=kind, account=account, code="", detail={"waiting": 2}))
        assert row_of(copy).sentence
