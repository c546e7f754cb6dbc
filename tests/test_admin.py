"""The admin: every model, no secret, nothing that would corrupt a row, actions through the services."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import AccountEvent, OAuthAttempt, OAuthToken, TikTokAccount
from publishing.models import (
    AccountBrand,
    AssetCopy,
    BrandPattern,
    Job,
    JobEvent,
    Leadership,
    Render,
    UploadSession,
    Video,
    VideoEvent,
    WebhookReceipt,
)
from publishing.states import JobKind, JobStatus, VideoStatus
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

MODELS = [model for app in ("accounts", "publishing") for model in apps.get_app_config(app).get_models()]
READ_ONLY = {
    "oauthtoken", "oauthattempt", "accountevent", "video", "batch", "videoevent", "uploadsession", "webhookreceipt",
    "job", "jobevent", "render", "leadership", "asset", "assetcopy", "subtitletrack",
}  # fmt: skip
SECRETS = ("act.PLANTED", "rft.PLANTED", "upload_id=PLANTED", "verifier-PLANTED")


@pytest.fixture
def administrator(client):
    user = AdminFactory()
    client.force_login(user)
    return client


@pytest.fixture
def rows():
    """One row of every model, with planted secrets."""
    now = timezone.now()
    account = TikTokAccountFactory()
    OAuthToken.objects.filter(account=account).delete()
    token = OAuthToken.objects.create(
        account=account, access_token=SECRETS[0], refresh_token=SECRETS[1], scope="video.publish",
        expires_at=now + timezone.timedelta(hours=1), refresh_expires_at=now + timezone.timedelta(days=9),
    )  # fmt: skip
    video = VideoFactory(account=account, status=VideoStatus.FAILED_UPLOAD, reason_code="unavailable")
    job = JobFactory(video=video, status=JobStatus.ERRORED, traceback="Traceback: boom")
    session = UploadSessionFactory(video=video, upload_url=f"https://x.tiktokapis.com/?{SECRETS[2]}", state="dead")
    pattern = BrandPattern.objects.create(name="Cálido")
    made = [
        account, token, video, job, session, pattern, video.batch, video.batch.source, account.sector,
        video.batch.created_by, SubtitleTrackFactory(asset=video.batch.source),
        AccountBrand.objects.create(account=account, pattern=pattern),
        AssetCopy.objects.create(asset=video.batch.source, host="h", path="/p", size=1, expires_at=now),
        VideoEvent.objects.create(video=video, new=video.status, at=now),
        JobEvent.objects.create(job=job, new=job.status, at=now),
        Render.objects.create(key="k" * 64, lease_until=now),
        Leadership.objects.create(name="reconciler", owner="o", until=now),
        WebhookReceipt.objects.create(body_sha256="h", event="post.publish.complete", received_at=now),
        AccountEvent.objects.create(account=account, kind="connected", at=now),
        OAuthAttempt.objects.create(
            state_hash="h", code_verifier=SECRETS[3], user=video.batch.created_by, created_at=now
        ),
    ]  # fmt: skip
    return {type(row): row for row in made}


def url(model, page, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@pytest.mark.parametrize("model", MODELS)
def test_it_registers_every_model(model):
    assert model in admin.site._registry


@pytest.mark.parametrize("model", MODELS)
def test_it_shows_lists_searches_and_pages_without_a_secret(administrator, rows, model):
    pages = [url(model, "changelist"), url(model, "change", rows[model].pk)]
    if admin.site._registry[model].search_fields:
        pages.append(f"{pages[0]}?q=1")
    for page in pages:
        answer = administrator.get(page)
        assert answer.status_code == 200, page
        assert not [secret for secret in SECRETS if secret in answer.content.decode()]


@pytest.mark.parametrize("model", [model for model in MODELS if model._meta.model_name in READ_ONLY])
def test_it_refuses_to_write_what_workers_write(administrator, rows, model):
    change = url(model, "change", rows[model].pk)
    assert administrator.post(change, {"status": "posted"}).status_code == 403
    assert administrator.post(url(model, "delete", rows[model].pk), {"post": "yes"}).status_code == 403
    assert administrator.get(url(model, "add")).status_code == 403


@pytest.mark.parametrize("model", MODELS)
def test_it_is_closed_to_cms(client, model):
    client.force_login(UserFactory())
    assert client.get(url(model, "changelist")).status_code == 302


@pytest.mark.parametrize("model", [Video, Job, UploadSession, TikTokAccount])
def test_it_asks_the_database_the_same_however_many_rows(administrator, model):
    counts = []
    for _round in range(2):
        for _row in range(3):
            video = VideoFactory()
            JobFactory(video=video)
            UploadSessionFactory(video=video)
        administrator.get(url(model, "changelist"))  # content types are cached by the first
        with CaptureQueriesContext(
            connection,
        ) as queries:
            administrator.get(url(model, "changelist"))
        counts.append(len(queries))
    assert counts[0] == counts[1]


def act(client, model, action, *rows, **answers):
    data = {"action": action, "_selected_action": [row.pk for row in rows], **answers}
    return client.post(url(model, "changelist"), data, follow=True)


def test_it_retries_and_says_which_it_could_not(administrator):
    red, green = VideoFactory(status=VideoStatus.FAILED_EDIT), VideoFactory(status=VideoStatus.VERIFYING)
    answer = act(administrator, Video, "retry", red, green)
    assert Video.objects.get(pk=red.pk).status == VideoStatus.PENDING
    assert Job.objects.get(video=red).kind == JobKind.EDIT
    assert Video.objects.get(pk=green.pk).status == VideoStatus.VERIFYING
    assert len(list(answer.context["messages"])) == 2


def test_it_cancels_after_asking(administrator):
    video = VideoFactory(status=VideoStatus.PENDING)
    act(administrator, Video, "cancel", video, confirmed="yes")
    assert Video.objects.get(pk=video.pk).status == VideoStatus.CANCELLED


def test_it_disconnects_an_account(administrator, tiktok):
    account = TikTokAccountFactory()
    act(administrator, TikTokAccount, "disconnect", account, confirmed="yes", reason="by_administrator")
    account.refresh_from_db()
    assert (account.status, account.status_reason) == ("disconnected", "by_administrator")


def test_it_takes_a_logo_with_a_pattern_and_refuses_a_text(administrator):
    fields = {
        "name": "Con logo", "fit": "blur", "brightness": 0, "contrast": 1, "saturation": 1, "temperature": 0,
        "logo_enabled": "on", "logo_position": "top_right", "logo_width_percent": 18, "logo_opacity": 0.9,
        "volume_db": 0, "music_volume_db": -18, "subtitle_size": 64, "subtitle_color": "#ffffff",
        "subtitle_outline_color": "#000000", "subtitle_position": "bottom", "accounts-TOTAL_FORMS": 0,
        "accounts-INITIAL_FORMS": 0,
    }  # fmt: skip
    bad = SimpleUploadedFile("logo.png", b"no picture")
    assert administrator.post(url(BrandPattern, "add"), fields | {"logo_file": bad}).status_code == 200
    assert not BrandPattern.objects.exists()
    good = SimpleUploadedFile("logo.png", b"\x89PNG\r\n\x1a\n" + b"0" * 50)
    assert administrator.post(url(BrandPattern, "add"), fields | {"logo_file": good}).status_code == 302
    assert BrandPattern.objects.get().logo.kind == "logo"


@pytest.mark.parametrize("family", ["attention", "done", "nonsense"])
def test_it_filters_videos_by_family(administrator, family):
    VideoFactory(status=VideoStatus.FAILED_EDIT)
    answer = administrator.get(url(Video, "changelist") + f"?family={family}")
    assert answer.status_code == 200
    assert answer.context["cl"].result_count == (0 if family == "done" else 1)
