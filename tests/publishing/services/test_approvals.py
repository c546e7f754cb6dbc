"""Approvals: what waits, who lets it out, what undoes an approval, and what happens when nobody answers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import TikTokAccount, User
from accounts.roles import Role
from publishing.errors import NotPossible
from publishing.models import Job, Video
from publishing.services.acts import When, act_do, act_preview
from publishing.services.approvals import video_approve, video_send_back
from publishing.services.batches import AccountChoice, batch_submit
from publishing.services.corrections import post_change
from publishing.services.reconcile import reconcile_tick
from publishing.services.undo import act_undo
from publishing.services.videos import video_cancel, video_hold, video_reschedule, video_retry
from publishing.states import ActKind, JobKind, PostMode, PrivacyLevel, SubtitleChoice, VideoStatus
from tests.factories import AdminFactory, AssetFactory, TikTokAccountFactory, UserFactory

pytestmark = pytest.mark.django_db
WAITS = VideoStatus.AWAITING_APPROVAL


@pytest.fixture
def ana(db: None) -> User:
    return UserFactory(username="ana")


@pytest.fixture
def luz(db: None) -> User:
    """The approver."""
    return UserFactory(username="luz", role=Role.APPROVER)


@pytest.fixture
def account(ana: User, luz: User) -> TikTokAccount:
    return TikTokAccountFactory(managers=[ana, luz], needs_approval=True)


@pytest.fixture
def submit(ana: User, account: TikTokAccount) -> Callable[..., Video]:
    """A video of that account, as `user` submits it."""

    def submit(user: User = ana, account: TikTokAccount = account, **fields: Any) -> Video:
        batch = batch_submit(
            user=user, source=AssetFactory(created_by=user), caption="Medialunas", mode=PostMode.DIRECT,
            choices=[AccountChoice(account=account, privacy_level=PrivacyLevel.PUBLIC_TO_EVERYONE)],
            subtitles=SubtitleChoice.NONE, submission_key=f"key-{Video.objects.count()}", **fields,
        )  # fmt: skip
        return batch.videos.get()

    return submit


def now(video: Video) -> Video:
    return Video.objects.select_related("batch", "account").get(pk=video.pk)


def refusal_of(act: Callable[[], object]) -> str:
    """The code of what stood against it."""
    with pytest.raises(NotPossible) as refused:
        act()
    return refused.value.code


def in_hours(hours: float) -> Any:
    return timezone.now() + timedelta(hours=hours)


def test_it_waits_where_the_account_has_asked_for_an_approval_since_the_form_was_opened(submit, ana):
    read_before = TikTokAccountFactory(managers=[ana])
    TikTokAccount.objects.filter(pk=read_before.pk).update(needs_approval=True)
    assert submit(account=read_before).status == WAITS


def test_it_waits_where_the_account_asks_for_an_approval(submit, ana):
    free = TikTokAccountFactory(managers=[ana])
    assert (submit().status, submit(scheduled_at=in_hours(3)).status) == (WAITS, WAITS)
    assert not Job.objects.exists()
    assert submit(account=free).status == VideoStatus.PENDING


@pytest.mark.parametrize(("hours", "status"), [(None, VideoStatus.PENDING), (3, VideoStatus.SCHEDULED)])
def test_it_goes_on_as_it_would_have_once_it_is_approved(submit, luz, hours, status):
    video = submit(scheduled_at=in_hours(hours) if hours else None)

    video_approve(video=video, actor=luz)

    assert (now(video).status, now(video).approval_due) == (status, False)
    assert Job.objects.get().kind == JobKind.EDIT
    assert video.events.latest("pk").actor == luz


def test_it_lets_only_approvers_and_administrators_approve(submit, ana):
    video = submit()
    for person in (ana, UserFactory(role=Role.AUDITOR)):
        assert refusal_of(partial(video_approve, video=video, actor=person)) == "not_approver"
    video_approve(video=video, actor=AdminFactory())
    assert now(video).status == VideoStatus.PENDING


def test_it_lets_nobody_approve_their_own_but_an_administrator(submit, luz):
    own = submit(luz)
    assert refusal_of(lambda: video_approve(video=own, actor=luz)) == "own_video"
    boss = AdminFactory()
    assert video_approve(video=submit(boss), actor=boss).status == VideoStatus.PENDING


@pytest.mark.django_db(transaction=True)
def test_it_takes_one_of_two_approvals_at_once(submit, account):
    people = [UserFactory(role=Role.APPROVER), UserFactory(role=Role.APPROVER)]
    video = submit()

    def answer(person: User) -> str:
        try:
            video_approve(video=now(video), actor=person)
            return "approved"
        except NotPossible as error:
            return error.code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(answer, people))

    assert answers == ["approved", "not_awaiting"]
    assert Job.objects.count() == 1


def test_it_sends_back_with_a_reason_and_waits_again_when_taken_up(submit, luz, ana):
    video = submit()

    video_send_back(video=video, reason=" Falta el logo ", actor=luz)

    assert (now(video).status, now(video).reason_code) == (VideoStatus.CANCELLED, "sent_back")
    assert now(video).reason_detail["reason"] == "Falta el logo"
    assert video_retry(video=now(video), actor=ana).status == WAITS
    assert not Job.objects.exists()
    approved = video_approve(video=now(video), actor=luz)
    assert refusal_of(lambda: video_send_back(video=approved, reason="Tarde", actor=luz)) == "not_awaiting"


def test_it_has_no_way_around_the_approval(submit, ana, luz):
    """Another time, cancelling and taking up again, or doing so as an act: it waits."""
    video = submit(scheduled_at=in_hours(2))
    assert video_reschedule(video=video, at=in_hours(5), actor=ana).status == WAITS
    video_cancel(video=video, actor=ana)
    assert video_reschedule(video=now(video), at=in_hours(6), actor=ana).status == WAITS
    video_cancel(video=video, actor=ana)
    act_do(user=ana, kind=ActKind.RETRY, videos=Video.objects.all())
    assert now(video).status == WAITS
    assert not Job.objects.exists()


def test_it_wants_another_approval_after_a_change_by_who_could_not_approve_it(submit, ana, luz):
    video = video_approve(video=submit(scheduled_at=in_hours(2)), actor=luz)

    post_change(video=now(video), caption="Otra cosa", cover_timestamp_ms=0, actor=ana)

    assert (now(video).status, now(video).reason_code) == (WAITS, "approval_again")
    assert not Job.objects.filter(status="queued").exists()
    again = video_approve(video=now(video), actor=luz)
    post_change(video=now(again), caption="Mejor así", cover_timestamp_ms=0, actor=luz)
    assert now(video).status == VideoStatus.SCHEDULED


def test_it_is_missed_when_its_hour_passes_without_an_answer(submit, luz, ana, settings):
    video = submit(scheduled_at=in_hours(1))
    Video.objects.update(scheduled_at=in_hours(-2))
    assert refusal_of(lambda: video_approve(video=now(video), actor=luz)) == "approval_too_late"

    reconcile_tick()

    assert now(video).status == VideoStatus.MISSED
    late = video_retry(video=now(video), actor=ana)
    assert (now(late).status, now(late).scheduled_at) == (WAITS, None)
    assert video_approve(video=now(late), actor=luz).status == VideoStatus.PENDING


def test_it_approves_a_group_and_takes_it_back(submit, luz, ana):
    """The act of Hoy: what may be approved is, what is one's own is not, and the undo makes them wait again."""
    theirs, own = submit(), submit(luz)

    preview = act_preview(user=luz, kind=ActKind.APPROVE, videos=Video.objects.all())
    act = act_do(user=luz, kind=ActKind.APPROVE, videos=Video.objects.all())

    assert [video.pk for video, _words in preview.possible] == [theirs.pk]
    assert [(video.pk, code) for video, code in preview.refused] == [(own.pk, "own_video")]
    assert (act.done, act.refused, now(theirs).status) == (1, 1, VideoStatus.PENDING)
    assert act_do(user=ana, kind=ActKind.APPROVE, videos=Video.objects.filter(pk=own.pk)).refused == 1
    act_undo(user=luz, act=act)
    assert (now(theirs).status, now(theirs).approval_due) == (WAITS, True)
    assert not Job.objects.exclude(status="cancelled").exists()


def test_it_takes_back_the_release_of_a_held_one_that_was_changed(submit, luz, ana):
    """Let go it waits for an approval; not let go after all it is held again, and is not approved by that."""
    video = video_approve(video=submit(scheduled_at=in_hours(2)), actor=luz)
    video_hold(video=now(video), actor=ana)
    post_change(video=now(video), caption="Otra cosa", cover_timestamp_ms=0, actor=ana)

    act = act_do(user=ana, kind=ActKind.RELEASE, videos=Video.objects.all())
    assert now(video).status == WAITS
    undone = act_undo(user=ana, act=act)

    assert (undone.refused, now(video).status) == ([], VideoStatus.HELD)
    assert (now(video).reason_code, now(video).approval_due) == ("held_by_person", True)


def test_it_does_not_approve_by_an_undo(submit, luz, ana):
    """What was changed since the act is not put back with it."""
    video = video_approve(video=submit(scheduled_at=in_hours(2)), actor=luz)
    for kind, when in ((ActKind.RESCHEDULE, When(at=in_hours(4))), (ActKind.HOLD, None)):
        act = act_do(user=ana, kind=kind, videos=Video.objects.all(), when=when)
        post_change(video=now(video), caption=f"Otra cosa {kind}", cover_timestamp_ms=0, actor=ana)
        assert [code for _video, code in act_undo(user=ana, act=act).refused] == ["state_changed"]
        assert now(video).approval_due
        if now(video).status == WAITS:
            video_approve(video=now(video), actor=luz)
    assert now(video).status == VideoStatus.HELD
