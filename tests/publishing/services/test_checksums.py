"""Two sums of every content, from one pass; what is stored has both, and what is older is still compared."""

from __future__ import annotations

import hashlib

import pytest
import xxhash

from publishing.models import Asset, WorkingAsset, WorkingKind
from publishing.services import working
from publishing.services.checksums import BLOCK, digest_of, quickest, sums_of
from publishing.services.working import working_file, working_find
from publishing.states import VideoStatus
from tests.publishing.conftest import reload

HASHES = {"sha256": hashlib.sha256, "xxh3": xxhash.xxh3_128}


def told(data):
    return {name: begin(data).hexdigest() for name, begin in HASHES.items()}


def stored(row):
    return {"sha256": row.sha256, "xxh3": row.xxh3}


@pytest.mark.parametrize("size", [0, 1, BLOCK, 2 * BLOCK + 5])
def test_it_knows_both_sums_of_a_file(tmp_path, size):
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * (size // 256) + b"x" * (size % 256))
    assert stored(sums_of(path)) == told(path.read_bytes())
    assert {name: digest_of(path, begin) for name, begin in HASHES.items()} == told(path.read_bytes())


@pytest.mark.parametrize("xxh3", [None, ""])
def test_it_takes_the_sha256_where_there_is_nothing_quicker(xxh3):
    assert quickest(sha256="a", xxh3=xxh3) == (hashlib.sha256, "a")
    assert quickest(sha256="a", xxh3="b") == (xxhash.xxh3_128, "b")


@pytest.mark.django_db
class TestStored:
    def test_it_keeps_both_of_what_comes_in_and_of_what_is_made_of_it(self, connect, clip, submit, work):
        video = submit(connect()).videos.get()
        work()
        edited, source = reload(video).edited, video.batch.source
        assert reload(video).status == VideoStatus.POSTED
        assert stored(source) == told(clip.read_bytes())
        assert stored(edited) == told(edited.bucket_path.read_bytes())

    def test_it_learns_the_quick_one_of_a_row_from_before(self, clip, ingest):
        old = ingest(clip)
        Asset.objects.filter(pk=old.pk).update(xxh3=None)
        assert ingest(clip).xxh3 == Asset.objects.get().xxh3 == told(clip.read_bytes())["xxh3"]


@pytest.mark.django_db
class TestKept:
    @pytest.fixture
    def path(self, on_host):
        on_host("one")
        write = lambda part: part.write_bytes(b"sound")  # noqa: E731
        return working_file(kind=WorkingKind.AUDIO, key="k", suffix=".wav", room=5, make=write)

    @pytest.fixture(params=["xxh3", "sha256"])
    def looked(self, request, path, monkeypatch):
        """By which sum; a row from before XXH3 knows only the other."""
        if request.param == "sha256":
            WorkingAsset.objects.update(xxh3=None)
        begun = []
        monkeypatch.setattr(working, "digest_of", lambda path, begin: begun.append(begin) or digest_of(path, begin))
        yield
        assert begun == [HASHES[request.param]]

    def test_it_notes_both(self, path):
        assert stored(WorkingAsset.objects.get()) == told(b"sound")

    def test_it_finds_a_file_that_is_what_it_was(self, path, looked):
        assert working_find(kind=WorkingKind.AUDIO, key="k") == path

    def test_it_drops_one_that_is_not(self, path, looked):
        path.write_bytes(b"s0und")
        assert working_find(kind=WorkingKind.AUDIO, key="k") is None
        assert not WorkingAsset.objects.exists()
