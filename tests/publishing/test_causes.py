"""The catalogue: every cause that can reach a person has an entry that reads well."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from publishing.causes import CATALOGUE, Action, advice, cause_for, sentence
from subiteya.tiktok import KNOWN_CODES, KNOWN_FAIL_REASONS

ROOT = Path(__file__).parents[2]
#: What carries a code of the catalogue as its first text: the errors of the services, the editing and the client.
CARRIERS = {
    "BadAnswer", "FieldError", "FirstLookFailed", "HostNotAllowed", "IngestRefused", "LocalFailure", "MediaRefused",
    "NotPermitted", "NotPossible", "Problem", "SessionOver", "StepFailed", "TikTokFailure", "TikTokUnavailable",
    "TrackRefused", "TranscriptionUnavailable", "UnknownRefusal", "UploadExpired", "UploadGone", "UploadRejected",
    "_over", "sentence", "advice",
}  # fmt: skip
FOLDERS = ("accounts", "insights", "monitoring", "notices", "publishing", "subiteya/tiktok")
CODE = re.compile(r"[a-z]+(?:_[a-z]+)*")


def codes_in_the_code() -> dict[str, str]:
    """`{code: where}` of every code that the source names: as an argument `code=`, or in a carrier."""
    found: dict[str, str] = {}
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if not {"sandbox", "cli", "chaos", "migrations"} & set(path.parts):
                tree = ast.parse(path.read_text(encoding="utf-8"))
                found |= {code: f"{path.relative_to(ROOT)}" for code in _codes(tree)}
    return found


def _codes(tree: ast.AST) -> Iterator[str]:
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = getattr(call.func, "id", None) or getattr(call.func, "attr", "")
        texts = [word.value for word in call.keywords if word.arg == "code"]
        if name in CARRIERS:
            texts += call.args[1:2] if name == "FieldError" else call.args[:1]
        elif name == "__init__":  # an error that names its own code
            texts += call.args[:1]
        for text in texts:
            if isinstance(text, ast.Constant) and isinstance(text.value, str) and CODE.fullmatch(text.value):
                yield text.value


def test_it_has_an_entry_for_every_code_that_the_code_names():
    named = codes_in_the_code()
    assert len(named) > 60
    assert {code: where for code, where in named.items() if code not in CATALOGUE} == {}


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
