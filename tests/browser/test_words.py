"""What the pages say, as they come out with a month of the demo's life: one language, and a zone beside every hour."""

from __future__ import annotations

import re
from pathlib import Path

import polib
import pytest

from tests.browser.addresses import ADDRESSES, addresses_of_videos
from tests.browser.conftest import Session

pytestmark = pytest.mark.browser

SPANISH = polib.pofile(str(Path(__file__).parents[2] / "locale/es/LC_MESSAGES/django.po"))
#: English texts that a Spanish page has no reason to show; one word alone may be somebody's name or a Spanish word.
ENGLISH = {
    entry.msgid.strip()
    for entry in SPANISH
    if not entry.msgid_plural and entry.msgid != entry.msgstr and " " in entry.msgid.strip()
}
#: Texts and spoken names of what is shown; what people wrote and what is for machines is left out.
TEXTS = """() => {
    const texts = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const parent = walker.currentNode.parentElement;
        if (parent.closest("script, style, template, [lang=en], code, pre")) continue;
        texts.push(walker.currentNode.data.trim());
    }
    for (const one of document.querySelectorAll("[aria-label], [title], [placeholder], [alt]"))
        for (const name of ["aria-label", "title", "placeholder", "alt"]) texts.push(one.getAttribute(name) ?? "");
    return texts.filter(Boolean);
}"""
#: Hours with no zone in the same sentence, nor in the heading over them.
HOURS = """() => {
    const found = [];
    const walker = document.createTreeWalker(document.getElementById("main") ?? document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const node = walker.currentNode;
        const beside = "script, template, code, pre, .row__link, .caption, .bars, .compare, .player";
        if (node.parentElement.closest(beside)) continue;
        for (const hour of node.data.matchAll(/\\b\\d{1,2}:\\d{2}(:\\d{2})?\\b/g)) {
            const near = node.parentElement.closest("p, li, dd, td, div").textContent.replace(/\\s+/g, " ");
            const heading = node.parentElement.closest("section")?.querySelector("h2")?.textContent ?? "";
            const zone = /\\([A-ZÁÉÍÓÚ][^)]+\\)/;
            if (!zone.test(near.slice(near.indexOf(hour[0]))) && !zone.test(heading)) found.push(near.slice(0, 120));
        }
    }
    return found;
}"""
#: What looks like an hour and is a length: minutes and seconds of a film.
LENGTH = re.compile(r"^\D*\d+:\d\d(\.\d)?\D*$|9:16")


def test_it_shows_no_english_on_spanish_pages(at_desk: Session) -> None:
    found = []
    for address in (*ADDRESSES, *addresses_of_videos(at_desk)):
        page = at_desk.go(address)
        found += [f"{address}: {text}" for text in page.evaluate(TEXTS) if text in ENGLISH]
    assert found == []


def test_it_shows_the_zone_beside_every_hour(at_desk: Session) -> None:
    found = []
    for address in (*ADDRESSES, *addresses_of_videos(at_desk)):
        page = at_desk.go(address)
        found += [f"{address}: {text}" for text in page.evaluate(HOURS) if not LENGTH.search(text)]
    assert found == []
