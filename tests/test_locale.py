"""Spanish is complete, compiled, and keeps every placeholder."""

from __future__ import annotations

import ast
import re
from html.parser import HTMLParser
from pathlib import Path

import polib
import pytest
from django.utils import translation
from django.utils.dates import MONTHS, MONTHS_3, WEEKDAYS, WEEKDAYS_ABBR

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "locale/es/LC_MESSAGES"
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}")
SPANISH = polib.pofile(str(FOLDER / "django.po"))
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCRIPTS = sorted((ROOT / "static/js").rglob("*.js"))
#: Everything of Django's language, with what stands between the ends of a translation or a comment.
TAGS = re.compile(
    r"{%\s*comment.*?endcomment\s*%}|{#.*?#}|{%\s*blocktranslate\b.*?{%\s*endblocktranslate\s*%}|{%.*?%}|{{.*?}}", re.S
)
WORD = re.compile(r"[^\W\d_]{2,}")
READ_ALOUD = {"aria-label", "aria-description", "title", "placeholder", "alt", "label"}
#: What is called the same in every language: names, what TikTok's consent must say, classes of Django's own pages.
NAMES = re.compile(
    r"SubiteYa|TikTok|Español|English|SHA-256|log_id|https?://\S+|Branded Content Policy|Music Usage Confirmation"
    r"|Authorization: Bearer|confirm-action|colM|Ctrl\+Z|\bEsc\b"
)
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`')
#: Two words after a capital, or four in a row: no selector and no key looks like that.
SENTENCE = re.compile(r"\b[A-Z][a-z]+ [a-z]+ |\b[a-z]{2,} [a-z]{2,} [a-z]{2,} [a-z]{2,}")


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


#: Forms of tú and usted that cannot be read as anything else, and words of other shores.
FOREIGN = (
    r"\busted(es)?\b", r"\bvosotros\b", r"\btú\b", r"\btienes\b", r"\bpuedes\b", r"\bquieres\b", r"\beres\b",
    r"\bdebes\b", r"\bhaz(lo|la|los|las)?\b", r"\bpon(lo|la|los|las)\b", r"\bdi(me|nos|lo)\b", r"\bhaga\b",
    r"\bhaz clic\b", r"\bseleccione\b", r"\bingrese\b", r"\belija\b", r"\bintroduzca\b", r"\bpulse\b",
    r"\bpulsa\b", r"\bpresione\b", r"\bvídeos?\b", r"\bmóvil\b", r"\bordenador\b", r"\baquí\b",
    r"\bpor favor\b", r"\bclicar\b",
)  # fmt: skip


@pytest.mark.parametrize("foreign", FOREIGN)
def test_it_speaks_to_the_reader_as_one_does_in_buenos_aires(foreign):
    assert [entry.msgid for entry in SPANISH for _source, text in pairs(entry) if re.search(foreign, text, re.I)] == []


#: Words that Spanish has from English, names, and what is nothing but its values.
SAME = {
    "Alertmanager", "Breslow–Day", "Community manager", "Hashtag", "Hashtags", "hashtag",
    "Logo", "Monitor", "Original", "SubiteYa", "Video", "Videos", "community manager", "id", "log_id",
    "logo", "open_id", "publish_id", "render", "renders", "sha256", "Stitches", "no", "stitches", "traceparent",
    "video", "videos",
    "webhook", "webhooks", "Woolf", "error: %(sentence)s", "mail", "%(n)d videos", "%(n)s videos",
}  # fmt: skip


def test_it_says_nothing_in_english_that_spanish_has_a_word_for():
    letters = re.compile(r"[^\W\d_]{2,}")
    same = {source for entry in SPANISH for source, text in pairs(entry) if source == text}
    assert {source for source in same - SAME if letters.search(PLACEHOLDER.sub("", source))} == set()


def test_it_leaves_the_names_of_months_and_days_to_django():
    """A text of ours that is one of Django's words takes its place: "may", what a key may do, was the month."""
    own = {entry.msgid for entry in SPANISH if not entry.msgctxt}
    words = {*MONTHS.values(), *MONTHS_3.values(), *WEEKDAYS.values(), *WEEKDAYS_ABBR.values()}
    with translation.override("en"):
        assert own & {str(word) for word in words} == set()


def test_it_has_every_text_of_the_templates():
    known = {entry.msgid.replace("%%", "%") for entry in SPANISH}
    quoted = re.compile(r"""\{%-?\s*(?:translate|trans)\s+(?:"([^"]+)"|'([^']+)')""")
    missing = {
        f"{path.name}: {double or single}"
        for path in TEMPLATES
        for double, single in quoted.findall(path.read_text())
        if (double or single) not in known
    }
    assert missing == set()


def test_it_uses_no_text_both_alone_and_as_one_of_a_plural():
    """gettext keeps one entry of the two, and then the text alone stays English."""
    plural = {entry.msgid for entry in SPANISH if entry.msgid_plural}
    alone = {
        node.args[0].value
        for app in ("accounts", "audit", "insights", "monitoring", "notices", "publishing", "subiteya")
        for path in (ROOT / app).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"_", "gettext", "gettext_lazy"}
        if node.args and isinstance(node.args[0], ast.Constant)
    }
    quoted = re.compile(r"""\{%-?\s*translate\s+(?:"([^"]+)"|'([^']+)')""")
    alone |= {one or two for path in TEMPLATES for one, two in quoted.findall(path.read_text())}
    assert alone & plural == set()


class Bare(HTMLParser):
    """Texts of a template that no translation touches."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.found += [value for name, value in attrs if name in READ_ALOUD and value and WORD.search(value)]

    def handle_data(self, data):
        if WORD.search(data):
            self.found.append(data.strip())


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_it_leaves_no_text_of_a_template_outside_translations(path):
    bare = Bare()
    bare.feed(TAGS.sub(" ", path.read_text()))
    assert [text for text in bare.found if WORD.search(NAMES.sub("", text))] == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_it_leaves_no_sentence_in_a_script(path):
    code = re.sub(r"/\*.*?\*/|(?<!:)//[^\n]*", "", path.read_text(), flags=re.S)
    literals = [re.sub(r"\$\{[^}]*\}", "", text) for texts in LITERAL.findall(code) for text in texts]
    assert [text for text in literals if SENTENCE.search(text)] == []
