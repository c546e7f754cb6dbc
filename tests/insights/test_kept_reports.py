"""Large subtitle reports: made by the scheduler, shown as they were, and only to whom they are about."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import TikTokAccount
from insights.models import KeptReport, Outcome, Publication
from insights.reports import subtitles_shown
from insights.selectors.subtitles import LIVE, Filters, is_large
from insights.services.reports import KEPT_FOR, SHOWN_FOR, kept_report, report_for, reports_make
from publishing.models import Batch, Video
from tests.factories import AdminFactory, TikTokAccountFactory, UserFactory, VideoFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def few(keep):
    account = TikTokAccountFactory(username="pan")
    for number in range(12):
        keep(account, arm="auto" if number % 2 else "none", outcome=Outcome.FAILED if number % 3 else Outcome.PUBLISHED)
    return account


def columns(row) -> dict[str, object]:
    return {part.attname: getattr(row, part.attname) for part in row._meta.concrete_fields if part.name != "id"}


@pytest.fixture
def many(few) -> None:
    """As many more of the same account as nobody waits for."""
    video = VideoFactory(account=few)
    batches = Batch.objects.bulk_create(
        [Batch(**columns(video.batch) | {"submission_key": f"many {number}"}) for number in range(LIVE)]
    )
    made = Video.objects.bulk_create([Video(**columns(video) | {"batch_id": batch.pk}) for batch in batches])
    due = timezone.now() - timedelta(days=2)
    Publication.objects.bulk_create(
        Publication(video=row, account=few, sector=few.sector, arm="auto", due_at=due, outcome=Outcome.FAILED)
        for row in made
    )


def test_it_counts_a_small_report_as_it_is_now(few, keep) -> None:
    before = report_for(Filters())
    keep(few, arm="auto")
    after = report_for(Filters())
    assert (before.shown.main.both.auto.n, after.shown.main.both.auto.n, after.made_at) == (6, 7, None)
    assert not KeptReport.objects.exists()


def test_it_keeps_what_it_said_until_it_is_time_for_another(few, keep) -> None:
    now = timezone.now()
    with time_machine.travel(now, tick=False):
        assert kept_report(Filters()).shown is None
        assert reports_make() == 1
        wanted = subtitles_shown(Filters())
        found = kept_report(Filters())
        assert (found.shown, found.made_at) == (wanted, now)
        keep(few, arm="auto")
        assert reports_make() == 0
        assert kept_report(Filters()).shown == wanted
    with time_machine.travel(now + timedelta(minutes=16), tick=False):
        assert kept_report(Filters()).shown == wanted
        assert reports_make() == 1
        assert kept_report(Filters()).shown == subtitles_shown(Filters()) != wanted


def test_it_does_not_wait_for_a_scheduler_that_stands_still(few) -> None:
    assert kept_report(Filters()).shown is None
    assert kept_report(Filters()).shown is None
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        assert kept_report(Filters()).shown is not None


def test_it_shows_nothing_old_nothing_of_another_release_and_forgets(few) -> None:
    kept_report(Filters())
    reports_make()
    with time_machine.travel(timezone.now() + SHOWN_FOR + timedelta(minutes=1)):
        KeptReport.objects.update(asked_at=timezone.now())
        assert kept_report(Filters()).shown is None
    KeptReport.objects.update(document={"main": 1})
    assert kept_report(Filters()).shown is None
    with time_machine.travel(timezone.now() + SHOWN_FOR + KEPT_FOR + timedelta(minutes=2)):
        reports_make()
        assert not KeptReport.objects.exists()


def test_it_is_made_by_the_scheduler_for_whoever_comes_back_after_a_week(few) -> None:
    kept_report(Filters())
    reports_make()
    with time_machine.travel(timezone.now() + timedelta(days=7)):
        assert [kept_report(Filters()).shown, kept_report(Filters()).shown] == [None, None]
        assert reports_make() == 1
        assert kept_report(Filters()).shown is not None


def test_one_that_fails_stops_no_other_and_says_so(many, few) -> None:
    broken = KeptReport.objects.create(key="broken", asked={}, asked_at=timezone.now())
    assert kept_report(Filters(account=few.pk)).shown is None
    assert reports_make() == 2
    assert kept_report(Filters(account=few.pk)).shown is not None
    assert reports_make() == 0
    kept_report(Filters())
    whole = KeptReport.objects.exclude(pk=broken.pk).get(asked__account=None)
    KeptReport.objects.filter(pk=whole.pk).update(made_at=timezone.now())
    client = Client()
    client.force_login(AdminFactory(language="en"))
    page = client.get("/reports/subtitles/")
    assert "could not be calculated" in page.content.decode() and "Refresh" not in page.headers


def test_it_is_about_the_accounts_of_whoever_asks(few, keep) -> None:
    other = TikTokAccountFactory()
    keep(other, arm="none")
    for accounts in (None, TikTokAccount.objects.filter(pk=few.pk), TikTokAccount.objects.filter(pk=other.pk)):
        kept_report(Filters(accounts=accounts))
    assert reports_make() == 3
    found = [
        kept_report(Filters(accounts=accounts)).shown.main.both.n
        for accounts in (None, TikTokAccount.objects.filter(pk=few.pk), TikTokAccount.objects.filter(pk=other.pk))
    ]
    assert found == [13, 12, 1]


def test_it_says_that_it_counts_and_then_when_it_counted(many, few) -> None:
    assert is_large(Filters())
    client = Client()
    client.force_login(AdminFactory(language="en"))
    first = client.get("/reports/subtitles/")
    assert "Refresh" in first.headers and "@pan" not in first.content.decode().split("</form>")[-1]
    reports_make()
    second = client.get("/reports/subtitles/")
    assert "Refresh" not in second.headers
    assert "@pan" in second.content.decode().split("</form>")[-1]
    client.force_login(UserFactory(language="en"))
    assert "@pan" not in client.get("/reports/subtitles/").content.decode()
