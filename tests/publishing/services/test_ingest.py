"""Taking files in: streamed, hashed, once per content, checked, and refused with a sentence."""

from __future__ import annotations

import hashlib
import io
import os
import re
import tracemalloc

import pytest
from django.core.files.storage import default_storage

from publishing.errors import IngestRefused
from publishing.models import Asset, AssetKind, AssetStatus
from publishing.services.disk import scratch
from publishing.services.ingest import PROBE_ATTEMPTS, asset_probe, asset_probe_again, brand_file_ingest, source_ingest
from tests.factories import UserFactory
from tests.publishing.editing.bombs import PICTURES, png
from tests.publishing.editing.conftest import make

pytestmark = pytest.mark.django_db


class Zeros(io.RawIOBase):
    """A body of `size` bytes that exists nowhere whole; remembers the largest read that was asked of it."""

    def __init__(self, size: int) -> None:
        self.left, self.largest = size, 0

    def read(self, size: int = -1, /) -> bytes:
        self.largest = max(self.largest, size)
        data = bytes(min(self.left, size))
        self.left -= len(data)
        return data


def stored_files(settings):
    return [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()]


def test_it_stores_a_file_with_its_hash_and_size(cm, clip, ingest):
    asset = ingest(clip)
    data = clip.read_bytes()
    assert (asset.size, asset.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    with default_storage.open(asset.storage_key) as stored:
        assert stored.read() == data


def test_it_keeps_one_copy_of_identical_content(settings, cm, clip, ingest):
    first, second = ingest(clip), ingest(clip)
    assert first.pk == second.pk
    assert len(stored_files(settings)) == 1


def test_it_lets_every_uploader_of_the_same_content_use_it(clip, ingest):
    asset = ingest(clip)
    other = UserFactory()
    with clip.open("rb") as file:
        source_ingest(stream=file, name="mine.mp4", user=other)
    assert Asset.objects.for_user(other).get() == asset


def test_it_takes_content_anew_whose_stored_file_is_gone(cm, clip, ingest):
    asset = ingest(clip)
    default_storage.delete(asset.storage_key)
    again = ingest(clip)
    assert again.pk == asset.pk
    assert default_storage.exists(again.storage_key)


def test_it_never_holds_a_large_file_in_memory(cm):
    size = 200_000_000
    body = Zeros(size)
    tracemalloc.start()
    source_ingest(stream=body, name="zeros.mp4", user=cm, declared_size=size)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert body.left == 0
    assert peak < 20_000_000


@pytest.mark.parametrize(
    ("data", "declared", "code"),
    [(b"", 0, "empty_file"), (b"half", 8, "size_mismatch"), (b"x" * 2_000_000, None, "too_large")],
)
def test_it_refuses_and_leaves_nothing_behind(settings, cm, data, declared, code):
    settings.MAX_FILE_BYTES = 1_000_000
    with pytest.raises(IngestRefused) as refused:
        source_ingest(stream=io.BytesIO(data), name="a.mp4", user=cm, declared_size=declared)
    assert refused.value.code == code
    assert str(refused.value)
    assert not stored_files(settings)
    assert not Asset.objects.exists()


def test_it_refuses_by_the_announced_size_before_reading(settings, cm):
    settings.MAX_FILE_BYTES = 1_000_000
    body = Zeros(2_000_000)
    with pytest.raises(IngestRefused):
        source_ingest(stream=body, name="a.mp4", user=cm, declared_size=2_000_000)
    assert body.left == 2_000_000


def test_it_marks_a_video_ready_with_what_was_measured(clip, ingest):
    asset = asset_probe(asset=ingest(clip))
    assert asset.status == AssetStatus.READY
    assert asset.probe["video"]["width"] == 540
    assert 900 <= asset.duration_ms <= 1100


def test_it_marks_a_text_refused_with_a_cause(cm):
    text = io.BytesIO(b"this is no video at all, only words\n" * 10)
    asset = asset_probe(asset=source_ingest(stream=text, name="video.mp4", user=cm))
    assert (asset.status, asset.refused_code) == (AssetStatus.REFUSED, "not_a_video")


def test_it_gives_up_on_a_file_that_keeps_killing_its_checker(clip, ingest):
    asset = ingest(clip)
    Asset.objects.filter(pk=asset.pk).update(probe_attempts=PROBE_ATTEMPTS)
    refused = asset_probe(asset=Asset.objects.get(pk=asset.pk))
    assert (refused.status, refused.refused_code) == (AssetStatus.REFUSED, "unreadable")


def test_it_checks_a_refused_file_again_when_asked(clip, ingest):
    asset = ingest(clip)
    Asset.objects.filter(pk=asset.pk).update(status=AssetStatus.REFUSED, refused_code="unreadable")
    again = asset_probe(asset=asset_probe_again(asset=Asset.objects.get(pk=asset.pk)))
    assert (again.status, again.refused_code) == (AssetStatus.READY, "")


def test_it_takes_a_picture_as_a_logo_and_nothing_else(cm):
    logo = brand_file_ingest(stream=io.BytesIO(png(20, 10)), name="l.png", kind=AssetKind.LOGO, user=cm)
    assert (logo.kind, logo.status) == (AssetKind.LOGO, AssetStatus.READY)
    with pytest.raises(IngestRefused):
        brand_file_ingest(stream=io.BytesIO(b"<svg/>"), name="l.png", kind=AssetKind.LOGO, user=cm)


@pytest.mark.parametrize("name", sorted(PICTURES))
def test_it_keeps_nothing_of_a_picture_bomb(settings, cm, name):
    data, code = PICTURES[name]
    with pytest.raises(IngestRefused) as refused:
        brand_file_ingest(stream=io.BytesIO(data), name="logo.png", kind=AssetKind.LOGO, user=cm)
    assert refused.value.code == code
    assert not stored_files(settings)
    assert not Asset.objects.exists()


def test_it_takes_music_for_what_it_is_not_for_what_it_is_called(settings, cm, tmp_path):
    sound = make(tmp_path / "sound.mp3", "-f", "lavfi", "-i", "sine=d=1", "-c:a", "libmp3lame").read_bytes()
    music = brand_file_ingest(stream=io.BytesIO(sound), name="tema.mp3", kind=AssetKind.MUSIC, user=cm)
    assert (music.kind, music.storage_key[-4:]) == (AssetKind.MUSIC, ".mp3")
    for data, name in ((b"ID3 la", "tema.mp3"), (sound, "tema.exe"), (b"#EXTM3U\nfile:///etc/passwd", "tema.mp3")):
        with pytest.raises(IngestRefused) as refused:
            brand_file_ingest(stream=io.BytesIO(data), name=name, kind=AssetKind.MUSIC, user=cm)
        assert refused.value.code == "wrong_kind"
    assert len(stored_files(settings)) == 1


AWKWARD = {
    "../../etc/passwd": "passwd",
    "..\\..\\windows\\video.mp4": "video.mp4",
    "/abs/olute.mp4": "olute.mp4",
    "nul\x00l.mp4": "null.mp4",
    "line\r\nbreak.mp4": "linebreak.mp4",
    "\u202e4pm.exe": "4pm.exe",
    "half\ud800.mp4": "half.mp4",
    "-i concat:x.mp4": "-i concat:x.mp4",
    "año nuevo 👩\u200d🍳.mp4": "año nuevo 👩\u200d🍳.mp4",
    "..": "..",
    "x" * 400 + ".mp4": "x" * 255,
}


@pytest.mark.parametrize("name", sorted(AWKWARD))
def test_it_keeps_names_for_people_and_makes_up_its_own_for_the_disk(settings, cm, name):
    asset = source_ingest(stream=io.BytesIO(b"some bytes"), name=name, user=cm)
    assert asset.original_name == AWKWARD[name]
    (path,) = stored_files(settings)
    assert path.parent == settings.MEDIA_ROOT / "source"
    assert re.fullmatch(r"[0-9a-f]{32}\.(mp4|bin)", path.name)


@pytest.mark.parametrize("name", ["logo.png/../../x", "l\x00.sh", "l.png\n", "l.php"])
def test_it_names_a_logo_by_its_contents(settings, cm, name):
    brand_file_ingest(stream=io.BytesIO(png(20, 10)), name=name, kind=AssetKind.LOGO, user=cm)
    (path,) = stored_files(settings)
    assert re.fullmatch(r"[0-9a-f]{32}\.png", path.name)


def test_it_keeps_files_and_folders_to_itself(settings, cm, clip, ingest):
    before = os.umask(0o022)
    try:
        asset_probe(asset=ingest(clip))
        with scratch("look") as folder:
            places = [settings.WORK_DIR, settings.WORK_DIR / "jobs", folder]
            assert {path.stat().st_mode & 0o777 for path in places} == {0o700}
    finally:
        os.umask(before)
    (path,) = stored_files(settings)
    assert path.stat().st_mode & 0o777 == 0o600
    assert {folder.stat().st_mode & 0o777 for folder in (settings.MEDIA_ROOT, path.parent)} == {0o700}
