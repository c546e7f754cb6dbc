"""docs/runbooks/ as the app shows them: the few signs of Markdown that those pages use, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from monitoring.alerts.rules import BY_NAME

FOLDER = settings.BASE_DIR / "docs" / "runbooks"
_INLINE = re.compile(r"`(?P<code>[^`]+)`|\*(?P<button>[^*]+)\*|\[(?P<text>[^\]]+)\]\((?P<address>/[^)\s]*)\)")


@dataclass(frozen=True)
class Block:
    """A paragraph, the items of a list, or commands, one text each."""

    kind: str
    parts: list[SafeString]


@dataclass(frozen=True)
class Section:
    """What stands below one heading."""

    heading: str
    blocks: list[Block]


def runbook(name: str) -> list[Section]:
    """The page of the alert `name`. KeyError when there is none."""
    text = (FOLDER / f"{BY_NAME[name].name}.md").read_text(encoding="utf-8")
    return [_section(part) for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]]


def _section(part: str) -> Section:
    heading, _newline, rest = part.partition("\n")
    return Section(heading.strip(), list(_blocks(rest)))


def _blocks(text: str) -> Iterator[Block]:
    """Commands stand between fences; the rest is divided by empty lines."""
    for number, part in enumerate(re.split(r"^```\w*\n", text, flags=re.MULTILINE)):
        if number % 2:
            yield Block("code", [SafeString(escape(part.rstrip()))])
            continue
        for paragraph in filter(None, (chunk.strip() for chunk in part.split("\n\n"))):
            if paragraph.startswith("- "):
                yield Block("list", [_inline(item) for item in re.split(r"^- ", paragraph, flags=re.MULTILINE)[1:]])
            else:
                yield Block("text", [_inline(paragraph)])


def _inline(text: str) -> SafeString:
    """Code, names of buttons, and links inside SubiteYa; everything else is escaped."""
    parts, end = [], 0
    for match in _INLINE.finditer(text):
        parts += [escape(text[end : match.start()]), _marked(match)]
        end = match.end()
    return mark_safe("".join([*parts, escape(text[end:])]).strip())  # noqa: S308


def _marked(match: re.Match[str]) -> str:
    if match["code"]:
        return f"<code>{escape(match['code'])}</code>"
    if match["button"]:
        return f"<em>{escape(match['button'])}</em>"
    return f'<a href="{escape(match["address"])}">{escape(match["text"])}</a>'
