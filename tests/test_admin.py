"""The admin as a whole: every model, no secret, nothing that would corrupt a row, no query per row."""

from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import count

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import AccountEvent, OAuthAttempt, OAuthToken, RecoveryCode, TikTokAccount
from accounts.models_sessions import FailureCount, PersonSession
from audit.catalogue import Action
from audit.models import AuditHead
from audit.services.recording import audit_record
from insights.models import (
    AccountCounts,
    BlockedTopic,
    CountSnapshot,
    KeptReport,
    Publication,
    PublicationTopic,
    SuggestedTopic,
    Suggestion,
    Topic,
    TopicAccount,
    TopicDay,
    TopicSectorDay,
    TopicStanding,
)
from monitoring.models import (
    Alert,
    AlertDelivery,
    CounterDelta,
    CounterTotal,
    DailyPeak,
    KeyScope,
    PendingAlert,
    Span,
    SummaryDelta,
    SummaryTotal,
    TikTokFailure,
)
from monitoring.services.keys import key_make
from notices.models import Notice, NoticeCopy, NoticeMessage, NoticePreferences
from publishing.models import (
    AccountBrand,
    AccountCircuit,
    Act,
    ActItem,
    BrandPattern,
    CircuitEvent,
    CreatorLimits,
    Intake,
    Job,
    JobEvent,
    Leadership,
    Render,
    SavedFilter,
    SubtitleDraw,
    TikTokOutage,
    Video,
    VideoEvent,
    WebhookReceipt,
    WorkerHeartbeat,
    WorkingAsset,
)
from publishing.states import JobStatus, UploadState, VideoStatus
from tests.factories import (
    AdminFactory,
    JobFactory,
    SubtitleTrackFactory,
    TikTokAccountFactory,
    UploadSessionFactory,
    UserFactory,
    VideoFactory,
)

pytestmark = pytest.mark.django_db

MODELS = [
    model
    for app in ("audit", "accounts", "publishing", "insights", "monitoring", "notices")
    for model in apps.get_app_config(app).get_models()
]
EDITABLE = {"user", "sector", "tiktokaccount", "brandpattern", "accountbrand"}
#: Made in the admin, but never changed there.
ADDABLE = {"apikey"}
READ_ONLY = [model for model in MODELS if model._meta.model_name not in EDITABLE]
SECRETS = ("act.PLANTED", "rft.PLANTED", "upload_id=PLANTED", "verifier-PLANTED")
#: What a strict Content-Security-Policy forbids.
INLINE = re.compile(r"<style|<script(?![^>]*\ssrc=)|<[^>]*\s(?:style|on\w+)=")
numbers = count()


@pytest.fixture
def administrator(client):
    client.force_login(AdminFactory(language="en"))
    return client


def one_of_each():
    """One row of every model, with planted secrets."""
    number, now = next(numbers), timezone.now()
    account = TikTokAccountFactory(token=None, managers=[UserFactory()])
    token = OAuthToken.objects.create(
        account=account, access_token=f"{SECRETS[0]}{number}", refresh_token=f"{SECRETS[1]}{number}",
        scope="video.publish", expires_at=now + timedelta(hours=1), refresh_expires_at=now + timedelta(days=9),
    )  # fmt: skip
    video = VideoFactory(account=account, status=VideoStatus.FAILED_UPLOAD, reason_code="unavailable")
    job = JobFactory(video=video, status=JobStatus.ERRORED, traceback="Traceback: <boom>")
    upload = UploadSessionFactory(
        video=video, job=job, upload_url=f"https://x.tiktokapis.com/?{SECRETS[2]}", state=UploadState.DEAD
    )
    source, cm = video.batch.source, video.batch.created_by
    pattern = BrandPattern.objects.create(name=f"Cálido {number}")
    made = [
        account, token, video, job, upload, pattern, video.batch, source, account.sector, cm,
        SubtitleTrackFactory(asset=source, created_by=cm),
        AccountBrand.objects.create(account=account, pattern=pattern),
        audit_record(action=Action.VIDEO_RETRIED, on=video, actor=cm, details={"access_token": SECRETS[0]}),
        AuditHead.objects.get_or_create(pk=1)[0],
        WorkingAsset.objects.create(
            kind="source", key=source.sha256, host=f"h{number}", path="/p", size=1, used_at=now, expires_at=now
        ),
        (event := VideoEvent.objects.create(video=video, new=video.status, actor=cm, at=now)),
        (notice := Notice.objects.create(
            kind="video_failed", account=account, video=video, video_event=event, code="unavailable", at=now
        )),
        (mail := NoticeMessage.objects.create(channel="email", kind="notices", user=cm, next_at=now, made_at=now)),
        NoticeCopy.objects.create(notice=notice, user=cm, mail=mail),
        NoticePreferences.objects.create(user=cm),
        JobEvent.objects.create(job=job, new=job.status, at=now),
        Render.objects.create(key=f"{number:064}", asset=upload.asset, job=job, lease_until=now),
        Leadership.objects.create(name=f"role {number}", owner="o", until=now),
        WebhookReceipt.objects.create(body_sha256=f"{number:064}", event="post.publish.complete", received_at=now),
        AccountEvent.objects.create(account=account, kind="connected", actor=cm, at=now),
        AccountCircuit.objects.create(account=account, state="isolated", isolated_code="by_person"),
        CircuitEvent.objects.create(account=account, kind="isolated", old="closed", new="isolated", at=now),
        TikTokOutage.objects.create(opened_at=now, closed_at=now, accounts=3),
        (act := Act.objects.create(actor=cm, key=f"k{number}", kind="retry", begun_at=now, undo_until=now)),
        ActItem.objects.create(act=act, video=video),
        SavedFilter.objects.create(user=cm, name=f"F{number}", query="family=attention"),
        CreatorLimits.objects.create(account=account, max_duration_seconds=600, seen_at=now),
        Intake.objects.create(user=cm, kind="source", size=1, started_at=now),
        WorkerHeartbeat.objects.create(
            name=f"h{number}:1", kind="edit", host="h", pid=1, started_at=now, seen_at=now
        ),
        CounterTotal.objects.create(metric="videos_total", labels=f"{number}", value=1),
        CounterDelta.objects.create(metric="videos_total", labels="posted", value=1),
        SummaryTotal.objects.create(account=number + 1, what="video:posted", n=1),
        SummaryDelta.objects.create(account=number + 1, what="video:posted", n=1),
        DailyPeak.objects.create(day=date(2026, 1, 1) + timedelta(days=number), active_jobs=3),
        TikTokFailure.objects.create(
            at=now, endpoint="upload", reason="unavailable", code="unavailable", seconds=1, account=account
        ),
        Span.objects.create(trace_id=f"{number:032x}", span_id=f"{number:016x}", name="s", kind="internal",
                            started_at=now, ended_at=now),
        key_make(name=f"Grafana {number}", scope=KeyScope.MONITOR, actor=AdminFactory())[0],
        AlertDelivery.objects.create(
            alert=(alert := Alert.objects.create(
                rule="CircuitOpen", fingerprint=f"f{number}", severity="page", opened_at=now, seen_at=now
            )), channel="email", next_at=now,
        ),
        alert,
        PendingAlert.objects.create(fingerprint=f"f{number}", rule="WorkerMissing", since=now, seen_at=now),
        RecoveryCode.objects.create(user=cm, code_hash=f"{number:064}"),
        PersonSession.objects.create(user=cm, seal=f"{number:064}", started_at=now, seen_at=now),
        FailureCount.objects.create(principal=f"{number:064}", failed_at=now, free_at=now),
        OAuthAttempt.objects.create(
            state_hash=f"{number:064}", code_verifier=SECRETS[3], user=cm, account=account, created_at=now
        ),
        SubtitleDraw.objects.create(account=account, position=0, video=video, variant="auto"),
        (publication := Publication.objects.get_or_create(
            video=video, defaults={"account": account, "sector": account.sector, "arm": "auto", "due_at": now}
        )[0]),
        CountSnapshot.objects.create(publication=publication, taken_at=now, views=9, likes=1, comments=0, shares=0),
        AccountCounts.objects.create(account=account),
        (topic := Topic.objects.create(name=f"pan{number}", hashtag=f"Pan{number}")),
        PublicationTopic.objects.create(publication=publication, topic=topic, hashtag="PAN"),
        TopicDay.objects.create(day=now.date(), account=account, sector=account.sector, topic=topic, videos=1),
        TopicSectorDay.objects.create(day=now.date(), sector=account.sector, topic=topic, videos=1),
        TopicAccount.objects.create(account=account, sector=account.sector, topic=topic, last_day=now.date()),
        TopicStanding.objects.create(day=now.date(), sector=account.sector, topic=topic, last_day=now.date()),
        KeptReport.objects.create(key=f"{number:064}", asked={}, asked_at=now),
        BlockedTopic.objects.create(name=f"pan{number}", sector=account.sector, blocked_by=cm),
        (suggestion := Suggestion.objects.create(
            submission_key=f"k{number}", sector=account.sector, user=cm, shown_at=now
        )),
        SuggestedTopic.objects.create(suggestion=suggestion, topic=topic, rank=1),
    ]  # fmt: skip
    return {type(row): row for row in made}


def url(model, page, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def pages(model, row):
    listing = url(model, "changelist")
    return [listing, f"{listing}?q=1", f"{listing}?o=1.2", url(model, "change", row.pk), url(model, "history", row.pk)]


@pytest.mark.parametrize("model", MODELS)
def test_it_registers_every_model_with_a_search(model):
    assert admin.site._registry[model].search_fields


def test_it_shows_every_page_and_no_secret(administrator):
    rows = one_of_each()
    for page in [reverse("admin:index"), *(page for model in MODELS for page in pages(model, rows[model]))]:
        answer = administrator.get(page)
        assert answer.status_code == 200, page
        text = answer.content.decode()
        assert not [secret for secret in SECRETS if secret in text], page
        assert not INLINE.search(text), page


def test_it_refuses_to_write_what_workers_write(administrator):
    rows = one_of_each()
    for model in READ_ONLY:
        row = rows[model]
        before = model.objects.filter(pk=row.pk).values().get()
        assert administrator.post(url(model, "change", row.pk), {"status": "posted"}).status_code == 403, model
        assert administrator.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403, model
        assert administrator.get(url(model, "add")).status_code == (200 if model._meta.model_name in ADDABLE else 403)
        assert model.objects.filter(pk=row.pk).values().get() == before, model


@pytest.mark.parametrize("model", MODELS)
def test_it_is_closed_to_cms(client, model):
    client.force_login(UserFactory(language="en"))
    answer = client.get(url(model, "changelist"), follow=True)
    assert answer.status_code == 403
    assert "changelist" not in answer.content.decode()


def queries_of(client, page):
    client.get(page)  # the first request fills caches, such as that of content types
    with CaptureQueriesContext(connection) as captured:
        assert client.get(page).status_code == 200
    return [query["sql"] for query in captured]


def test_it_asks_the_database_the_same_however_many_rows(administrator):
    def lists():
        return {model: len(queries_of(administrator, url(model, "changelist"))) for model in MODELS}

    one_of_each()
    one_of_each()
    few = lists()
    for _more in range(3):
        one_of_each()
    assert lists() == few


def test_it_asks_the_same_for_a_video_with_a_long_history(administrator):
    video = one_of_each()[Video]

    def history(length):
        for _event in range(length):
            VideoEvent.objects.create(video=video, new=video.status, actor=UserFactory(), at=timezone.now())
            job = JobFactory(video=video, status=JobStatus.FAILED)
            UploadSessionFactory(video=video, job=job, state=UploadState.FAILED)
        return len(queries_of(administrator, url(Video, "change", video.pk)))

    assert history(1) == history(4)


def test_it_shows_only_the_latest_of_a_history_that_grows_for_ever(administrator):
    account = TikTokAccountFactory()
    for number in range(60):
        at = timezone.now() - timedelta(days=number)
        AccountEvent.objects.create(account=account, kind="refreshed", log_id=f"log-{number:02}", at=at)
    text = administrator.get(url(TikTokAccount, "change", account.pk)).content.decode()
    assert "log-49" in text
    assert "log-50" not in text


def test_it_counts_on_the_front_page_and_links_to_what_it_counted(administrator):
    for status in (VideoStatus.FAILED_EDIT, VideoStatus.MISSED, VideoStatus.UPLOADING):
        VideoFactory(status=status)
    JobFactory(video=Video.objects.get(status=VideoStatus.UPLOADING), status=JobStatus.RUNNING)
    TikTokAccountFactory(status="disconnected")
    answer = administrator.get(reverse("admin:index"))
    panels = dict(answer.context["panels"])
    counts = {figure.name: figure.count for figure in panels["Videos"]}
    assert (counts["Needs attention"], counts["Working"], counts["Published"]) == (2, 1, 0)
    assert sum(figure.count for figure in panels["Jobs"]) == 1
    for figure in [figure for figures in panels.values() for figure in figures]:
        listed = administrator.get(figure.url).context["cl"]
        assert listed.result_count == figure.count, figure


def test_it_counts_only_what_the_person_may_look_into(client):
    person = UserFactory(is_staff=True, language="en")
    person.user_permissions.add(Permission.objects.get(codename="view_job"))
    client.force_login(person)
    answer = client.get(reverse("admin:index"))
    assert [title for title, _figures in answer.context["panels"]] == ["Jobs"]


def test_it_offers_every_model_once(administrator):
    text = administrator.get(reverse("admin:index")).content.decode()
    main = text[text.index('id="content-main"') :]
    for model in admin.site._registry:
        assert main.count(f'href="{url(model, "changelist")}"') == 1, model


def test_it_leaves_rqs_own_pages_out(administrator):
    assert administrator.get("/admin/django_rq/dashboard/").status_code == 404


@pytest.mark.parametrize("family", ["attention", "done", "nonsense"])
def test_it_filters_videos_by_family(administrator, family):
    VideoFactory(status=VideoStatus.FAILED_EDIT)
    answer = administrator.get(url(Video, "changelist") + f"?family={family}")
    assert answer.status_code == 200
    assert answer.context["cl"].result_count == (0 if family == "done" else 1)


def test_it_shows_what_broke(administrator):
    rows = one_of_each()
    text = administrator.get(url(Job, "change", rows[Job].pk)).content.decode()
    assert "<pre>Traceback: &lt;boom&gt;</pre>" in text
    text = administrator.get(url(Video, "change", rows[Video].pk)).content.decode()
    assert "TikTok does not answer." in text
    assert rows[Video].trace_id in text
    assert reverse("publishing:video_detail", args=[rows[Video].pk]) in text


def test_it_counts_its_lists_up_to_a_bound(administrator, monkeypatch):
    for _ in range(4):
        VideoFactory()
    monkeypatch.setattr("subiteya.lib.admin.BoundedPaginator.most", 3)
    address = reverse("admin:publishing_video_changelist")
    assert "3+ videos" in " ".join(administrator.get(address).content.decode().split())
    assert "4 videos" not in administrator.get(address).content.decode()
    found = administrator.get(address, {"q": Video.objects.first().trace_id}).content.decode()
    assert "1 video" in " ".join(found.split())


def test_it_finds_jobs_by_trace_account_and_video(administrator):
    jobs = [JobFactory() for _ in range(2)]
    for words in (jobs[0].video.trace_id, f"@{jobs[0].video.account.username}", str(jobs[0].video_id)):
        html = administrator.get(reverse("admin:publishing_job_changelist"), {"q": words}).content.decode()
        assert f"/publishing/job/{jobs[0].pk}/change/" in html, words
        assert f"/publishing/job/{jobs[1].pk}/change/" not in html, words
