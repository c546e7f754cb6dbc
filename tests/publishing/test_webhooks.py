"""TikTok's webhooks: signed, heard once, and only a hint."""

from __future__ import annotations

import hashlib
import hmac
import json
import time

import pytest
import time_machine
from django.utils import timezone

from accounts.models import AccountEvent, AccountStatus, TikTokAccount
from publishing.models import Job, WebhookReceipt
from publishing.states import JobKind, JobStatus, PostMode, VideoStatus
from publishing.tasks import run_inbox_check
from tests.factories import JobFactory, TikTokAccountFactory, UploadSessionFactory, VideoFactory
from tests.publishing.conftest import reload

pytestmark = pytest.mark.django_db


def send(client, settings, event, *, open_id="open-1", content=None, age=0, secret=None, tamper=b""):
    payload = {"client_key": "k", "event": event, "create_time": int(time.time()), "user_openid": open_id}
    body = json.dumps(payload | {"content": json.dumps(content or {})}).encode()
    stamp = str(int(time.time()) - age)
    key = (secret or settings.TIKTOK_CLIENT_SECRET).encode()
    signature = hmac.new(key, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {"TikTok-Signature": f"t={stamp},s={signature}"}
    return client.post("/webhooks/tiktok/", body + tamper, content_type="application/json", headers=headers)


def test_it_looks_at_once_when_tiktok_hints(client, settings):
    video = VideoFactory(status=VideoStatus.VERIFYING)
    later = timezone.now() + timezone.timedelta(hours=1)
    job = JobFactory(video=video, kind=JobKind.UPLOAD, status=JobStatus.PROCESSING, run_at=later)
    session = UploadSessionFactory(video=video, state="processing")
    assert (
        send(client, settings, "post.publish.complete", content={"publish_id": session.publish_id}).status_code == 200
    )
    assert Job.objects.get(pk=job.pk).run_at <= timezone.now()
    assert reload(video).status == VideoStatus.VERIFYING


@pytest.mark.parametrize(
    "wrong",
    [{"age": 400}, {"age": -400}, {"secret": "other"}, {"tamper": b" "}],
    ids=["old", "future", "forged", "flipped"],
)
def test_it_refuses_what_tiktok_did_not_sign_now(client, settings, wrong):
    assert send(client, settings, "authorization.removed", **wrong).status_code == 400
    assert not WebhookReceipt.objects.exists()


def test_it_refuses_a_webhook_without_a_signature(client):
    assert client.post("/webhooks/tiktok/", b"{}", content_type="application/json").status_code == 400


def test_it_disconnects_an_account_whose_owner_removed_the_access(client, settings):
    account = TikTokAccountFactory()
    send(client, settings, "authorization.removed", open_id=account.open_id, content={"reason": 1})
    assert TikTokAccount.objects.get(pk=account.pk).status == AccountStatus.DISCONNECTED
    assert not hasattr(TikTokAccount.objects.get(pk=account.pk), "token")


def test_it_hears_a_repeated_webhook_once(client, settings):
    with time_machine.travel(timezone.now(), tick=False):
        first = send(client, settings, "post.publish.failed", content={"publish_id": "v_pub_file~none"})
        second = send(client, settings, "post.publish.failed", content={"publish_id": "v_pub_file~none"})
    assert (first.status_code, second.status_code) == (200, 200)
    assert WebhookReceipt.objects.count() == 1


def test_it_publishes_an_inbox_video_only_after_asking_tiktok(tiktok, connect, submit, work):
    batch = submit(connect(), mode=PostMode.INBOX, privacy_level="")
    work()
    video = batch.videos.get()
    run_inbox_check(video.uploads.get().pk)
    assert reload(video).status == VideoStatus.IN_INBOX


def test_it_says_when_a_post_is_taken_away_and_when_it_is_back(client, settings):
    video = VideoFactory(status=VideoStatus.POSTED, posted_at=timezone.now())
    session = UploadSessionFactory(video=video, state="complete")
    content = {"publish_id": session.publish_id}

    send(client, settings, "post.publish.no_longer_publicaly_available", content=content)
    gone = reload(video)
    send(client, settings, "post.publish.publicly_available", content=content)

    assert (gone.status, gone.reason_code) == (VideoStatus.POSTED, "no_longer_public")
    assert (reload(video).status, reload(video).reason_code) == (VideoStatus.POSTED, "")
    assert list(video.events.values_list("code", flat=True)) == ["no_longer_public", "public_again"]


def signed(settings, body, *, at, secret=None):
    key = (secret or settings.TIKTOK_CLIENT_SECRET).encode()
    return hmac.new(key, f"{at}.".encode() + body, hashlib.sha256).hexdigest()


BODY = json.dumps({"event": "post.publish.failed", "create_time": 1, "user_openid": "o", "content": "{}"}).encode()


@pytest.mark.parametrize(
    ("header", "form", "status"),
    [
        ("TikTok-Signature", "t={t},s={s}", 200),
        ("TIKTOK-SIGNATURE", "t={t},s={s}", 200),
        ("tiktok-signature", "t={t}, s={s}", 200),
        ("TikTok-Signature", "s={s},t={t}", 200),
        ("TikTok-Signature", "t={t},s={bad},s={s}", 200),
        ("TikTok-Signature", "t={t},s={s},s={bad}", 200),
        ("TikTok-Signature", "t={t},s={bad},s={bad}", 400),
        ("TikTok-Signature", "t={t},s={flipped}", 400),
        ("TikTok-Signature", "t={t},t={t},s={s}", 400),
        ("TikTok-Signature", "s={s}", 400),
        ("TikTok-Signature", "t={t}", 400),
        ("TikTok-Signature", "", 400),
        ("X-Other", "t={t},s={s}", 400),
    ],
)
def test_it_reads_the_header_in_every_form_and_takes_no_other(client, settings, header, form, status):
    at = int(time.time())
    good = signed(settings, BODY, at=at)
    flipped = ("0" if good[0] != "0" else "1") + good[1:]
    value = form.format(t=at, s=good, bad="0" * 64, flipped=flipped)

    answer = client.post("/webhooks/tiktok/", BODY, content_type="application/json", headers={header: value})

    assert answer.status_code == status
    assert WebhookReceipt.objects.count() == (status == 200)


@pytest.mark.parametrize(("age", "status"), [(300, 200), (-300, 200), (301, 400), (-301, 400)])
def test_it_takes_five_minutes_on_either_side(client, settings, age, status):
    with time_machine.travel(1_800_000_000, tick=False):
        assert send(client, settings, "post.publish.failed", age=age).status_code == status


def test_it_hears_a_body_once_even_when_it_was_signed_again(client, settings):
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        for _again in range(3):
            at = int(time.time())
            headers = {"TikTok-Signature": f"t={at},s={signed(settings, BODY, at=at)}"}
            answer = client.post("/webhooks/tiktok/", BODY, content_type="application/json", headers=headers)
            assert answer.status_code == 200
            clock.shift(600)
    assert WebhookReceipt.objects.count() == 1


def test_it_takes_the_old_secret_while_it_is_replaced(client, settings):
    old, settings.TIKTOK_CLIENT_SECRET = settings.TIKTOK_CLIENT_SECRET, "the new one"
    assert send(client, settings, "post.publish.failed", secret=old).status_code == 400
    settings.TIKTOK_CLIENT_SECRET_OLD = old
    assert send(client, settings, "post.publish.failed", secret=old).status_code == 200
    assert send(client, settings, "post.publish.complete").status_code == 200
    settings.TIKTOK_CLIENT_SECRET_OLD = ""
    assert send(client, settings, "post.publish.inbox_delivered", secret=old).status_code == 400
    # An empty setting is no secret that somebody could sign with.
    at = int(time.time())
    empty = hmac.new(b"", f"{at}.".encode() + BODY, hashlib.sha256).hexdigest()
    headers = {"TikTok-Signature": f"t={at},s={empty}"}
    answer = client.post("/webhooks/tiktok/", BODY, content_type="application/json", headers=headers)
    assert answer.status_code == 400


def test_it_believes_no_hint_that_a_post_is_out(client, settings):
    video = VideoFactory(status=VideoStatus.VERIFYING)
    session = UploadSessionFactory(video=video, state="processing")
    for event in ("post.publish.complete", "post.publish.publicly_available", "post.publish.failed"):
        content = {"publish_id": session.publish_id, "post_id": "7", "reason": "x"}
        assert send(client, settings, event, content=content).status_code == 200
        assert reload(video).status == VideoStatus.VERIFYING, event


def test_it_does_not_disconnect_for_what_was_removed_before_the_last_connection(client, settings):
    account = TikTokAccountFactory()
    now = timezone.now()
    AccountEvent.objects.create(account=account, kind="reconnected", at=now)
    with time_machine.travel(now - timezone.timedelta(days=1), tick=False):
        late = int(time.time())
    body = json.dumps({"event": "authorization.removed", "create_time": late, "user_openid": account.open_id})
    at = int(time.time())
    headers = {"TikTok-Signature": f"t={at},s={signed(settings, body.encode(), at=at)}"}

    answer = client.post("/webhooks/tiktok/", body, content_type="application/json", headers=headers)

    assert answer.status_code == 200
    assert TikTokAccount.objects.get(pk=account.pk).status == AccountStatus.CONNECTED
