"""What can be said about the looks without looking: contrast, and that every icon exists."""

from __future__ import annotations

import re

import pytest

from tests.processes import ROOT

BASE = (ROOT / "static/css/base.css").read_text(encoding="utf-8")
LIGHT, DARK = BASE.split("@media (prefers-color-scheme: dark)")
FAMILIES = ("yours", "queued", "working", "waiting", "attention", "done", "ended")
PAIRS = [
    *((family, f"{family}-soft") for family in FAMILIES),
    *((family, "surface") for family in FAMILIES),
    *((ink, ground) for ink in ("text", "text-2") for ground in ("bg", "surface", "surface-2")),
    ("accent", "surface"),
    ("accent", "bg"),
    ("accent", "accent-soft"),
    ("on-accent", "accent-fill"),
    ("on-accent", "accent-fill-hover"),
    ("text-2", "accent-soft"),
]


def colours(css: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z0-9-]+):\s*(#[0-9a-f]{6})", css))


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_can_be_read(theme):
    tokens = colours(LIGHT) if theme == "light" else colours(LIGHT) | colours(DARK)
    weak = {pair: round(contrast(tokens[pair[0]], tokens[pair[1]]), 2) for pair in PAIRS}
    assert not {pair: ratio for pair, ratio in weak.items() if ratio < 4.5}
    assert contrast(tokens["line-strong"], tokens["surface"]) >= 3  # the edge of a field


def test_it_has_every_icon_that_a_page_names():
    sprite = set(re.findall(r'<symbol id="([a-z-]+)"', (ROOT / "static/img/sprite.svg").read_text()))
    named = set()
    for template in (ROOT / "templates").rglob("*.html"):
        named |= set(re.findall(r'{% icon "([a-z-]+)"', template.read_text(encoding="utf-8")))
    for module in ("publishing/views/buttons.py", "publishing/templatetags/ui.py"):
        source = (ROOT / module).read_text(encoding="utf-8")
        named |= set(re.findall(r'icon="([a-z-]+)"', source)) | set(re.findall(r': "([a-z-]+)",?$', source, re.M))
    assert named
    assert not named - sprite
