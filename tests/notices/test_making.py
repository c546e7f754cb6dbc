"""One event, one notice, one copy for each person in charge: whatever comes twice, breaks, or is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import AccountEvent, AccountEventKind
from accounts.signals import account_disconnected
from notices.models import Notice, NoticeCopy, NoticeKind, NoticeMessage, NoticePreferences
from notices.services.catching import notices_catch_up
from notices.services.people import people_in_charge
from notices.services.rounds import KEEP, notices_prune
from publishing.models import CircuitEvent, Video, VideoEvent
from publishing.services.circuits import circuit_failed, circuit_isolate, circuit_reset
from publishing.services.moves import video_move, video_note
from publishing.services.videos import video_retry
from publishing.signals import video_moved
from publishing.states import JobKind, VideoStatus
from subiteya.tiktok import FailureClass
from tests.factories import AdminFactory, JobFactory, TikTokAccountFactory, UserFactory, VideoFactory

pytestmark = pytest.mark.django_db


def kinds():
    return list(Notice.objects.order_by("pk").values_list("kind", flat=True))


def test_it_tells_everybody_in_charge_once(fail, account, ana):
    bruno, _stranger, _chief = UserFactory(), UserFactory(), AdminFactory()
    account.managers.add(bruno)
    fail()
    assert Notice.objects.count() == 1
    assert set(NoticeCopy.objects.values_list("user", flat=True)) == {ana.pk, bruno.pk}


def test_it_tells_the_administrators_when_nobody_is_in_charge(account, ana):
    chief, gone = AdminFactory(), AdminFactory(is_active=False)
    assert people_in_charge(account.pk) == [ana]
    ana.is_active = False
    ana.save(update_fields=["is_active"])
    assert people_in_charge(account.pk) == [chief]
    assert gone not in people_in_charge(TikTokAccountFactory().pk)


def test_it_tells_an_administrator_who_wants_every_account(account, ana):
    chief = AdminFactory()
    NoticePreferences.objects.create(user=chief, all_accounts=True)
    assert people_in_charge(account.pk) == [ana, chief]


def test_it_makes_one_notice_of_a_signal_that_comes_twice(fail):
    video = fail()
    event = VideoEvent.objects.get(video=video)
    video_moved.send(Video, video=video, old=event.old, new=event.new, code=event.code, event=event)
    assert (Notice.objects.count(), NoticeCopy.objects.count()) == (1, 1)


def test_it_tells_the_same_video_again_when_it_fails_again(fail):
    video = fail()
    video_retry(video=video, actor=None)
    video_move(video=video, to=VideoStatus.EDITING)
    video_move(video=video, to=VideoStatus.FAILED_EDIT, code="edit_failed")
    assert kinds() == [NoticeKind.VIDEO_FAILED] * 2


def test_it_tells_a_hundred_failures_a_hundred_times(fail, account):
    for _video in range(100):
        fail()
    assert (Notice.objects.count(), NoticeCopy.objects.count()) == (100, 100)


def test_it_tells_nothing_of_what_was_undone(account):
    video = VideoFactory(account=account, status=VideoStatus.EDITING)
    video_move(video=video, to=VideoStatus.FAILED_EDIT, code="undone")
    assert (Notice.objects.count(), notices_catch_up()) == (0, 0)


def test_it_tells_nothing_of_what_goes_well(account, django_assert_num_queries):
    video = VideoFactory(account=account, status=VideoStatus.VERIFYING)
    video_move(video=video, to=VideoStatus.POSTED, posted_at=timezone.now())
    assert not Notice.objects.exists()


def test_it_adds_no_query_to_a_move_that_tells_nothing(account, django_assert_num_queries):
    video = VideoFactory(account=account, status=VideoStatus.PENDING)
    with django_assert_num_queries(4):  # savepoint, update, event, release
        video_move(video=video, to=VideoStatus.EDITING)


def test_it_never_breaks_the_move_and_makes_up_for_what_was_lost(account, fail, caplog):
    """Whoever is in charge cannot be found out: the video moves all the same, and the notice comes later."""
    table = NoticeCopy._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO {table}_away")
    video = fail()
    assert Video.objects.get(pk=video.pk).status == VideoStatus.FAILED_EDIT
    assert "notice_failed" in caplog.text
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table}_away RENAME TO {table}")
    assert not Notice.objects.exists()
    assert (notices_catch_up(), notices_catch_up()) == (1, 0)
    assert NoticeCopy.objects.count() == 1


def test_it_makes_up_for_every_kind_of_lost_notice(account):
    now = timezone.now()
    posted = VideoFactory(account=account, status=VideoStatus.POSTED, posted_at=now)
    said = {"video": posted, "at": now}
    VideoEvent.objects.create(old="editing", new="failed_edit", code="edit_failed", **said)
    VideoEvent.objects.create(old="verifying", new="posted", **said)
    VideoEvent.objects.create(old="posted", new="posted", code="no_longer_public", **said)
    VideoEvent.objects.create(new="awaiting_approval", **said)
    VideoEvent.objects.create(old="awaiting_approval", new="cancelled", code="sent_back", **said)
    CircuitEvent.objects.create(account=account, kind="opened", old="closed", new="open", at=now)
    CircuitEvent.objects.create(account=account, kind="closed", old="half_open", new="closed", at=now)
    AccountEvent.objects.create(account=account, kind=AccountEventKind.DISCONNECTED, at=now - timedelta(minutes=2))
    AccountEvent.objects.create(account=account, kind=AccountEventKind.RECONNECTED, at=now - timedelta(minutes=1))
    assert notices_catch_up() == 9
    assert set(kinds()) == set(NoticeKind.values)
    assert notices_catch_up() == 0


def test_it_makes_up_for_nothing_that_is_old(account):
    video = VideoFactory(account=account, status=VideoStatus.FAILED_EDIT)
    VideoEvent.objects.create(video=video, old="editing", new="failed_edit", at=timezone.now() - timedelta(days=2))
    assert notices_catch_up() == 0


def test_it_leaves_nothing_behind_when_the_move_itself_is_rolled_back(fail):
    with pytest.raises(RuntimeError), transaction.atomic():
        fail()
        raise RuntimeError
    assert not Notice.objects.exists()


def test_it_tells_a_post_that_tiktok_took_down_and_that_it_is_back(account):
    video = VideoFactory(account=account, status=VideoStatus.POSTED, posted_at=timezone.now())
    video_note(video=video, code="public_again")  # said of every post after its review: no news
    assert kinds() == []
    video_note(video=video, code="no_longer_public")
    video_note(video=video, code="public_again")
    video_note(video=video, code="public_again")
    assert kinds() == [NoticeKind.VIDEO_TAKEN_DOWN, NoticeKind.VIDEO_RECOVERED]


def pause(account, times=3):
    for _failure in range(times):
        job = JobFactory(video=VideoFactory(account=account), kind=JobKind.UPLOAD)
        circuit_failed(job=job, code="internal_error", failure_class=FailureClass.COUNT)


def test_it_tells_a_pause_once_and_its_end_once(account):
    pause(account, 5)
    for _video in range(4):
        VideoFactory(account=account, status=VideoStatus.HELD)
    assert kinds() == [NoticeKind.ACCOUNT_PAUSED]
    held = Video.objects.filter(status=VideoStatus.HELD).count()
    circuit_reset(account=account, reason="", actor=None)
    assert kinds() == [NoticeKind.ACCOUNT_PAUSED, NoticeKind.ACCOUNT_RESUMED]
    assert Notice.objects.latest("pk").detail == {"waiting": held}
    assert notices_catch_up() == 0


def test_it_tells_a_lost_account_once_although_its_circuit_opens_too(account, ana):
    event = AccountEvent.objects.create(account=account, kind=AccountEventKind.DISCONNECTED, at=timezone.now())
    account_disconnected.send(None, account=account, actor=None, event=event)
    circuit_reset(account=account, reason="", actor=None)
    assert kinds() == [NoticeKind.ACCOUNT_LOST]


def test_it_leaves_out_what_a_person_set_apart(account, ana):
    circuit_isolate(account=account, reason="x", actor=ana)
    assert (kinds(), notices_catch_up()) == ([], 0)


def test_it_shows_people_their_own_acts_as_read(account, ana, settings):
    settings.NOTICE_MAILS = True
    bruno = UserFactory()
    account.managers.add(bruno)
    pause(account)
    circuit_reset(account=account, reason="", actor=ana)
    own, others = (NoticeCopy.objects.filter(user=who).latest("pk") for who in (ana, bruno))
    assert (bool(own.read_at), bool(others.read_at)) == (True, False)


def test_it_follows_what_each_person_wants(fail, ana, settings):
    settings.NOTICE_MAILS = True
    wants = NoticePreferences.objects.create(user=ana, videos_app=False, videos_mail=False)
    fail()
    assert not NoticeCopy.objects.exists()
    wants.videos_mail = True
    wants.save(update_fields=["videos_mail"])
    fail()
    copy = NoticeCopy.objects.get()
    assert (copy.shown, bool(copy.mail_at)) == (False, True)


def test_it_forgets_old_notices(fail):
    fail()
    fail()
    first = Notice.objects.earliest("pk")
    Notice.objects.filter(pk=first.pk).update(at=timezone.now() - KEEP - timedelta(days=1))
    assert notices_prune() == 2  # the notice and its copy
    assert NoticeMessage.objects.count() == 0 and Notice.objects.count() == 1
