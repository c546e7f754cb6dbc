"""Uploads: parts in order, resumed where they stopped, and at most one post whatever happens on the line."""

from __future__ import annotations

import hashlib
import time
from contextlib import suppress
from datetime import timedelta
from io import BytesIO

import pytest
import time_machine
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.models import AccountStatus, OAuthToken
from accounts.services.connections import account_import
from accounts.services.tokens import account_lost
from publishing.errors import LeaseLost, StateConflict
from publishing.models import AssetKind, Job, UploadSession, Video
from publishing.services import transfer, upload
from publishing.services.circuits import circuit_probe_now
from publishing.services.creators import creator_infos
from publishing.services.jobs import job_claim, job_create
from publishing.services.reconcile import job_take_over, reconcile_tick
from publishing.services.runner import job_run
from publishing.services.upload import upload_run
from publishing.services.videos import NotPossible, video_cancel, video_resolve, video_retry
from publishing.states import JobKind, JobStatus, UploadState, VideoStatus
from subiteya.tiktok import ChunkPlan
from tests.factories import AssetFactory, UploadSessionFactory, VideoFactory
from tests.publishing.conftest import reload

pytestmark = pytest.mark.django_db

SIZE = 26_000_123  # three parts with the settings below


@pytest.fixture(autouse=True)
def small_parts(settings):
    settings.UPLOAD_SINGLE_PART_MAX = 5_000_000
    settings.UPLOAD_PART_TARGET = 10_000_000
    settings.UPLOAD_PART_PAUSES = (0.05, 0.05, 0.05)


@pytest.fixture(scope="session")
def big_bytes() -> bytes:
    block = hashlib.sha256(b"big").digest() * 4096
    return (b"\x00\x00\x00\x20ftypisom" + block * (SIZE // len(block) + 1))[:SIZE]


@pytest.fixture
def edited(db, big_bytes):
    key = default_storage.save("edited/big.mp4", BytesIO(big_bytes))
    digest = hashlib.sha256(big_bytes).hexdigest()
    return AssetFactory(kind=AssetKind.EDITED, storage_key=key, sha256=digest, size=SIZE)


@pytest.fixture
def video(connect, edited):
    video = VideoFactory(account=connect(), edited=edited, status=VideoStatus.EDITED, privacy_level="SELF_ONLY")
    job_create(video=video, kind=JobKind.UPLOAD)
    return video


def entries(tiktok):
    return tiktok.sandbox.ledger()


def run_job(video):
    job_run(Job.objects.get(video=video, status__in=["queued", "waiting", "processing"]).pk)
    return reload(video)


def test_it_sends_the_parts_in_order_and_keeps_the_offset(tiktok, video, edited, work):
    work()
    entry = entries(tiktok)[0]
    assert (entry["sha256"], entry["uploaded_bytes"]) == (edited.sha256, SIZE)
    session = UploadSession.objects.get(video=video)
    assert (session.total_chunk_count, session.chunk_size) == (3, SIZE // 3)
    assert (session.state, session.upload_url) == (UploadState.COMPLETE, "")  # a secret of no more use
    assert reload(video).status == VideoStatus.POSTED


@pytest.mark.parametrize("part", [0, 1, 2])
@pytest.mark.parametrize("kind", ["drop_before", "drop_midway", "drop_after"])
def test_it_goes_on_after_a_cut_line(tiktok, video, edited, work, kind, part):
    tiktok.sandbox.fault(kind, "chunk", part=part)
    work()
    assert reload(video).status == VideoStatus.POSTED
    assert [(entry["sha256"], entry["posted"]) for entry in entries(tiktok)] == [(edited.sha256, True)]


def test_it_waits_by_itself_for_room_on_its_disk_and_spends_no_init(
    tiktok, video, big_bytes, on_host, bucket, settings
):
    bucket.files[video.edited.storage_key] = big_bytes
    settings.WORK_DIR_MAX_BYTES = 1
    assert (run_job(video).status, reload(video).reason_code) == (VideoStatus.RETRYING, "disk_quota")
    assert entries(tiktok) == []

    settings.WORK_DIR_MAX_BYTES = 0
    with time_machine.travel(reload(video).resume_at + timedelta(seconds=1)):
        assert run_job(video).status == VideoStatus.VERIFYING


def test_it_shows_a_disk_that_stays_full_to_a_person(tiktok, video, big_bytes, on_host, bucket, settings):
    bucket.files[video.edited.storage_key] = big_bytes
    settings.WORK_DIR_MAX_BYTES = 1
    for _attempt in range(4):
        Job.objects.update(run_at=timezone.now())
        run_job(video)
    assert (reload(video).status, reload(video).reason_code) == (VideoStatus.FAILED_UPLOAD, "disk_quota")


#: (parts, the part at which the line is cut)
CUTS = [(1, 0), (2, 0), (2, 1), (7, 0), (7, 3), (7, 6)]


@pytest.mark.parametrize("convention", ["count", "last_index"])
@pytest.mark.parametrize("kind", ["drop_before", "drop_midway", "drop_after"])
@pytest.mark.parametrize(("parts", "cut"), CUTS)
def test_it_sends_the_same_bytes_however_the_worker_and_the_line_break(
    tiktok, connect, big_bytes, work, parts, cut, kind, convention
):  # fmt: skip
    """The line is cut in a part, the worker dies before it can retry, and its last note of the offset is lost."""
    tiktok.sandbox.configure(progress=convention)
    data = (big_bytes * 2)[: 4_000_000 if parts == 1 else parts * 5_500_000 + 17]
    edited = AssetFactory(
        kind=AssetKind.EDITED, storage_key=default_storage.save("edited/cut.mp4", BytesIO(data)),
        sha256=hashlib.sha256(data).hexdigest(), size=len(data),
    )  # fmt: skip
    video = VideoFactory(account=connect(), edited=edited, status=VideoStatus.EDITED, privacy_level="SELF_ONLY")
    plan = ChunkPlan(len(data), len(data) // parts, parts)
    job = job_create(video=video, kind=JobKind.UPLOAD)
    tiktok.sandbox.fault(kind, "chunk", part=cut)
    claim = job_claim(job.pk, owner="dead")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upload, "chunk_plan", lambda *_args, **_sizes: plan)
        patch.setattr(transfer, "_sleep", lambda line, _seconds: line.claim.lost.set())
        with suppress(LeaseLost):
            upload_run(claim)
    session = UploadSession.objects.get(video=video)
    UploadSession.objects.filter(pk=session.pk).update(uploaded_bytes=max(0, session.uploaded_bytes - plan.chunk_size))
    Job.objects.filter(pk=job.pk).update(status=JobStatus.QUEUED, lease_until=None)

    work()

    assert reload(video).status == VideoStatus.POSTED
    assert [(entry["sha256"], entry["posted"]) for entry in entries(tiktok)] == [(edited.sha256, True)]
    assert entries(tiktok)[0]["bytes_received"] <= len(data) + 2 * plan.chunk_size + parts


@pytest.mark.parametrize("convention", ["count", "last_index"])
def test_it_resumes_a_session_from_tiktoks_own_offset(tiktok, video, edited, work, convention):
    tiktok.sandbox.configure(progress=convention)
    tiktok.sandbox.fault("refuse", "chunk", part=2, times=6, http_status=503)
    claim = job_claim(Job.objects.get(video=video).pk, owner="first")
    upload_run(claim)
    assert UploadSession.objects.get(video=video).uploaded_bytes == SIZE // 3 * 2
    UploadSession.objects.filter(video=video).update(uploaded_bytes=0)  # the commit of the offset was lost
    Job.objects.filter(video=video).update(status=JobStatus.QUEUED, lease_until=None)
    work()
    assert [(entry["sha256"], entry["posted"]) for entry in entries(tiktok)] == [(edited.sha256, True)]


def test_it_starts_over_when_the_address_expires(tiktok, video, edited, work):
    tiktok.sandbox.fault("expire_url", "chunk", part=1)
    work()
    assert reload(video).status == VideoStatus.POSTED
    states = list(UploadSession.objects.filter(video=video).order_by("pk").values_list("state", flat=True))
    assert states == [UploadState.DEAD, UploadState.COMPLETE]
    assert [entry["posted"] for entry in entries(tiktok)].count(True) == 1


def test_it_asks_instead_of_sending_again_after_the_last_part(tiktok, video, work):
    tiktok.sandbox.fault("drop_after", "chunk", part=2)
    tiktok.sandbox.fault("refuse", "status", times=7, http_status=503)
    run_job(video)
    for _round in range(12):
        Job.objects.filter(video=video).update(run_at=timezone.now())
        work()
    assert reload(video).status == VideoStatus.POSTED
    assert len(entries(tiktok)) == 1


@pytest.mark.parametrize("status", [403, 404])
def test_it_starts_nothing_new_while_a_whole_file_is_processed(tiktok, video, work, status):
    """The last part arrived, its answer and the question after it got lost, and its address is dead by then."""
    tiktok.sandbox.configure(processing_seconds=2)
    tiktok.sandbox.fault("drop_after", "chunk", part=2)
    tiktok.sandbox.fault("refuse", "status", http_status=503)
    tiktok.sandbox.fault("refuse", "chunk", part=2, http_status=status)
    work(rounds=3)
    time.sleep(2)
    work(rounds=3)
    assert [entry["posted"] for entry in entries(tiktok)] == [True]
    assert reload(video).status == VideoStatus.POSTED


@pytest.mark.parametrize("status", [VideoStatus.EDITED, VideoStatus.RETRYING, VideoStatus.DEFERRED, VideoStatus.HELD])
def test_it_asks_about_a_sent_file_wherever_its_video_has_waited(tiktok, video, work, status):
    upload_run(job_claim(Job.objects.get(video=video).pk, owner="first"))
    UploadSession.objects.filter(video=video).update(state=UploadState.UPLOADING)  # the last answer was lost
    Video.objects.filter(pk=video.pk).update(status=status)
    Job.objects.filter(video=video).update(status=JobStatus.QUEUED, lease_until=None)
    work()
    assert reload(video).status == VideoStatus.POSTED
    assert len(entries(tiktok)) == 1


@pytest.mark.parametrize("status", [VideoStatus.EDITED, VideoStatus.RETRYING, VideoStatus.DEFERRED, VideoStatus.HELD])
def test_it_asks_a_person_when_three_workers_died_on_a_sent_file(video, edited, status):
    job = Job.objects.get(video=video)
    UploadSessionFactory(
        video=video, account=video.account, asset=edited, state=UploadState.UPLOADING, sent_at=timezone.now()
    )
    Video.objects.filter(pk=video.pk).update(status=status)
    Job.objects.filter(pk=job.pk).update(crash_count=2, status=JobStatus.RUNNING)
    job_take_over(Job.objects.select_related("video").get(pk=job.pk))
    assert reload(video).status == VideoStatus.UNCONFIRMED


def test_it_keeps_a_video_unconfirmed_when_tiktok_never_answers(tiktok, video, work):
    with time_machine.travel(timezone.now(), tick=True) as clock:
        tiktok.sandbox.fault("post_stuck", "post", times=None)
        run_job(video)
        clock.shift(timedelta(hours=23))
        assert run_job(video).status == VideoStatus.VERIFYING
        clock.shift(timedelta(hours=2))
        assert run_job(video).status == VideoStatus.UNCONFIRMED
    with pytest.raises(NotPossible):
        video_retry(video=video, actor=None)
    assert UploadSession.objects.get(video=video).state == UploadState.UNKNOWN


@pytest.mark.parametrize(("posted", "status"), [(True, VideoStatus.POSTED), (False, VideoStatus.EDITED)])
def test_it_lets_a_person_settle_an_unconfirmed_video(video, edited, posted, status):
    Job.objects.filter(video=video).update(status=JobStatus.FAILED, finished_at=timezone.now())
    Video.objects.filter(pk=video.pk).update(status=VideoStatus.UNCONFIRMED)
    session = UploadSession.objects.create(
        video=video, account=video.account, asset=edited, state=UploadState.UNKNOWN, publish_id="v_pub_file~1",
        upload_url="https://x.tiktokapis.com/1", video_size=SIZE, chunk_size=SIZE, total_chunk_count=1,
        source_sha256=edited.sha256, init_at=timezone.now(), sent_at=timezone.now(),
    )  # fmt: skip
    video_resolve(video=reload(video), posted=posted, post_url="https://www.tiktok.com/@a/video/1")
    session.refresh_from_db()
    assert reload(video).status == status
    assert session.state == (UploadState.COMPLETE if posted else UploadState.DEAD)
    assert session.upload_url == ""


def test_it_puts_a_capped_account_off_to_the_next_morning(tiktok, video):
    tiktok.sandbox.fault("cap_reached", username=video.account.username)
    capped = run_job(video)
    assert (capped.status, capped.reason_code) == (VideoStatus.DEFERRED, "spam_risk_too_many_posts")
    local = capped.resume_at.astimezone(video.account.zone)
    assert (local.hour, local.minute) == (9, 0)
    assert local.date() == timezone.now().astimezone(video.account.zone).date() + timedelta(days=1)
    assert Job.objects.get(video=video).attempt == 1


def test_it_waits_without_using_an_attempt_when_tiktok_asks_to_slow_down(tiktok, video):
    tiktok.sandbox.fault("refuse", "init", http_status=429, code="rate_limit_exceeded", retry_after=90)
    slowed = run_job(video)
    assert slowed.status == VideoStatus.RETRYING
    assert Job.objects.get(video=video).attempt == 1
    assert slowed.resume_at > timezone.now() + timedelta(seconds=85)


def test_it_tries_an_ill_tiktok_four_times_and_then_says_so(tiktok, video, work):
    tiktok.sandbox.fault("refuse", "init", times=None, http_status=500)
    for _attempt in range(2):
        assert run_job(video).status == VideoStatus.RETRYING
        Job.objects.filter(video=video).update(run_at=timezone.now())
    assert run_job(video).status == VideoStatus.HELD  # three failures within the hour pause the account
    circuit_probe_now(account=video.account, reason="", actor=None)
    reconcile_tick()
    assert run_job(video).status == VideoStatus.FAILED_UPLOAD


def test_it_refreshes_a_token_that_expired_and_keeps_the_new_refresh_token(tiktok, video, work):
    old = OAuthToken.objects.get(account=video.account)
    tiktok.sandbox.fault("expire_token", username=video.account.username)
    work()
    new = OAuthToken.objects.get(account=video.account)
    assert reload(video).status == VideoStatus.POSTED
    assert new.refresh_token != old.refresh_token


def test_it_shows_a_revoked_account_and_resumes_when_it_is_connected_again(
    tiktok, video, work, django_capture_on_commit_callbacks
):
    account_lost(account=video.account, reason="auth_removed")
    lost = run_job(video)
    assert (lost.status, lost.reason_code) == (VideoStatus.FAILED_UPLOAD, "account_disconnected")
    with django_capture_on_commit_callbacks(execute=True):
        answer = tiktok.sandbox.mint_tokens(video.account.username)
        account, new = account_import(answer=answer, username=video.account.username, sector_name="Gastronomía")
    assert (new, account.status) == (False, AccountStatus.CONNECTED)
    work()
    assert reload(video).status == VideoStatus.POSTED


def test_it_checks_the_privacy_that_the_creator_offers_before_any_byte(tiktok, video):
    tiktok.sandbox.add_account(video.account.username, privacy_level_options=["PUBLIC_TO_EVERYONE"])
    refused = run_job(video)
    assert (refused.status, refused.reason_code) == (VideoStatus.FAILED_UPLOAD, "privacy_level_option_mismatch")
    assert not entries(tiktok)


def test_it_checks_the_length_that_the_creator_may_post(tiktok, video):
    tiktok.sandbox.add_account(video.account.username, max_video_post_duration_sec=5)
    refused = run_job(video)
    assert refused.reason_code == "duration_over_account_limit"
    assert refused.reason_detail["max_ms"] == 5000
    assert not entries(tiktok)


def test_it_cancels_before_the_last_part_and_refuses_after(tiktok, video, edited):
    claim = job_claim(Job.objects.get(video=video).pk, owner="w")
    video_cancel(video=reload(video), actor=None)
    job_of = Job.objects.get(video=video)
    assert job_of.status == JobStatus.CANCELLED
    with pytest.raises((LeaseLost, StateConflict)):
        upload_run(claim)
    assert not any(entry["posted"] for entry in entries(tiktok))


def test_it_will_not_cancel_what_is_wholly_at_tiktok(tiktok, video):
    tiktok.sandbox.configure(processing_seconds=3600)
    assert run_job(video).status == VideoStatus.VERIFYING
    with pytest.raises(NotPossible):
        video_cancel(video=reload(video), actor=None)


def test_it_starts_at_most_six_uploads_a_minute_of_an_account(tiktok, connect, edited, work):
    account = connect()
    for _video in range(8):
        one = VideoFactory(account=account, edited=edited, status=VideoStatus.EDITED, privacy_level="SELF_ONLY")
        job_create(video=one, kind=JobKind.UPLOAD)
    for job in Job.objects.order_by("pk"):
        job_run(job.pk)
    assert len(entries(tiktok)) == 6
    waiting = Video.objects.filter(status=VideoStatus.RETRYING, reason_code="rate_limit_own")
    assert waiting.count() == 2
    assert Video.objects.filter(status=VideoStatus.FAILED_UPLOAD).count() == 0


@pytest.mark.django_db(transaction=True)
def test_it_answers_the_forms_question_for_each_account(tiktok, connect):
    good, banned = connect("buena"), connect("mala")
    tiktok.sandbox.fault("revoke_account", username="mala")
    infos = creator_infos(accounts=[good, banned])
    assert infos[good.pk].privacy_level_options
    assert infos[banned.pk].code == "account_disconnected"
