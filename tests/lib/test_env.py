"""Readers of the environment: typed, strict, and silent about secrets."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from subiteya.lib import env

GOOD_KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    return lambda value: monkeypatch.setenv("SOME", value)


def test_it_reads_text_without_its_margins(given: Callable[[str], None]) -> None:
    given("  value \n")

    assert env.text("SOME") == "value"


def test_it_prefers_the_file_that_the_name_points_at(
    given: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given("from the environment")
    (tmp_path / "secret").write_text("from the file\n")
    monkeypatch.setenv("SOME_FILE", str(tmp_path / "secret"))

    assert env.text("SOME") == "from the file"


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_it_refuses_a_file_that_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("SOME_FILE", str(path))

    with pytest.raises(env.BadSetting, match="SOME_FILE cannot be read"):
        env.text("SOME", "default")


@pytest.mark.parametrize("value", ["", "   "])
def test_it_takes_an_empty_value_for_an_absent_one(given: Callable[[str], None], value: str) -> None:
    given(value)

    assert env.text("SOME", "default") == "default"
    assert env.number("SOME", 7) == 7
    assert env.flag("SOME", default=True) is True
    with pytest.raises(env.BadSetting, match="SOME is required"):
        env.text("SOME")


@pytest.mark.parametrize(
    ("value", "read"),
    [("1", True), ("Yes", True), ("on", True), ("TRUE", True), ("0", False), ("no", False), ("Off", False)],
)
def test_it_reads_flags(given: Callable[[str], None], value: str, read: bool) -> None:
    given(value)

    assert env.flag("SOME", default=not read) is read


@pytest.mark.parametrize(
    ("value", "reader", "words"),
    [
        ("maybe", lambda: env.flag("SOME", default=True), "true or false, not 'maybe'"),
        ("many", lambda: env.number("SOME", 1), "a whole number, not 'many'"),
        ("1.5", lambda: env.number("SOME", 1), "a whole number, not '1.5'"),
        ("0", lambda: env.number("SOME", 1, low=1, high=9), "between 1 and 9, not 0"),
        ("10", lambda: env.number("SOME", 1, low=1, high=9), "between 1 and 9, not 10"),
        ("blue", lambda: env.choice("SOME", "red", ("red", "green")), "one of red, green, not 'blue'"),
        ("Mars/Olympus", lambda: env.zone("SOME", "UTC"), "a time zone such as UTC, not 'Mars/Olympus'"),
        ("../../etc/passwd", lambda: env.zone("SOME", "UTC"), "a time zone such as UTC"),
    ],
)
def test_it_refuses_a_bad_value_in_one_sentence(
    given: Callable[[str], None], value: str, reader: Callable[[], Any], words: str
) -> None:
    given(value)

    with pytest.raises(env.BadSetting) as refusal:
        reader()

    assert str(refusal.value).startswith("SOME must be ")
    assert words in str(refusal.value)


def test_it_reads_lists(given: Callable[[str], None]) -> None:
    given(" a, b ,,c,")

    assert env.names("SOME") == ["a", "b", "c"]
    assert env.names("OTHER") == []


def test_it_reads_addresses_without_the_closing_slash(given: Callable[[str], None]) -> None:
    given("https://example.com:8443/")

    assert env.url("SOME") == "https://example.com:8443"


@pytest.mark.parametrize("value", ["hunter2", "ftp://user:hunter2@host", "https://", "http://host:hunter2"])
def test_it_refuses_an_address_without_quoting_it(given: Callable[[str], None], value: str) -> None:
    given(value)

    with pytest.raises(env.BadSetting, match="starts with http:// or https://") as refusal:
        env.url("SOME")

    assert "hunter2" not in str(refusal.value)


def test_it_reads_unix_sockets(given: Callable[[str], None]) -> None:
    given("unix:///run/redis.sock")

    assert env.url("SOME", schemes=("redis", "unix")) == "unix:///run/redis.sock"


def test_it_reads_fernet_keys(given: Callable[[str], None]) -> None:
    given(f"{GOOD_KEY}, {GOOD_KEY}")

    assert env.fernet_keys("SOME") == [GOOD_KEY, GOOD_KEY]


@pytest.mark.parametrize("value", ["hunter2", f"{GOOD_KEY},hunter2", ","])
def test_it_refuses_keys_without_quoting_them(given: Callable[[str], None], value: str) -> None:
    given(value)

    with pytest.raises(env.BadSetting, match="SOME must hold Fernet keys") as refusal:
        env.fernet_keys("SOME")

    assert "hunter2" not in str(refusal.value)
    assert GOOD_KEY not in str(refusal.value)


def test_it_reads_folders_as_absolute_paths(given: Callable[[str], None], tmp_path: Path) -> None:
    given("~/x/../y")

    assert env.folder("SOME", tmp_path) == Path.home() / "y"
    assert env.folder("OTHER", tmp_path) == tmp_path.resolve()


@pytest.mark.parametrize("value", ["0", "-0.1", "1.01", "nan", "inf", "half", "0,5"])
def test_it_refuses_a_share_outside_of_its_bounds(given: Callable[[str], None], value: str) -> None:
    given(value)

    with pytest.raises(env.BadSetting, match="SOME must be"):
        env.share("SOME", 1.0)


@pytest.mark.parametrize(("value", "read"), [("", 1.0), ("0.05", 0.05), ("1", 1.0)])
def test_it_reads_a_share(given: Callable[[str], None], value: str, read: float) -> None:
    given(value)

    assert env.share("SOME", 1.0) == read
