"""The text that is burnt in: libass without a usable font draws nothing and reports success."""

from __future__ import annotations

from pathlib import Path

import pytest

from publishing.editing import fonts
from publishing.editing.ffmpeg import render, run
from publishing.editing.probe import probe
from publishing.editing.spec import Brand, EditSpec
from publishing.editing.subtitles import Cue, SubtitleStyle, to_ass

SIZE = (360, 640)
#: What the product has to write: Spanish, the signs around it, other alphabets that Inter has, emoji.
SIGNS = "áéíóúüñÑ¿¡«»€$%&@#…’ßçøЯΩ" + "😀🥐☕🔥❤👉🎉"
NO_SUCH_SIGN = "\U0010fffd"


def drawn(folder: Path, texts: str) -> list[bytes]:
    """Each text of `texts` on black, as grey pixels: one run of ffmpeg, one frame a text."""
    cues = [Cue(number * 1000, number * 1000 + 1000, text) for number, text in enumerate(texts)]
    style = SubtitleStyle(size=140, position="middle")
    (folder / "subtitles.ass").write_text(to_ass(cues, style, *SIZE), encoding="utf-8")
    source = f"color=black:s={SIZE[0]}x{SIZE[1]}:r=1:d={len(texts)}"
    burn = f"ass=filename=subtitles.ass:fontsdir={fonts.FOLDER},crop=120:120,format=gray"
    argv = ["-v", "error", "-f", "lavfi", "-i", source, "-vf", burn, "-f", "rawvideo", "file:frames.raw"]
    run(argv, timeout_s=60, cwd=folder)
    raw = (folder / "frames.raw").read_bytes()
    return [raw[at : at + 120 * 120] for at in range(0, len(raw), 120 * 120)]


def test_it_draws_every_sign_as_itself(tmp_path):
    """An unknown sign is a box: so each must differ from nothing, from the box, and from every other."""
    fonts.lay_out(tmp_path)
    pictures = drawn(tmp_path, SIGNS + NO_SUCH_SIGN)
    assert len(pictures) == len(SIGNS) + 1
    assert all(max(picture) > 200 for picture in pictures[:-1])
    assert len(set(pictures)) == len(pictures)


def test_it_would_draw_nothing_without_our_fonts(tmp_path):
    """The trap itself: no fonts, no text, no error. So only a look at the pictures tells."""
    fonts.lay_out(tmp_path)
    for font in (tmp_path / fonts.FOLDER).iterdir():
        font.unlink()
    assert all(max(picture) == min(picture) for picture in drawn(tmp_path, "añ"))


def test_it_ships_the_fonts_with_their_licences():
    names = {path.name for path in fonts.FONTS.iterdir()}
    assert {"Inter_400Regular.ttf", "Inter_700Bold.ttf", "NotoEmoji_400Regular.ttf"} <= names
    for licence in ("LICENSE-Inter.txt", "LICENSE-NotoEmoji.txt"):
        assert "SIL OPEN FONT LICENSE" in (fonts.FONTS / licence).read_text(encoding="utf-8").upper()


TEXTS = {
    "accents": "¿Mañana? ¡Sí, ñandú, pingüino!",
    "emoji": "Medialunas 🥐 y café ☕😀",
    "long": "palabra larga y otra más",
    "wide": "W" * 24,
    "injection": r"{\pos(0,0)}{\fs400}\N\h 'a':,;[v]%{n}",
}
TURN_MS = 200


@pytest.fixture(scope="module")
def burnt(clip, tmp_path_factory) -> dict[str, Path]:
    """The same second of dark picture without text, and with each of TEXTS for a fifth of it, in two styles."""
    source = clip("dark.mp4", picture="color=0x202020:s=320x180:r=30", seconds=1, sound=None)
    folder = tmp_path_factory.mktemp("burnt")
    cues = tuple(Cue(at * TURN_MS, (at + 1) * TURN_MS, text) for at, text in enumerate(TEXTS.values()))
    looks = {"plain": None, "outline": SubtitleStyle(), "box": SubtitleStyle(box=True, outline_color="#C00000")}
    return {
        name: render(
            EditSpec(
                source=probe(source), source_path=source, output_path=folder / f"{name}.mp4",
                cues=cues if style else (), brand=Brand(fit="crop", subtitles=style or SubtitleStyle()),
            )
        )
        for name, style in looks.items()
    }  # fmt: skip


@pytest.mark.parametrize("style", ["outline", "box"])
@pytest.mark.parametrize("name", TEXTS)
def test_it_draws_where_subtitles_stand_and_nowhere_else(burnt, look, name, style):
    at = list(TEXTS).index(name) * TURN_MS + TURN_MS // 2
    changed = look(burnt[style], at).changed(look(burnt["plain"], at), step=4, by=25)
    assert len(changed) > 150
    assert min(x for x, _y in changed) > 0.03
    assert max(x for x, _y in changed) < 0.97
    assert min(y for _x, y in changed) > 0.5
    assert max(y for _x, y in changed) < 0.82


def test_it_shows_each_text_in_its_time_only(clip, edit, look, tmp_path):
    source = clip("dark.mp4", picture="color=0x202020:s=320x180:r=30", seconds=1, sound=None)
    render(edit(source, fit="keep", cues=(Cue(400, 700, "Hola"),)))
    before, during, after = (look(tmp_path / "out.mp4", ms) for ms in (200, 550, 850))
    assert not before.changed(after, step=2)
    assert len(during.changed(before, step=2)) > 15
