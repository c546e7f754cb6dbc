"""The committed fonts, and the fontconfig file that lets libass fall back from Inter to Noto Emoji."""

from __future__ import annotations

import os
import tempfile
from functools import lru_cache
from pathlib import Path

FONTS = Path(__file__).resolve().parent

CONFIG = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{fonts}</dir>
  <cachedir>{cache}</cachedir>
</fontconfig>
"""


@lru_cache(maxsize=1)
def fontconfig_file() -> Path:
    """A private fontconfig that knows only our fonts: without it emoji are boxes."""
    folder = Path(tempfile.gettempdir()) / f"subiteya-fonts-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / "fonts.conf"
    text = CONFIG.format(fonts=FONTS, cache=folder / "cache")
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        part = path.with_suffix(f".{os.getpid()}")
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    return path
