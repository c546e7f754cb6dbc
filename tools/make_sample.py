#!/usr/bin/env python3
"""Makes demo/sample.mp4, the clip of `make demo`, out of nothing: demo/sample.txt read by espeak-ng over drawings.

Needs espeak-ng (Debian: apt-get install espeak-ng). The picture is 16:9, so that the edit to 9:16 can be seen.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import wave
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from publishing.editing import fonts  # noqa: E402
from publishing.editing.ffmpeg import ffmpeg_version, run  # noqa: E402

SCRIPT, SAMPLE = ROOT / "demo/sample.txt", ROOT / "demo/sample.mp4"
WIDTH, HEIGHT, FPS = 1280, 720, 30
LEAD_S, REST_S = 0.5, 0.4
VOICE = ["espeak-ng", "-v", "es-419", "-s", "146", "-p", "42", "-g", "2", "-a", "130"]
SOFTER = "highpass=f=90,lowpass=f=6800,aecho=0.8:0.7:22:0.12"

STYLE = "0,0,0,0,100,100,0,0,1"
HEAD = f"""[Script Info]
ScriptType: v4.00+
PlayResX: {WIDTH}
PlayResY: {HEIGHT}
[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, \
StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Name,Inter,74,&H00F4FAFF,&H0,&H0,&H0,-1,{STYLE[2:]},0,0,5,0,0,0,1
Style: Small,Inter,36,&H10F4FAFF,&H0,&H0,&H0,0,{STYLE[2:]},0,0,5,0,0,0,1
Style: Thing,Noto Emoji,300,&H00DFF1FF,&H0,&H0,&H0,0,{STYLE[2:]},0,0,5,0,0,0,1
[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def drawings(seconds: float) -> str:
    """A medialuna that comes in and turns, with the bakery's name; then the coffee beside it."""
    end = f"0:00:{seconds:05.2f}"
    millis = round(seconds * 1000)
    sway = f"\\frz-14\\t(0,{millis},\\frz16)"
    return HEAD + "\n".join(
        f"Dialogue: {layer},{start},{end},{style},,0,0,0,,{{{tags}}}{text}"
        for layer, start, style, tags, text in [
            (0, "0:00:00.00", "Thing", "\\1a&HA0&\\pos(640,262)\\fs500", "\N{WANING CRESCENT MOON SYMBOL}"),
            (1, "0:00:00.00", "Thing", f"\\move(640,400,640,262,0,1200)\\fad(500,0){sway}", "\N{CROISSANT}"),
            (1, "0:00:03.60", "Thing", "\\move(1400,290,1060,290,0,900)\\fs190", "\N{HOT BEVERAGE}"),
            (1, "0:00:03.60", "Thing", "\\move(-120,290,220,290,0,900)\\fs170", "\N{EAR OF RICE}"),
            (2, "0:00:00.30", "Name", "\\pos(640,572)\\fad(600,0)", "Panadería Luna"),
            (2, "0:00:00.90", "Small", "\\pos(640,642)\\fad(600,0)", "medialunas de manteca, todos los días"),
        ]
    )


def speak(wav: Path) -> float:
    """Read the script; how long that takes, in seconds."""
    subprocess.run([*VOICE, "-w", str(wav), "-f", str(SCRIPT)], check=True, timeout=60)
    with wave.open(str(wav)) as sound:
        return sound.getnframes() / sound.getframerate()


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        seconds = LEAD_S + speak(work / "speech.wav") + REST_S
        fonts.lay_out(work)
        (work / "drawings.ass").write_text(drawings(seconds), encoding="utf-8")
        colours = "c0=0xE8A04C:c1=0xC4574A:c2=0x7A3B5E:n=3:x0=0:y0=0:x1=1500:y1=840:speed=0.003"
        picture = f"gradients=s={WIDTH}x{HEIGHT}:r={FPS}:d={seconds:.2f}:{colours}"
        sound = f"adelay={round(LEAD_S * 1000)}:all=1,{SOFTER},apad=whole_dur={seconds:.2f}"
        run(
            ["-v", "error", "-y", "-f", "lavfi", "-i", picture, "-i", "speech.wav",
             "-vf", f"ass=filename=drawings.ass:fontsdir={fonts.FOLDER},noise=alls=2:allf=t,format=yuv420p",
             "-af", sound, "-c:v", "libx264", "-preset", "slow", "-crf", "25", "-c:a", "aac", "-b:a", "96k",
             "-ac", "1", "-map_metadata", "-1", "-movflags", "+faststart", "-t", f"{seconds:.2f}", str(SAMPLE)],
            timeout_s=300, cwd=work,
        )  # fmt: skip
    print(f"{SAMPLE.relative_to(ROOT)}: {seconds:.1f} s, {SAMPLE.stat().st_size} bytes, ffmpeg {ffmpeg_version()}")


if __name__ == "__main__":
    main()
