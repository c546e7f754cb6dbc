"""Mails of notices, against a real mail server: grouped, held back in quiet hours, sent until they arrive."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone, translation

from monitoring.services.sending import ATTEMPTS
from monitoring.services.webhooks import SIGNATURE
from notices.models import MessageKind, NoticeCopy, NoticeMessage, NoticePreferences
from notices.selectors.summary import summary_of
from notices.services.mails import GAP, mails_compose
from notices.services.making import WINDOW
from notices.services.people import preferences_of, quiet_until
from notices.services.reading import notices_read
from notices.services.sending import message_send, messages_send
from notices.services.summaries import summaries_compose, summary_compose
from notices.services.testing import TestRefused, test_mail_send
from publishing.models import Video
from publishing.services.videos import video_retry
from publishing.states import VideoStatus
from tests.factories import AdminFactory, TikTokAccountFactory, UserFactory, VideoFactory
from tests.notices.conftest import NOON
from tests.receivers import mail_server, web_server

test_mail_send.__test__ = False  # a service, not a test
TestRefused.__test__ = False

pytestmark = pytest.mark.django_db


def tick(*, summaries=False):
    """What the scheduler does; most tests are about notices alone."""
    now = timezone.now()
    if summaries:
        summaries_compose(now)
    mails_compose(now)
    return messages_send(now=now)


def plain(mail):
    return mail.get_body(("plain",)).get_content()


def rich(mail):
    return mail.get_body(("html",)).get_content()


def test_it_sends_one_mail_with_a_link_to_the_fix(fail, mailbox, clock, ana):
    fail(code="edit_failed")
    assert tick() == 0  # it waits for others
    clock.shift(WINDOW)
    assert (tick(), tick()) == (1, 0)
    ((to, mail),) = mailbox.mails
    copy = NoticeCopy.objects.get()
    link = f"https://subiteya.example/notices/{copy.pk}/"
    assert to == ["ana@agency.example"]
    assert mail["Subject"] == "[SubiteYa] @luna: The edit was cut. The video is already stored."
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert link in plain(mail) and f'href="{link}"' in rich(mail)
    assert "https://subiteya.example/notices/preferences/" in plain(mail)
    assert mail["List-Unsubscribe"] is None
    assert mail["Message-ID"] == f"<notice-{copy.mail_id}@subiteya.example>"


def test_it_groups_failures_by_cause_and_account(fail, mailbox, clock, ana):
    other = TikTokAccountFactory(username="sol", managers=[ana])
    for _video in range(7):
        fail(code="edit_failed")
        clock.shift(5)
    fail(code="edit_timeout")
    fail(code="edit_failed", account=other)
    clock.shift(WINDOW)
    tick()
    ((_to, mail),) = mailbox.mails
    assert mail["Subject"] == "[SubiteYa] 9 notices"
    heads = re.findall(r"<h2>(.+?)</h2>", rich(mail))
    assert sorted(heads) == ["@luna", "@luna · 7 videos", "@sol"]
    assert "and 2 more" in plain(mail)
    account = Video.objects.filter(account__username="luna").first().account_id
    group = f"https://subiteya.example/videos/?account={account}&status=failed_edit&cause=edit_failed"
    assert group in plain(mail) and group.replace("&", "&amp;") in rich(mail)


def test_it_sends_a_hundred_failures_in_one_mail(fail, mailbox, clock):
    for _video in range(100):
        fail()
    clock.shift(WINDOW)
    assert tick() == 1
    assert "100 videos · @luna: The edit was cut." in mailbox.mails[0][1]["Subject"]


def test_it_waits_between_two_mails(fail, mailbox, clock):
    fail()
    clock.shift(WINDOW)
    assert tick() == 1
    fail()
    clock.shift(WINDOW)
    assert tick() == 0
    fail()
    clock.shift(GAP)
    assert tick() == 1
    assert "2 videos" in mailbox.mails[1][1]["Subject"]


def test_it_holds_mails_back_until_the_quiet_hours_end(fail, mailbox, clock):
    clock.move_to(datetime(2026, 11, 24, 1, 30, tzinfo=UTC))  # half past ten at night in Buenos Aires
    fail()
    for _hour in range(9):
        clock.shift(timedelta(hours=1))
        assert tick() == 0
        fail()
    clock.move_to(datetime(2026, 11, 24, 11, 0, tzinfo=UTC))  # eight in the morning
    assert tick() == 1
    assert "10 videos" in mailbox.mails[0][1]["Subject"]


def test_it_keeps_the_quiet_hours_of_each_persons_zone(fail, mailbox, clock, account, ana):
    madrid = UserFactory(username="eva", email="eva@agency.example")
    NoticePreferences.objects.create(user=madrid, time_zone="Europe/Madrid", summary=False)
    account.managers.add(madrid)
    clock.move_to(datetime(2026, 11, 23, 22, 0, tzinfo=UTC))  # 19:00 in Buenos Aires, 23:00 in Madrid
    fail()
    clock.shift(WINDOW)
    tick()
    assert [to for to, _mail in mailbox.mails] == [["ana@agency.example"]]


def test_a_mail_that_fails_before_the_quiet_hours_comes_after_them(fail, mailbox, clock):
    clock.move_to(datetime(2026, 11, 24, 0, 57, tzinfo=UTC))
    fail()
    clock.shift(WINDOW)
    mailbox.refuse = True
    assert tick() == 0
    mailbox.refuse = False
    clock.shift(timedelta(minutes=30))
    assert tick() == 0
    clock.move_to(datetime(2026, 11, 24, 11, 1, tzinfo=UTC))
    assert tick() == 1


def test_it_survives_a_mail_server_that_is_down(fail, settings, clock, caplog):
    settings.NOTICE_MAILS = True
    with mail_server(settings):
        pass  # nobody listens there any more
    fail()
    clock.shift(WINDOW)
    assert tick() == 0
    message = NoticeMessage.objects.get()
    assert (message.attempts, message.sent_at) == (1, None)
    assert message.error.startswith("ConnectionRefusedError")
    with mail_server(settings, settings.EMAIL_PORT) as box:
        clock.shift(timedelta(seconds=30))
        assert tick() == 1
    assert len(box.mails) == 1
    assert NoticeMessage.objects.get().error == ""


def test_it_gives_up_after_eight_attempts_and_says_so(fail, mailbox, clock, caplog):
    mailbox.refuse = True
    fail()
    clock.shift(WINDOW)
    for _minute in range(180):
        tick()
        clock.shift(60)
    message = NoticeMessage.objects.get()
    assert (message.attempts, message.sent_at) == (ATTEMPTS, None)
    assert "go away" in message.error
    assert caplog.text.count("delivery_given_up") == 1


def test_one_of_two_senders_sends(fail, mailbox, clock):
    fail()
    clock.shift(WINDOW)
    mails_compose(timezone.now())
    twice = [NoticeMessage.objects.get(), NoticeMessage.objects.get()]
    assert [message_send(message) for message in twice] == [True, False]
    assert len(mailbox.mails) == 1


def test_it_leaves_out_what_was_read_in_the_app(fail, mailbox, clock, ana):
    fail()
    notices_read(user=ana)
    clock.shift(WINDOW)
    assert tick() == 0
    assert not NoticeMessage.objects.exists()


def test_it_says_what_is_mended_by_now(fail, mailbox, clock):
    video_retry(video=fail(), actor=None)
    clock.shift(WINDOW)
    tick()
    assert "(It is on its way again.)" in plain(mailbox.mails[0][1])


def test_it_tells_nobody_about_accounts_that_were_taken_from_them(fail, mailbox, clock, account, ana):
    fail()
    account.managers.remove(ana)
    clock.shift(WINDOW)
    tick()
    assert mailbox.mails == []
    assert NoticeMessage.objects.get().sent_at


def test_it_writes_in_the_persons_language(fail, mailbox, clock, ana):
    ana.language = "es"
    ana.save(update_fields=["language"])
    fail()
    clock.shift(WINDOW)
    tick()
    assert "Se cortó la edición." in mailbox.mails[0][1]["Subject"]


def test_it_lets_no_caption_write_markup(fail, mailbox, clock, account):
    fail()
    Video.objects.update(caption="<b>bold</b>\r\nBcc: eve@example.com")
    clock.shift(WINDOW)
    tick()
    assert "&lt;b&gt;bold" in rich(mailbox.mails[0][1])
    assert mailbox.mails[0][1]["Bcc"] is None


def test_it_sends_nothing_without_a_mail_server(fail, settings, clock):
    settings.NOTICE_MAILS = False
    fail()
    clock.shift(WINDOW)
    assert (tick(), NoticeMessage.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("begins", "ends", "clock_text", "until"),
    [
        ("22:00", "08:00", "2026-11-23T21:59", None),
        ("22:00", "08:00", "2026-11-23T22:00", "2026-11-24T08:00"),
        ("22:00", "08:00", "2026-11-24T07:59", "2026-11-24T08:00"),
        ("22:00", "08:00", "2026-11-24T08:00", None),
        ("13:00", "15:00", "2026-11-24T14:00", "2026-11-24T15:00"),
        ("13:00", "15:00", "2026-11-24T15:00", None),
    ],
)
def test_it_knows_when_quiet_hours_end(begins, ends, clock_text, until):
    def hour(text):
        return datetime.strptime(text, "%H:%M").time()

    wants = NoticePreferences(quiet_from=hour(begins), quiet_to=hour(ends), time_zone="America/Argentina/Buenos_Aires")
    at = datetime.fromisoformat(clock_text).replace(tzinfo=wants.zone)
    found = quiet_until(wants, at)
    assert found == (datetime.fromisoformat(until).replace(tzinfo=wants.zone) if until else None)
    wants.quiet = False
    assert quiet_until(wants, at) is None


def test_it_posts_each_notice_once_to_the_agencys_webhook(fail, settings, clock):
    settings.NOTICE_WEBHOOK_SECRET = "shared secret"
    settings.SITE_URL = "https://subiteya.example"
    with web_server() as server:
        settings.NOTICE_WEBHOOK_URL = f"{server.url}/?token=PLANTED"
        video = fail()
        assert (messages_send(), messages_send()) == (1, 0)
    ((headers, body),) = server.got
    parts = dict(part.split("=") for part in headers[SIGNATURE].split(","))
    expected = hmac.new(b"shared secret", f"{parts['t']}.".encode() + body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(parts["v1"], expected)
    told = json.loads(body)
    assert (told["kind"], told["code"], told["account"]["username"]) == ("video_failed", "edit_failed", "luna")
    assert told["video"] == {"id": video.pk, "traceId": video.trace_id, "videoStatus": "failed_edit"}
    assert told["url"] == f"https://subiteya.example/videos/{video.pk}/"
    assert b"shared secret" not in body and b"PLANTED" not in body


def test_it_sends_a_test_mail_three_times_an_hour(mailbox, ana, clock):
    for _mail in range(3):
        test_mail_send(user=ana)
    assert len(mailbox.mails) == 3
    with pytest.raises(TestRefused, match="three test mails"), translation.override("en"):
        test_mail_send(user=ana)
    clock.shift(timedelta(hours=1, seconds=1))
    mailbox.refuse = True
    with pytest.raises(TestRefused, match="go away"):
        test_mail_send(user=ana)


NINE = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def morning(account, clock):
    """What a summary can say, at nine in Buenos Aires."""
    clock.move_to(NINE)
    url = "https://www.tiktok.com/@luna/video/1"
    VideoFactory(account=account, status=VideoStatus.POSTED, posted_at=NINE - timedelta(hours=3), post_url=url)
    VideoFactory(account=account, status=VideoStatus.POSTED, posted_at=NINE - timedelta(hours=30))
    VideoFactory(account=account, status=VideoStatus.FAILED_EDIT, reason_code="edit_failed")
    VideoFactory(account=account, status=VideoStatus.HELD, reason_code="circuit_open", reason_detail={"failures": 3})
    VideoFactory(account=account, status=VideoStatus.SCHEDULED, scheduled_at=NINE + timedelta(hours=5))
    VideoFactory(account=account, status=VideoStatus.SCHEDULED, scheduled_at=NINE + timedelta(days=3))
    VideoFactory(status=VideoStatus.FAILED_EDIT, account__username="secreta")


def test_it_sends_the_summary_at_nine_once(morning, mailbox, clock):
    clock.move_to(NINE - timedelta(seconds=1))
    assert tick(summaries=True) == 0
    clock.move_to(NINE)
    assert (tick(summaries=True), tick(summaries=True)) == (1, 0)
    ((_to, mail),) = mailbox.mails
    assert mail["Subject"] == "[SubiteYa] Your day: 1 published, 1 needs you, 1 goes out today"
    text = plain(mail)
    assert "https://www.tiktok.com/@luna/video/1" in text
    assert "status=failed_edit&cause=edit_failed" in text
    assert "is paused: 3 failures" in text
    assert "It goes out today: 1" in text and "14:00 (Buenos Aires)" in text
    assert "secreta" not in text + rich(mail)
    clock.shift(timedelta(days=1))
    assert tick(summaries=True) == 1


def test_a_summary_is_written_once_by_any_number_of_schedulers(morning, mailbox, ana):
    people = [type(ana).objects.select_related("notice_preferences").get(pk=ana.pk) for _each in range(3)]
    assert [summary_compose(person, NINE) for person in people] == [1, 0, 0]
    assert NoticeMessage.objects.filter(kind=MessageKind.SUMMARY).count() == 1


def test_it_sends_no_summary_when_there_is_nothing_to_say(mailbox, account, clock):
    clock.move_to(NINE)
    assert tick(summaries=True) == 0
    assert not NoticeMessage.objects.exists()


def test_a_summary_that_is_late_respects_the_night(morning, mailbox, clock):
    clock.move_to(datetime(2026, 11, 24, 1, 30, tzinfo=UTC))
    assert tick(summaries=True) == 0
    assert not NoticeMessage.objects.exists()


def test_it_sends_no_summary_to_who_does_not_want_one(morning, mailbox, ana):
    NoticePreferences.objects.create(user=ana, summary=False)
    assert tick(summaries=True) == 0


def test_an_administrators_summary_covers_every_account_on_request(morning, mailbox):
    chief = AdminFactory(email="jefa@agency.example", language="en")
    NoticePreferences.objects.create(user=chief, all_accounts=True)
    assert tick(summaries=True) == 2
    assert "secreta" in next(plain(mail) for to, mail in mailbox.mails if to == ["jefa@agency.example"])


def test_its_queries_for_a_summary_do_not_grow(morning, account, ana, django_assert_max_num_queries):
    for _video in range(30):
        VideoFactory(account=account, status=VideoStatus.FAILED_EDIT, reason_code="edit_failed")
    with django_assert_max_num_queries(7):
        summary = summary_of(ana, preferences_of(ana), NINE)
    assert summary.needs[0].count == 31


def test_the_clock_of_these_tests_stands_at_noon(clock):
    assert timezone.now() == NOON
