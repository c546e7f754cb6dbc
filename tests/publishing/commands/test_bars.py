"""Bars on a terminal, lines elsewhere."""

from __future__ import annotations

import io

import pytest

from publishing.cli.bars import METERED, Bars, Meter, Row


class Terminal(io.StringIO):
    """Takes part as a screen."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


class Plain(io.StringIO):
    encoding = "utf-8"


@pytest.fixture(autouse=True)
def screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")


def rows(percent: int) -> list[Row]:
    return [Row(name="@a", label="Editing", percent=percent), Row(name="@longer", label="Queued")]


def test_it_redraws_in_place_on_a_terminal():
    out = Terminal()
    bars = Bars(out)

    bars.show(rows(0))
    first = out.getvalue()
    bars.show(rows(50))

    assert "\x1b[2F" not in first
    assert out.getvalue().removeprefix(first).startswith("\x1b[2F\x1b[2K")
    assert "█" * 12 + "░" * 12 + "  50 %" in out.getvalue()


def test_it_lines_the_bars_up_and_keeps_to_the_screen(monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    out = Terminal()

    Bars(out).show([*rows(50), Row(name="@b", label="Published", text="https://" + "x" * 90, good=True)])

    drawn = [line.replace("\x1b[2K", "") for line in out.getvalue().splitlines()]
    assert max(map(len, drawn)) < 30
    assert {line.index(label) for line, label in zip(drawn, ("Editing", "Queued", "Published"), strict=True)} == {11}


def test_it_starts_below_after_the_end():
    out = Terminal()
    bars = Bars(out)
    bars.show(rows(0))
    bars.end()
    before = out.getvalue()

    bars.show(rows(0))

    assert "\x1b[2F" not in out.getvalue().removeprefix(before)


def test_it_marks_how_a_thing_ended():
    out = Terminal()

    Bars(out).show([Row(name="@a", label="Published", good=True), Row(name="@b", label="Rejected", good=False)])

    assert "✓ @a" in out.getvalue() and "✗ @b" in out.getvalue()


def test_it_says_only_what_changed_enough_elsewhere():
    out = Plain()
    bars = Bars(out)

    for percent in range(0, 101, 5):
        bars.show([Row(name="@a", label="Editing", percent=percent)])
    bars.show([Row(name="@a", label="Published", percent=100, text="https://link", good=True)])

    lines = out.getvalue().splitlines()
    assert [line.split(" ", 1)[1] for line in lines] == [
        "@a: Editing 0 %", "@a: Editing 25 %", "@a: Editing 50 %", "@a: Editing 75 %", "@a: Editing 100 %",
        "@a: Published https://link",
    ]  # fmt: skip
    assert "\x1b" not in out.getvalue()


def test_it_writes_lines_on_a_dumb_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    out = Terminal()

    Bars(out).show(rows(10))

    assert "\x1b" not in out.getvalue()


def test_it_needs_no_letters_that_the_terminal_lacks():
    out = Terminal()
    out.encoding = "ascii"

    Bars(out).show([*rows(50), Row(name="@b", label="Rejected", good=False)])

    assert out.getvalue().isascii()


def test_it_measures_what_is_read_and_passes_it_on():
    out = Plain()
    data = bytes(METERED)

    meter = Meter(io.BytesIO(data), Bars(out), name="film.mp4", label="Storing", total=len(data))

    assert b"".join(iter(lambda: meter.read(1 << 20), b"")) == data
    assert out.getvalue().splitlines()[-1].endswith("film.mp4: Storing 100 %")


def test_it_is_silent_about_small_files():
    out = Plain()

    Meter(io.BytesIO(b"abc"), Bars(out), name="film.mp4", label="Storing", total=3).read()

    assert not out.getvalue()
