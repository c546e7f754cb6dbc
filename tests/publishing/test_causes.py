"""The catalogue: every cause that can reach a person has an entry that reads well."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from publishing.causes import CATALOGUE, Action, advice, cause_for, sentence
from subiteya.tiktok import KNOWN_CODES, KNOWN_FAIL_REASONS

ROOT = Path(__file__).parents[2]
RAISED = re.compile(
    r"(?:StepFailed|IngestRefused|TrackRefused|NotPossible|SessionOver|MediaRefused|TranscriptionUnavailable"
    r"|Problem|_over|UnknownRefusal|TikTokUnavailable|BadAnswer|UploadRejected|HostNotAllowed)"
    r"\((?:line, )?\"(\w+)\""
)
CODE_FIELD = re.compile(r"\bcode=\"(\w+)\"|FieldError\(\"\w+\", \"(\w+)\"")
#: Codes that never leave the module that raises them.
INTERNAL = {"due", "range_mismatch", "file_short", "upload_gone"}


def codes_in_the_code() -> set[str]:
    found: set[str] = set()
    for folder in ("publishing/services", "publishing/editing", "subiteya/tiktok"):
        for path in (ROOT / folder).glob("*.py"):
            text = path.read_text(encoding="utf-8")
            found |= set(RAISED.findall(text))
            found |= {code for pair in CODE_FIELD.findall(text) for code in pair if code}
    return found - INTERNAL


def test_it_has_an_entry_for_every_code_that_the_code_raises():
    assert codes_in_the_code()
    assert codes_in_the_code() - set(CATALOGUE) == set()


@pytest.mark.parametrize("code", sorted(KNOWN_CODES | KNOWN_FAIL_REASONS))
def test_it_has_an_entry_for_every_code_of_tiktok(code):
    assert code in CATALOGUE


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_it_reads_as_a_sentence_with_and_without_values(code):
    for text in (sentence(code), sentence(code, {"duration_ms": 680_000, "max_ms": 600_000, "account": "@a"})):
        assert text.endswith(".")
        assert "{" not in text
    assert advice(code).endswith(".")


def test_it_offers_a_retry_only_where_one_helps():
    for cause in CATALOGUE.values():
        if cause.action in {Action.RETRY, Action.RECONNECT, Action.PUBLISH_NOW}:
            assert cause.retry, cause.code


def test_it_quotes_the_measured_values():
    assert sentence("too_long", {"duration_ms": 680_000, "max_ms": 600_000}).count("1") >= 2
    assert "11:20" in sentence("too_long", {"duration_ms": 680_000, "max_ms": 600_000})


def test_it_shows_a_code_that_it_does_not_know():
    assert "brand_new" in sentence("brand_new")
    assert cause_for("brand_new").retry
