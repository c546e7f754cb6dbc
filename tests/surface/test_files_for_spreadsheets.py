"""A spreadsheet that opens one of our files runs nothing of what is in it."""

from __future__ import annotations

import ast
import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Sector, TikTokAccount
from insights.exports import leaders_sheet, strata_sheet
from insights.statistics.sheets import strata_read
from insights.statistics.tables import Arm, Stratum
from subiteya.lib.spreadsheets import FORMULA, cell, sheet
from tests.processes import ROOT

EVIL = "cmd|' /C calc'!A0"


@pytest.mark.parametrize("start", FORMULA)
def test_it_puts_an_apostrophe_before_every_start_of_a_formula(start: str) -> None:
    assert cell(start + EVIL) == f"'{start}{EVIL}"


@pytest.mark.parametrize("value", [-3, -0.5, 0, 1e9, True, None, "pan", "#pan", "a=1", ""])
def test_it_leaves_numbers_and_other_texts_as_they_are(value: object) -> None:
    assert cell(value) is value


@given(rows=st.lists(st.lists(st.text(), min_size=2, max_size=2), max_size=5))
def test_it_writes_nothing_that_begins_a_formula(rows: list[list[str]]) -> None:
    text = sheet(["a", "b"], rows)

    read = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert [[one.removeprefix("'") for one in row] for row in read[1:]] == [
        [one.removeprefix("'") for one in row] for row in rows
    ]
    assert not [one for row in read for one in row if one.startswith(FORMULA)]


@pytest.mark.django_db
@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_it_guards_each_file_of_the_product(start: str, story: object, as_ana: object) -> None:
    name = f"{start}{EVIL}"
    account = story.account  # type: ignore[attr-defined]
    Sector.objects.filter(pk=account.sector_id).update(name=name)
    TikTokAccount.objects.filter(pk=account.pk).update(username=name)
    for path in ("/reports/subtitles/strata.csv", "/reports/hashtags/leaders.csv"):
        text = as_ana.get(path).content.decode()  # type: ignore[attr-defined]
        read = list(csv.reader(io.StringIO(text, newline="")))
        cells = [one for row in read[1:] for one in row]
        assert any(EVIL in one for one in cells), path
        assert not [one for one in cells if one.startswith(FORMULA)], path


def test_it_reads_its_own_strata_again() -> None:
    strata = [Stratum("=1+1", Arm(1, 2), Arm(3, 4)), Stratum("pan", Arm(0, 1), Arm(1, 1))]

    assert strata_read(strata_sheet(strata).encode()) == strata
    assert leaders_sheet({}).startswith("sector,hashtag")


def test_it_writes_csv_in_one_place() -> None:
    writers = []
    for app in ("subiteya", "accounts", "publishing", "insights", "monitoring", "notices"):
        for path in (ROOT / app).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func) in {"csv.writer", "csv.DictWriter"}:
                    writers.append(path.name)
    assert writers == ["spreadsheets.py"]
