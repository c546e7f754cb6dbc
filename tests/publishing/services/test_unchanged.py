"""The last look at a file before its last part: all of it is what it was, by XXH3 or, for older rows, by SHA-256."""

from __future__ import annotations

import hashlib
from io import BytesIO
from pathlib import Path

import pytest
import xxhash
from django.core.files.storage import default_storage
from django.utils import timezone

from publishing.models import Asset, AssetKind, Job, UploadSession
from publishing.services import transfer
from publishing.services.hashing import HashBeside
from publishing.services.jobs import job_claim, job_create
from publishing.services.upload import upload_run
from publishing.states import JobKind, JobStatus, VideoStatus
from tests.factories import AssetFactory, VideoFactory
from tests.publishing.conftest import reload

pytestmark = pytest.mark.django_db

SIZE = 26_000_123  # three parts with the settings below
DATA = (b"\x00\x00\x00\x20ftypisom" + hashlib.sha256(b"kept").digest() * (SIZE // 32 + 1))[:SIZE]


@pytest.fixture(autouse=True)
def three_parts(settings):
    settings.UPLOAD_SINGLE_PART_MAX = 5_000_000
    settings.UPLOAD_PART_TARGET = 10_000_000
    settings.UPLOAD_PART_PAUSES = (0.01, 0.01, 0.01)


@pytest.fixture
def edited(db):
    key = default_storage.save("edited/kept.mp4", BytesIO(DATA))
    sums = {"sha256": hashlib.sha256(DATA).hexdigest(), "xxh3": xxhash.xxh3_128(DATA).hexdigest()}
    return AssetFactory(kind=AssetKind.EDITED, storage_key=key, size=SIZE, **sums)


@pytest.fixture
def video(connect, edited):
    video = VideoFactory(account=connect(), edited=edited, status=VideoStatus.EDITED, privacy_level="SELF_ONLY")
    job_create(video=video, kind=JobKind.UPLOAD)
    return video


@pytest.fixture(params=["xxh3", "sha256"])
def looked(request, edited):
    """By which sum; a row from before XXH3 knows only the other."""
    if request.param == "sha256":
        Asset.objects.filter(pk=edited.pk).update(xxh3=None)
    begun = set()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transfer, "HashBeside", lambda path, begin: begun.add(begin) or HashBeside(path, begin))
        yield
    assert begun == {{"xxh3": xxhash.xxh3_128, "sha256": hashlib.sha256}[request.param]}


def spoil(edited, *, at=1000):
    with Path(default_storage.path(edited.storage_key)).open("r+b") as file:
        file.seek(at)
        file.write(b"another")


def stopped_before_the_last_part(tiktok, video):
    """A first worker sent all but that, and left the job."""
    tiktok.sandbox.fault("refuse", "chunk", part=2, times=6, http_status=503)
    upload_run(job_claim(Job.objects.get(video=video).pk, owner="first"))
    assert UploadSession.objects.get(video=video).uploaded_bytes == SIZE // 3 * 2
    Job.objects.filter(video=video).update(status=JobStatus.QUEUED, lease_until=None, run_at=timezone.now())


def posted(tiktok):
    return [entry["posted"] for entry in tiktok.sandbox.ledger()]


def refused(tiktok, video):
    """For good, and nothing of it is out."""
    found = reload(video)
    return (found.status, found.reason_code, posted(tiktok)) == (VideoStatus.FAILED_UPLOAD, "edited_changed", [False])


def test_it_sends_a_file_that_is_what_it_was(tiktok, video, work, looked):
    work()
    assert posted(tiktok) == [True]


@pytest.mark.parametrize("at", [0, SIZE - 7])
def test_it_never_sends_the_last_part_of_a_file_that_changed(tiktok, video, edited, work, looked, at):
    spoil(edited, at=at)
    work()
    assert refused(tiktok, video)


def test_it_sees_a_change_between_two_parts(tiktok, video, edited, work, looked, monkeypatch):
    """What was sent, and hashed, was good; the file is another one now."""
    noted = transfer.session_offset
    monkeypatch.setattr(transfer, "session_offset", lambda *told: (noted(*told), spoil(edited)))
    work()
    assert refused(tiktok, video)
    assert UploadSession.objects.get(video=video).uploaded_bytes == SIZE // 3 * 2


def test_it_compares_all_of_the_file_when_only_the_rest_is_sent(tiktok, video, edited, work, looked):
    stopped_before_the_last_part(tiktok, video)
    spoil(edited)  # in a part that TikTok has
    work()
    assert refused(tiktok, video)


def test_it_goes_by_the_session_when_the_row_is_of_another_content(tiktok, video, edited, work):
    stopped_before_the_last_part(tiktok, video)
    Asset.objects.filter(pk=edited.pk).update(sha256="0" * 64, xxh3="0" * 32)
    work()
    assert posted(tiktok) == [True]
