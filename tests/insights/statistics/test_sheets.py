"""Strata as CSV: what is wrong, and in which line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insights.exports import strata_sheet
from insights.statistics.sheets import SheetInvalid, strata_read
from insights.statistics.tables import Arm, Stratum

HEAD = "stratum,arm,successes,failures\n"


@pytest.mark.parametrize(
    ("text", "line", "code"),
    [
        ("", 1, "columns"),
        ("a,b\n", 1, "columns"),
        ("stratum;arm;successes;failures\n", 1, "columns"),
        (HEAD, 0, "empty"),
        (HEAD + "\n \n", 0, "empty"),
        (HEAD + "A,auto,1,2\nA,men,1,2\n", 3, "arm"),
        (HEAD + "A,AUTO,1,2\n", 2, "arm"),
        (HEAD + "A,auto,1\n", 2, "cells"),
        (HEAD + "A,auto,1,2,3\n", 2, "cells"),
        (HEAD + ",auto,1,2\n", 2, "no_stratum"),
        (HEAD + "A,auto,-1,2\n", 2, "number"),
        (HEAD + "A,auto,1.5,2\n", 2, "number"),
        (HEAD + "A,auto,,2\n", 2, "number"),
        (HEAD + f"A,auto,{'9' * 5000},2\n", 2, "number"),
        (HEAD + "A,auto,١,2\n", 2, "number"),
        (HEAD + "A,auto,1,2\nB,none,1,2\n\nA,auto,3,4\n", 5, "twice"),
        (HEAD + 'A,auto,"1,2\n', 2, "not_csv"),
    ],
)
def test_it_says_which_line_is_wrong_and_how(text: str, line: int, code: str) -> None:
    with pytest.raises(SheetInvalid) as caught:
        strata_read(text.encode())
    assert (caught.value.line, caught.value.code) == (line, code)


def test_it_refuses_what_is_no_text_or_too_much() -> None:
    with pytest.raises(SheetInvalid) as caught:
        strata_read(HEAD.encode() + b"caf\xe9,auto,1,2\n")
    assert (caught.value.line, caught.value.code) == (2, "not_utf8")
    with pytest.raises(SheetInvalid, match="too_big"):
        strata_read(b"x" * 5_000_001)


def test_it_takes_a_mark_at_the_front_other_orders_and_a_missing_arm() -> None:
    text = "\ufeffarm,stratum,failures,successes\r\nauto,A,1,2\r\n"
    assert strata_read(text.encode()) == [Stratum("A", Arm(2, 3), Arm(0, 0))]


names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).map(str.strip).filter(bool)
counts = st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)).map(lambda pair: Arm(pair[0], sum(pair)))


@given(st.dictionaries(names.filter(lambda name: not name.startswith("'")), st.tuples(counts, counts), min_size=1))
def test_it_reads_what_it_wrote(rows: dict[str, tuple[Arm, Arm]]) -> None:
    strata = [Stratum(name, *arms) for name, arms in rows.items()]
    assert strata_read(strata_sheet(strata).encode()) == strata


@pytest.mark.parametrize("name", ["@panaderia", "=1+1", "-x", "+x"])
def test_it_writes_no_formula(name: str) -> None:
    assert strata_sheet([Stratum(name, Arm(0, 0), Arm(0, 0))]).splitlines()[1].startswith("'")
