"""Hoy: what needs the person, in groups that one button mends, in a handful of queries."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AccountStatus, TikTokAccount, User
from accounts.roles import Role
from monitoring.selectors.today import attention, counts, planned
from monitoring.views.today_groups import GroupRow, group_row
from publishing.models import AccountCircuit, CreatorLimits, Video
from publishing.states import ActKind, Family, JobKind, JobStatus, VideoStatus
from publishing.views.buttons import mending_action
from tests.factories import (
    AdminFactory,
    BatchFactory,
    EditedAssetFactory,
    JobFactory,
    TikTokAccountFactory,
    UserFactory,
    VideoFactory,
)
from tests.monitoring.conftest import verified

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def ana() -> User:
    return UserFactory(username="ana", language="en")


@pytest.fixture
def account(ana: User) -> TikTokAccount:
    return TikTokAccountFactory(username="luna", managers=[ana])


@pytest.fixture
def as_ana(ana: User) -> Client:
    client = Client()
    client.force_login(ana)
    return client


def stuck(account: TikTokAccount, times: int = 1, **fields: object) -> list[Video]:
    return [VideoFactory(account=account, **fields) for _time in range(times)]


def groups(user: User) -> list[GroupRow]:
    return [group_row(group) for group in attention(user, mending_action).groups]


class TestGroups:
    def test_it_mends_twelve_failed_edits_with_one_button(self, ana, account):
        stuck(account, 12, status=VideoStatus.FAILED_EDIT, reason_code="edit_failed")

        (group,) = groups(ana)

        assert (group.count, len(group.videos), group.accounts) == (12, 3, "@luna")
        assert (group.mend.kind, group.mend.act) == ("act", ActKind.RETRY)
        assert group.mend.label in {"Retry 12 edits", "Reintentar 12 ediciones"}
        assert group.mend.selection == f"account={account.pk}&status=failed_edit&cause=edit_failed"

    def test_it_reconnects_once_for_what_failed_and_what_is_held(self, ana, account):
        stuck(account, 1, status=VideoStatus.FAILED_UPLOAD, reason_code="access_token_invalid")
        stuck(account, 4, status=VideoStatus.HELD, reason_code="account_disconnected")

        (group,) = groups(ana)

        assert (group.count, group.mend.kind, group.is_lost) == (5, "post", True)
        assert group.mend.target == f"/accounts/{account.pk}/reconnect/"
        assert "5" in group.mend.label

    def test_it_mends_a_bad_file_once_for_all_its_accounts(self, ana, account):
        batch = BatchFactory()
        other = TikTokAccountFactory(username="sol", managers=[ana])
        for one in (account, other):
            stuck(one, status=VideoStatus.FAILED_EDIT, reason_code="no_video_stream", batch=batch)
        stuck(account, status=VideoStatus.FAILED_EDIT, reason_code="no_video_stream")

        shared, alone = sorted(groups(ana), key=lambda group: -group.count)

        assert (shared.count, alone.count) == (2, 1)
        assert "@luna" in shared.accounts and "@sol" in shared.accounts
        assert shared.mend.target.endswith("&all=1")
        assert shared.mend.target.startswith("/new/?from=")

    def test_it_leaves_out_what_goes_on_by_itself(self, ana, account):
        stuck(account, status=VideoStatus.HELD, reason_code="circuit_open")
        stuck(account, status=VideoStatus.RETRYING, reason_code="unavailable")
        stuck(account, status=VideoStatus.POSTED, posted_at=timezone.now())
        assert groups(ana) == []

    def test_it_puts_a_possible_double_post_first_and_then_the_larger_groups(self, ana, account):
        stuck(account, 5, status=VideoStatus.FAILED_EDIT, reason_code="edit_failed")
        stuck(account, 2, status=VideoStatus.FAILED_UPLOAD, reason_code="unavailable", edited=EditedAssetFactory())
        stuck(account, 1, status=VideoStatus.MISSED, reason_code="missed")
        stuck(account, 1, status=VideoStatus.UNCONFIRMED, reason_code="unconfirmed")

        found = [(group.mend.icon, group.count) for group in groups(ana)]

        assert found == [("eye", 1), ("send", 1), ("refresh", 5), ("refresh", 2)]

    def test_it_offers_tomorrow_for_what_is_late(self, ana, account):
        due = (timezone.now() - timedelta(hours=2)).isoformat()
        stuck(account, 3, status=VideoStatus.MISSED, reason_code="missed", reason_detail={"due": due})
        (group,) = groups(ana)
        assert (group.mend.act, group.other.act) == (ActKind.RETRY, ActKind.RESCHEDULE)

    def test_it_quotes_what_was_measured_only_when_all_share_it(self, ana, account):
        for duration in (680_000, 700_000):
            stuck(
                account, status=VideoStatus.FAILED_UPLOAD, reason_code="duration_over_account_limit",
                reason_detail={"duration_ms": duration, "max_ms": 600_000},
            )  # fmt: skip
        (group,) = groups(ana)
        assert "…" in group.sentence and "11:20" not in group.sentence

        Video.objects.update(reason_detail={"duration_ms": 680_000, "max_ms": 600_000})
        (group,) = groups(ana)
        assert "11:20" in group.sentence

    def test_it_shows_a_person_only_what_is_in_their_charge(self, ana, account):
        other = TikTokAccountFactory(managers=[UserFactory()])
        stuck(other, status=VideoStatus.FAILED_EDIT, reason_code="edit_failed")
        assert groups(ana) == []
        assert [group.count for group in groups(AdminFactory())] == [1]

    def test_it_hides_no_urgent_group_behind_many_newer_ones(self, ana, account):
        (video,) = stuck(account, status=VideoStatus.UNCONFIRMED, reason_code="unconfirmed")
        Video.objects.filter(pk=video.pk).update(updated_at=timezone.now() - timedelta(days=1))
        for _number in range(140):
            other = TikTokAccountFactory(managers=[ana])
            stuck(other, 3, status=VideoStatus.FAILED_EDIT, reason_code="edit_failed")

        found = attention(ana, mending_action)

        assert found.groups[0].code == "unconfirmed"
        assert len(found.groups) + found.more == 141

    def test_it_tells_the_latest_failures_one_by_one(self, ana, account):
        videos = stuck(account, 10, status=VideoStatus.FAILED_EDIT, reason_code="edit_failed")
        for number, video in enumerate(videos):
            Video.objects.filter(pk=video.pk).update(updated_at=timezone.now() - timedelta(minutes=number))
        recent = attention(ana, mending_action).recent
        assert [video.pk for video in recent] == [video.pk for video in videos[:8]]


class TestNumbers:
    def test_it_counts_videos_by_family_and_the_jobs_of_a_day(self, ana, account):
        video = VideoFactory(account=account, status=VideoStatus.EDITING)
        VideoFactory(account=account, status=VideoStatus.POSTED, posted_at=timezone.now())
        VideoFactory(status=VideoStatus.POSTED, posted_at=timezone.now())
        JobFactory(video=video, status=JobStatus.RUNNING)
        for hours in (1, 30):
            JobFactory(
                video=video, kind=JobKind.UPLOAD, status=JobStatus.SUCCEEDED,
                finished_at=timezone.now() - timedelta(hours=hours),
            )  # fmt: skip

        found = counts(ana)

        assert (found.families[Family.WORKING], found.families[Family.DONE], found.videos) == (1, 1, 2)
        assert {status: n for status, n in found.jobs.items() if n} == {"running": 1, "succeeded": 1}

    def test_it_plans_the_next_24_hours_in_order(self, ana, account):
        now = timezone.now()
        for hours in (5, 1, 25):
            VideoFactory(account=account, status=VideoStatus.SCHEDULED, scheduled_at=now + timedelta(hours=hours))
        VideoFactory(account=account, status=VideoStatus.DEFERRED, resume_at=now + timedelta(hours=3))
        videos, more = planned(ana)
        assert [round((video.goes_at - now).total_seconds() / 3600) for video in videos] == [1, 3, 5]
        assert more is False


class TestPage:
    def page(self, client: Client) -> str:
        response = client.get("/")
        assert response.status_code == 200
        return response.content.decode()

    def test_it_is_where_the_log_in_leads(self, ana):
        assert Client().post("/login/", {"username": "ana", "password": "a long password"})["Location"] == "/"
        assert Client().get("/")["Location"].startswith("/login/")

    def test_it_says_what_to_do_first(self, as_ana, ana):
        assert "First, connect an account" in self.page(as_ana)
        TikTokAccountFactory(managers=[ana])
        assert "Everything is ready for the first video" in self.page(as_ana)

    def test_it_says_that_all_is_in_order_and_what_came_out_last(self, as_ana, account):
        stuck(account, status=VideoStatus.POSTED, posted_at=timezone.now() - timedelta(minutes=8))
        page = self.page(as_ana)
        assert "Everything in order" in page and "Last published:" in page and "data-ago" in page

    def test_it_warns_of_what_will_not_go_out(self, as_ana, account):
        video = VideoFactory(
            account=account, status=VideoStatus.SCHEDULED, scheduled_at=timezone.now() + timedelta(hours=2)
        )
        assert "Nothing in its way" in self.page(as_ana)
        CreatorLimits.objects.create(account=account, max_duration_seconds=1, seen_at=timezone.now())
        page = self.page(as_ana)
        assert "Nothing in its way" not in page
        assert f"/new/?from={video.pk}" in page

    def test_it_shows_the_accounts_with_problems_first(self, as_ana, ana, account):
        TikTokAccountFactory(username="gone", managers=[ana], token=None, status=AccountStatus.DISCONNECTED)
        paused = TikTokAccountFactory(username="paused", managers=[ana])
        until = timezone.now() + timedelta(minutes=12)
        AccountCircuit.objects.create(account=paused, state="open", open_until=until)
        page = self.page(as_ana).partition('id="health-title"')[2]
        assert (
            page.index("@gone") < page.index("@paused") < page.index("1 account without problems") < page.index("@luna")
        )
        assert "next try" in page

    def test_it_costs_twelve_queries_at_most_however_much_there_is(self, ana):
        """With what costs one more: a second factor, and videos that wait for this person's approval."""

        def fill(times: int) -> None:
            now = timezone.now()
            for number in range(times):
                one = TikTokAccountFactory(managers=[ana])
                AccountCircuit.objects.create(account=one, state="open", open_until=now + timedelta(minutes=5))
                CreatorLimits.objects.create(account=one, seen_at=now)
                stuck(one, 2, status=VideoStatus.FAILED_EDIT, reason_code="edit_failed")
                stuck(one, 1, status=VideoStatus.UNCONFIRMED, reason_code="unconfirmed")
                stuck(one, 1, status=VideoStatus.SCHEDULED, scheduled_at=now + timedelta(hours=number % 20 + 1))
                stuck(one, 1, status=VideoStatus.POSTED, posted_at=now)
                stuck(one, 1, status=VideoStatus.AWAITING_APPROVAL)

        ana.role = Role.APPROVER
        ana.save(update_fields=["role"])
        clients = [verified(ana), verified(AdminFactory(language="en"))]
        costs = []
        for times in (2, 20):
            fill(times)
            for client in clients:
                self.page(client)
                with CaptureQueriesContext(connection) as queries:
                    self.page(client)
                costs.append(len(queries))
        assert max(costs) <= 12, costs

    def test_it_reads_all_that_it_shows_at_once_whatever_the_cause(self, as_ana, ana, account):
        now = timezone.now()
        lost = TikTokAccountFactory(managers=[ana], token=None, status=AccountStatus.DISCONNECTED, connected_at=now)
        apart = TikTokAccountFactory(managers=[ana])
        AccountCircuit.objects.create(account=apart, state="isolated", isolated_code="by_person")
        for one in (account, lost, apart):
            CreatorLimits.objects.create(account=one, max_duration_seconds=1, privacy_levels=["SELF_ONLY"], seen_at=now)
            for code in ("access_token_invalid", "duration_over_account_limit", "unavailable"):
                stuck(one, 2, status=VideoStatus.FAILED_UPLOAD, reason_code=code, edited=EditedAssetFactory())
            stuck(one, 2, status=VideoStatus.FAILED_EDIT, reason_code="no_video_stream")
            stuck(one, 2, status=VideoStatus.HELD, reason_code="account_disconnected", scheduled_at=now)
            stuck(one, 2, status=VideoStatus.MISSED, reason_code="missed", reason_detail={"due": now.isoformat()})
            stuck(one, 2, status=VideoStatus.DEFERRED, reason_code="spam_risk_too_many_posts", resume_at=now + HOUR)
            stuck(one, 2, status=VideoStatus.SCHEDULED, scheduled_at=now + HOUR, edited=EditedAssetFactory())
        self.page(as_ana)

        with CaptureQueriesContext(connection) as queries:
            self.page(as_ana)

        assert len(queries) <= 12, [query["sql"] for query in queries]


class TestLive:
    def test_it_answers_304_without_a_body_while_nothing_changed(self, as_ana, account):
        stuck(account, status=VideoStatus.FAILED_EDIT, reason_code="edit_failed")
        first = as_ana.get("/today/live/")
        assert (first.status_code, b'hx-swap-oob="true"' in first.content) == (200, True)

        again = as_ana.get("/today/live/", headers={"If-None-Match": first["ETag"]})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])

        stuck(account, status=VideoStatus.FAILED_EDIT, reason_code="edit_failed")
        changed = as_ana.get("/today/live/", headers={"If-None-Match": first["ETag"]})
        assert changed.status_code == 200 and changed["ETag"] != first["ETag"]

    def test_the_page_knows_the_version_that_it_shows(self, as_ana, account):
        stuck(account, status=VideoStatus.FAILED_EDIT, reason_code="edit_failed")
        page = as_ana.get("/").content.decode()
        mark = page.partition('data-etag="')[2].partition('"')[0]
        assert as_ana.get("/today/live/", headers={"If-None-Match": f'"{mark}"'}).status_code == 304
