"""A page's changing region in parts, so that a refresh brings only those that the browser does not have.

`{% part key %}<one element>{% endpart %}` gives the element the id `key` and a mark of its content. A browser sends the
marks that it has; each of these parts comes as an empty place (`hx-preserve`), into which htmx moves the element with
that id, as it is: pictures, focus and what a script wrote into it stay. Parts may lie in parts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string
from django.utils.html import format_html

#: The context's name for the parts that were rendered so far.
COLLECTED = "collected_parts"
#: A request's header with the marks that the browser has, one after the other.
HEADER = "Has-Parts"
#: Of a mark. That two of a few hundred are alike is not to be expected; a part would then stay as it was until its next
#: change.
DIGITS = 8


@dataclass(frozen=True)
class Part:
    """An element of the region: its id, its rendering, and the mark of it."""

    key: str
    mark: str
    html: str


@dataclass(frozen=True)
class Region:
    """The rendered whole, its mark, and its parts, the inner ones before those in which they lie."""

    html: str
    version: str
    parts: tuple[Part, ...]

    def without(self, marks: Collection[str]) -> str:
        """The rendering with an empty place for each part that the browser has."""
        html = self.html
        for part in reversed(self.parts):
            if part.mark in marks:
                html = html.replace(part.html, format_html('<i id="{}" hx-preserve></i>', part.key))
        return html


def mark_of(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()[:DIGITS]


def marks_in(header: str) -> set[str]:
    """The marks in a `Has-Parts` header; nonsense is the mark of nothing."""
    return {header[start : start + DIGITS] for start in range(0, len(header), DIGITS)}


def region(template: str, context: dict[str, Any]) -> Region:
    """Render a template whose parts are to be known."""
    parts: list[Part] = []
    html = render_to_string(template, context | {COLLECTED: parts})
    return Region(html, mark_of(html), tuple(parts))
