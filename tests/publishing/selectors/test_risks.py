"""The forecast: each thing that would stop a scheduled video, told before it does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AccountStatus, OAuthToken, TikTokAccount
from publishing.causes import Action
from publishing.models import AccountCircuit, CircuitEvent, CreatorLimits, Video
from publishing.selectors.risks import RiskLevel, risks_of
from publishing.selectors.videos import with_progress
from publishing.states import CircuitState, PostMode, PrivacyLevel, VideoStatus
from tests.factories import PROBE, AssetFactory, BatchFactory, TikTokAccountFactory, VideoFactory

pytestmark = pytest.mark.django_db

SOON = timedelta(hours=3)


def planned(account: TikTokAccount | None = None, *, after: timedelta = SOON, **fields: object) -> Video:
    account = account or TikTokAccountFactory()
    return VideoFactory(
        account=account, status=VideoStatus.SCHEDULED, scheduled_at=timezone.now() + after, **fields
    )  # fmt: skip


def found(video: Video) -> list[tuple[str, str]]:
    risks = risks_of(with_progress(Video.objects.filter(pk=video.pk)))[video.pk]
    return [(risk.level.value, risk.code) for risk in risks]


def failed(account: TikTokAccount, *, times: int, ago: timedelta = timedelta(minutes=10)) -> None:
    for _time in range(times):
        CircuitEvent.objects.create(
            account=account, kind="failure_recorded", old="closed", new="closed", counted=True,
            at=timezone.now() - ago,
        )  # fmt: skip


def test_it_finds_nothing_where_nothing_is_in_the_way():
    assert found(planned()) == []


def test_it_sees_that_the_account_is_not_connected():
    account = TikTokAccountFactory(token=None, status=AccountStatus.DISCONNECTED)
    AccountCircuit.objects.create(account=account, state="isolated", isolated_code="account_disconnected")

    assert found(planned(account)) == [("certain", "account_disconnected")]


@pytest.mark.parametrize(("left", "risks"), [
    (SOON - timedelta(minutes=1), [("certain", "access_ends")]),
    (SOON + timedelta(minutes=1), []),
])  # fmt: skip
def test_it_sees_an_access_that_ends_before_the_hour(left, risks):
    video = planned()
    OAuthToken.objects.filter(account=video.account).update(refresh_expires_at=timezone.now() + left)

    assert found(video) == risks


@pytest.mark.parametrize(("mode", "granted", "risks"), [
    (PostMode.DIRECT, "user.info.basic,video.upload", [("certain", "scope_not_authorized")]),
    (PostMode.INBOX, "user.info.basic,video.upload", []),
    (PostMode.INBOX, "user.info.basic,video.publish", [("certain", "scope_not_authorized")]),
])  # fmt: skip
def test_it_sees_a_permission_that_was_not_granted(mode, granted, risks):
    video = planned(mode=mode)
    OAuthToken.objects.filter(account=video.account).update(scope=granted)

    assert found(video) == risks


@pytest.mark.parametrize(("state", "until", "level"), [
    (CircuitState.OPEN, SOON + timedelta(minutes=1), "certain"),
    (CircuitState.OPEN, timedelta(minutes=15), "likely"),
    (CircuitState.HALF_OPEN, timedelta(0), "likely"),
])  # fmt: skip
def test_it_sees_a_paused_account(state, until, level):
    video, now = planned(), timezone.now()
    AccountCircuit.objects.create(
        account=video.account, state=state, opened_at=now, open_until=now + until, probe_until=now
    )

    assert found(video) == [(level, "circuit_open")]


def test_it_sees_an_account_that_somebody_set_apart():
    video = planned()
    AccountCircuit.objects.create(
        account=video.account, state="isolated", isolated_code="by_person", isolated_reason="campaña en pausa"
    )

    risk = risks_of(with_progress(Video.objects.all()))[video.pk][0]

    assert (risk.level, risk.code, risk.action) == (RiskLevel.CERTAIN, "circuit_isolated", Action.ACCOUNT)
    assert "campaña en pausa" in risk.sentence


def test_it_warns_one_failure_before_the_pause():
    video = planned()
    failed(video.account, times=1)
    assert found(video) == []
    failed(video.account, times=1)
    assert found(video) == [("likely", "circuit_near")]


def test_it_forgets_failures_older_than_an_hour_or_before_the_last_pause():
    old, closed = planned(), planned()
    failed(old.account, times=2, ago=timedelta(minutes=61))
    failed(closed.account, times=2)
    AccountCircuit.objects.create(account=closed.account, closed_at=timezone.now() - timedelta(minutes=5))

    assert found(old) == found(closed) == []


def test_it_sees_tiktoks_cap_of_today_for_all_of_the_account():
    video = planned()
    VideoFactory(
        account=video.account, status=VideoStatus.DEFERRED, reason_code="spam_risk_too_many_posts",
        resume_at=timezone.now() + timedelta(hours=9),
    )  # fmt: skip

    assert found(video) == [("certain", "spam_risk_too_many_posts")]


def test_it_counts_the_posts_of_24_hours_against_the_usual_cap(settings):
    settings.POSTS_A_DAY = 3
    account, now = TikTokAccountFactory(), timezone.now()
    for hours in (1, 2, 30):
        at = now - timedelta(hours=hours)
        VideoFactory(account=account, status=VideoStatus.POSTED, posted_at=at, scheduled_at=at)
    third, fourth = planned(account), planned(account, after=timedelta(hours=4))

    assert found(third) == []
    assert found(fourth) == [("likely", "cap_near")]
    assert "4" in risks_of(with_progress(Video.objects.filter(pk=fourth.pk)))[fourth.pk][0].sentence


def limits(video: Video, **fields: object) -> None:
    known = {"privacy_levels": list(PrivacyLevel.values), "max_duration_seconds": 600}
    CreatorLimits.objects.create(account=video.account, seen_at=timezone.now(), **(known | fields))


def test_it_compares_the_length_with_what_the_creator_may_post():
    source = AssetFactory(probe=PROBE | {"duration_ms": 680_000})
    video, short = planned(batch=BatchFactory(source=source)), planned()
    limits(video)
    limits(short)

    assert found(short) == []
    risk = risks_of(with_progress(Video.objects.filter(pk=video.pk)))[video.pk][0]
    assert (risk.level, risk.code) == ("certain", "duration_over_account_limit")
    assert "11:20" in risk.sentence and "10:00" in risk.sentence


def test_it_sees_a_privacy_that_is_not_offered_any_more():
    video = planned()
    limits(video, privacy_levels=["SELF_ONLY"])

    assert found(video) == [("certain", "privacy_level_option_mismatch")]


def test_it_asks_no_limits_of_an_inbox_video():
    video = planned(mode=PostMode.INBOX, privacy_level="")
    limits(video, privacy_levels=["SELF_ONLY"], max_duration_seconds=1)

    assert found(video) == []


def test_it_says_that_an_app_without_audit_posts_only_to_private_accounts(settings):
    settings.TIKTOK_AUDITED = False
    code = "unaudited_client_can_only_post_to_private_accounts"
    public_post, public_account, fine = (
        planned(),
        planned(privacy_level="SELF_ONLY"),
        planned(privacy_level="SELF_ONLY"),
    )
    limits(public_account)
    limits(fine, privacy_levels=["FOLLOWER_OF_CREATOR", "SELF_ONLY"])

    assert found(public_post) == found(public_account) == [("certain", code)]
    assert found(fine) == []


@pytest.mark.parametrize("count", [1, 12])
def test_it_asks_two_things_however_many_videos_there_are(count, django_assert_num_queries):
    for _one in range(count):
        failed(planned().account, times=2)
    videos = list(with_progress(Video.objects.all()))

    with django_assert_num_queries(2):
        risks = risks_of(videos)

    assert all(len(each) == 1 for each in risks.values())
