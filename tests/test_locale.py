"""Spanish is complete, compiled, and keeps every placeholder."""

from __future__ import annotations

import re
from pathlib import Path

import polib
import pytest

FOLDER = Path(__file__).parents[1] / "locale/es/LC_MESSAGES"
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}")
SPANISH = polib.pofile(str(FOLDER / "django.po"))


def pairs(entry):
    if entry.msgid_plural:
        return [(entry.msgid_plural, entry.msgstr_plural[1]), (entry.msgid_plural, entry.msgstr_plural[0])]
    return [(entry.msgid, entry.msgstr)]


def test_it_leaves_nothing_untranslated_or_doubtful():
    assert [entry.msgid for entry in SPANISH if not entry.translated() or "fuzzy" in entry.flags] == []


def test_it_keeps_the_placeholders():
    wrong = [
        source
        for entry in SPANISH
        for source, text in pairs(entry)
        if not set(PLACEHOLDER.findall(text)) <= set(PLACEHOLDER.findall(source))
        or (not entry.msgid_plural and set(PLACEHOLDER.findall(text)) != set(PLACEHOLDER.findall(source)))
    ]
    assert wrong == []


def test_it_is_compiled_from_what_is_written():
    compiled = {entry.msgid: entry.msgstr or entry.msgstr_plural for entry in polib.mofile(str(FOLDER / "django.mo"))}
    written = {entry.msgid: entry.msgstr or entry.msgstr_plural for entry in SPANISH}
    assert compiled == written


@pytest.mark.parametrize("formal", [r"\busted\b", r"\bhaga\b", r"\bpuede usted\b", r"\bseleccione\b", r"\btú\b"])
def test_it_speaks_to_the_reader_as_one_does_in_buenos_aires(formal):
    assert [entry.msgid for entry in SPANISH for _source, text in pairs(entry) if re.search(formal, text, re.I)] == []
