"""The sum beside the sending: of what the file is at the end, whatever happened to it meanwhile."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

import pytest
import xxhash

from publishing.services.checksums import BLOCK
from publishing.services.hashing import HashBeside

DATA = hashlib.sha256(b"beside").digest() * (2 * BLOCK // 32) + b"tail"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "v.mp4"
    path.write_bytes(DATA)
    return path


@pytest.fixture(params=[hashlib.sha256, xxhash.xxh3_128], ids=["sha256", "xxh3"])
def begin(request):
    return request.param


def nothing() -> None:
    """Whoever waits has not lost the job."""


def threads() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "hash"]


@pytest.mark.parametrize("steps", [[], [0], [1], [BLOCK, BLOCK + 1], [len(DATA)], [len(DATA) * 2]])
def test_it_is_the_hash_of_the_whole_file_however_far_it_was_let(file, begin, steps):
    with HashBeside(file, begin) as hashed:
        for offset in steps:
            hashed.up_to(offset)
        assert hashed.digest(nothing) == begin(DATA).hexdigest()


@pytest.mark.parametrize("at", [0, BLOCK, len(DATA) - 1])
def test_it_sees_a_change_behind_its_back(file, begin, at):
    with HashBeside(file, begin) as hashed:
        assert hashed.digest(nothing) == begin(DATA).hexdigest()
        with file.open("r+b") as changed:
            changed.seek(at)
            changed.write(b"!")
        # As a change a moment later would leave it: the clock of a file system ticks some 250 times a second.
        os.utime(file, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns + 1))
        assert hashed.digest(nothing) == begin(file.read_bytes()).hexdigest() != begin(DATA).hexdigest()


def test_it_sees_another_file_under_the_name(file, begin, tmp_path):
    with HashBeside(file, begin) as hashed:
        hashed.digest(nothing)
        other = tmp_path / "other"
        other.write_bytes(DATA[::-1])
        other.replace(file)
        assert hashed.digest(nothing) == begin(DATA[::-1]).hexdigest()


def test_it_holds_nothing_against_a_file_that_was_only_touched(file, begin):
    with HashBeside(file, begin) as hashed:
        hashed.digest(nothing)
        file.touch()
        file.chmod(0o600)
        assert hashed.digest(nothing) == begin(DATA).hexdigest()


def test_it_tells_of_a_file_that_is_gone(file, begin):
    with HashBeside(file, begin) as hashed:
        file.unlink()
        with pytest.raises(FileNotFoundError):
            hashed.digest(nothing)


def test_it_stops_with_whoever_wanted_it(file, begin):
    class Lost(Exception):
        pass

    before = len(threads())
    with pytest.raises(Lost), HashBeside(file, begin) as hashed:
        hashed.up_to(1)
        assert len(threads()) == before + 1
        raise Lost
    assert len(threads()) == before
