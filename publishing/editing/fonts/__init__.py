"""The committed fonts, and how ffmpeg finds them: libass without a font draws nothing and reports success."""

from __future__ import annotations

from pathlib import Path

FONTS = Path(__file__).resolve().parent
#: Relative to the folder that `lay_out` fills and ffmpeg runs in, so that no path ever enters a filter.
FOLDER = "fonts"
CONFIG = "fonts.conf"

_CONFIG_TEXT = f"""<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">{FOLDER}</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
"""


def lay_out(folder: Path) -> None:
    """Put our fonts and a fontconfig file that knows only them into `folder`.

    Through fontconfig libass falls back from Inter to Noto Emoji; among the fonts of `fontsdir` alone it does not.
    """
    fonts = folder / FOLDER
    fonts.mkdir()
    for font in FONTS.glob("*.ttf"):
        (fonts / font.name).symlink_to(font)
    (folder / CONFIG).write_text(_CONFIG_TEXT, encoding="utf-8")
