"""The filter graph of an edit. Only numbers and words from our own tables get into it: no text, no path."""

from __future__ import annotations

from fractions import Fraction
from itertools import count

from publishing.editing.brand import Brand, Logo, Music, clamp
from publishing.editing.fonts import FOLDER
from publishing.editing.geometry import Size, cut, inside, is_upright, turned
from publishing.editing.probe import AudioInfo, MediaInfo, VideoInfo

SUBTITLES = "subtitles.ass"
FPS_MIN, FPS_MAX = 23.0, 60.0
STANDARD_FPS = (24, 25, 30, 50, 60)
NTSC_FPS = {nominal: Fraction(nominal * 1000, 1001) for nominal in (24, 30, 60)}
HDR = frozenset({"smpte2084", "arib-std-b67"})
#: Where the logo goes; overlay's own variables, `m` is the margin in pixels.
CORNERS = {
    "top_left": "x={m}:y={m}",
    "top_right": "x=W-w-{m}:y={m}",
    "bottom_left": "x={m}:y=H-h-{m}",
    "bottom_right": "x=W-w-{m}:y=H-h-{m}",
}
LOGO_HEIGHT_SHARE = 0.3
#: The still end that follows a picture which stops before its sound; shorter gaps are not worth a filter.
HOLD_FROM_MS = 150
TO_BT709 = "out_color_matrix=bt709:out_range=tv"
TAGS = "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv"
RATE = "aresample=48000:async=1:first_pts=0"
STEREO = "aformat=channel_layouts=stereo"
#: ffmpeg's own way from mono to stereo takes 3 dB away.
BOTH_SIDES = "pan=stereo|c0=c0|c1=c0"
#: Music gives way while somebody speaks, and comes back over a second.
DUCK = "sidechaincompress=threshold=0.03:ratio=6:attack=40:release=900"
LIMIT = "alimiter=limit=0.89:level=0"
#: loudnorm measures 3 s: given less it amplifies without bounds, and makes noise out of silence.
MEASURED_S = 4.0


def constant_fps(video: VideoInfo) -> Fraction:
    """Frames a second of the output: the source's own where it is constant and within TikTok's 23 to 60."""
    fps = video.fps
    if fps < FPS_MIN:
        return Fraction(30)
    if fps > FPS_MAX or video.variable_fps:
        return Fraction(min(STANDARD_FPS, key=lambda each: abs(each - fps)))
    for exact in NTSC_FPS.values():
        if abs(fps - exact) < 0.005:
            return exact
    return Fraction(fps).limit_denominator(1000)


def filter_graph(source: MediaInfo, brand: Brand, size: Size, *, burn: bool) -> tuple[str, list[str]]:
    """The graph and its `-map` arguments. Inputs: 0 the video, then the logo, then the music, if there are."""
    inputs = count(1)
    logo = next(inputs) if brand.logo else None
    music = next(inputs) if brand.music else None
    chains = _picture(source, brand, size, logo, burn=burn)
    sound = _sound(source, brand, music)
    maps = ["-map", "[v]", *(["-map", "[a]"] if sound else [])]
    return ";".join([*chains, *sound]), maps


def _picture(source: MediaInfo, brand: Brand, size: Size, logo: int | None, *, burn: bool) -> list[str]:
    video = source.video
    head = ",".join([*_decoded(source), *_tone(video, size)])
    chains = _shape(f"[0:{video.index}]{head}", video, brand.fit, size)
    chains.append(",".join(["[shaped]setsar=1", *_colour(brand)]) + "[coloured]")
    last = "[coloured]"
    if brand.logo and logo is not None:
        chains += _logo(brand.logo, logo, last, size)
        last = "[marked]"
    text = [f"ass=filename={SUBTITLES}:fontsdir={FOLDER}"] if burn else []
    return [*chains, last + ",".join([*text, "format=yuv420p", TAGS]) + "[v]"]


def _decoded(source: MediaInfo) -> list[str]:
    """Whole frames at an even pace, from 0 to the end, with the colour tags that players would guess."""
    video = source.video
    filters = ["bwdif=mode=send_frame:deint=interlaced"] if video.interlaced else []
    filters.append(f"fps={constant_fps(video)}:start_time=0")
    gap = source.duration_ms - video.duration_ms
    if video.duration_ms and gap > HOLD_FROM_MS:
        filters.append(f"tpad=stop_mode=clone:stop_duration={gap}ms")
    if not video.matrix and video.transfer not in HDR:
        guess = "bt709" if min(video.width, video.height) >= 720 else "smpte170m"
        filters.append(f"setparams=colorspace={guess}")
    return filters


def _tone(video: VideoInfo, size: Size) -> list[str]:
    """HDR mapped to what every screen shows. It works on floats, so the picture is made smaller before."""
    if video.transfer not in HDR:
        return []
    share = min(1.0, max(size[0] / video.display_width, size[1] / video.display_height))
    smaller = [f"scale=trunc(iw*{share:.5f}/2)*2:trunc(ih*{share:.5f}/2)*2"] if share < 1 else []
    return [
        *smaller,
        f"zscale=tin={video.transfer}:min=bt2020nc:pin=bt2020:rin=tv:t=linear:npl=203",
        "format=gbrpf32le",
        "zscale=p=bt709",
        "tonemap=hable:desat=0",
        "zscale=t=bt709:m=bt709:r=tv",
        "format=yuv420p",
    ]


def _shape(start: str, video: VideoInfo, fit: str, size: Size) -> list[str]:
    """From the decoded picture to `[shaped]`, which has the output's size."""
    width, height = size
    if fit == "crop" or is_upright(video):
        return [f"{start},{_cropped(video, size)},{_scaled(size)}[shaped]"]
    picture = inside(video, size)
    if fit != "blur":
        return [f"{start},{_scaled(picture)},setsar=1,pad={width}:{height}:(ow-iw)/2:(oh-ih)/2[shaped]"]
    small = (width // 4, height // 4)
    return [
        f"{start},split[front][back]",
        f"[back]{_cropped(video, size)},{_scaled(small)},boxblur=10:3,eq=brightness=-0.06,{_scaled(size)}[soft]",
        f"[front]{_scaled(picture)},setsar=1[sharp]",
        "[soft][sharp]overlay=x=(W-w)/2:y=(H-h)/2[shaped]",
    ]


def _cropped(video: VideoInfo, size: Size) -> str:
    """Shares and not pixels: after a tone mapping the picture is smaller than the file's."""
    part, whole = cut(video, size), turned(video)
    return f"crop=w=iw*{part[0]}/{whole[0]}:h=ih*{part[1]}/{whole[1]}"


def _scaled(size: Size) -> str:
    return f"scale={size[0]}:{size[1]}:{TO_BT709},format=yuv420p"


def _colour(brand: Brand) -> list[str]:
    if not brand.has_colour:
        return []
    eq = (
        f"eq=brightness={clamp(brand.brightness, -0.5, 0.5):.3f}:contrast={clamp(brand.contrast, 0.5, 2):.3f}"
        f":saturation={clamp(brand.saturation, 0, 3):.3f}"
    )
    if not brand.temperature:
        return [eq]
    kelvin = 6500 - clamp(brand.temperature, -1, 1) * 2500
    # It works in RGB (planar is the quick way there), then back to the matrix that everything else here uses.
    return [eq, "format=gbrp", f"colortemperature=temperature={kelvin:.0f}:pl=1", f"scale={TO_BT709}", "format=yuv420p"]


def _logo(logo: Logo, number: int, last: str, size: Size) -> list[str]:
    width = int(size[0] * clamp(logo.width_percent, 5, 50) / 100)
    height = int(size[1] * LOGO_HEIGHT_SHARE)
    margin = int(size[0] * clamp(logo.margin_percent, 0, 20) / 100)
    corner = CORNERS.get(logo.position, CORNERS["top_right"]).format(m=margin)
    alpha = f"format=rgba,colorchannelmixer=aa={clamp(logo.opacity, 0.1, 1):.2f}"
    fitted = f"scale={width}:{height}:force_original_aspect_ratio=decrease"
    return [f"[{number}:v]{fitted},{alpha}[logo]", f"{last}[logo]overlay={corner}[marked]"]


def _sound(source: MediaInfo, brand: Brand, music: int | None) -> list[str]:
    """The chains that end in `[a]`: a voice, music, both, or nothing at all when the source is silent."""
    seconds, finish = source.duration_ms / 1000, _finish(brand, source.duration_ms / 1000)
    voice = _voice(source.audio, brand, seconds) if source.audio else ""
    if brand.music is None or music is None:
        return [f"{voice}{finish}[a]"] if voice else []
    tune = f"[{music}:a:0]{_music(brand.music, seconds)}"
    if not voice:
        return [f"{tune}{finish}[a]"]
    return [
        f"{voice},asplit[voice][key]",
        f"{tune}[tune]",
        f"[tune][key]{DUCK}[ducked]",
        f"[voice][ducked]amix=inputs=2:duration=first:normalize=0{finish}[a]",
    ]


def _voice(audio: AudioInfo, brand: Brand, seconds: float) -> str:
    """The video's own sound, on both sides, from the beginning to the end."""
    sides = BOTH_SIDES if audio.channels == 1 else STEREO
    gain = f",volume={clamp(brand.volume_db, -30, 12):.1f}dB" if brand.volume_db else ""
    return f"[0:{audio.index}]{RATE},{sides}{gain},apad,atrim=end={seconds:.3f}"


def _music(music: Music, seconds: float) -> str:
    fade = min(1.5, seconds / 4)
    level = clamp(music.volume_db, -40, 0)
    end = f"atrim=end={seconds:.3f},afade=t=out:st={seconds - fade:.3f}:d={fade:.3f}"
    return f"{RATE},{STEREO},volume={level:.1f}dB,{end}"


def _finish(brand: Brand, seconds: float) -> str:
    """The loudness that was asked for; peaks stay below clipping whenever we changed a level."""
    if not brand.has_sound:
        return ""
    if brand.loudness_lufs is None:
        return f",{LIMIT}"
    level = f"loudnorm=I={clamp(brand.loudness_lufs, -30, -8):.1f}:TP=-1.5:LRA=11,aresample=48000"
    if seconds < MEASURED_S:  # a short sound is measured over and over
        loop = f"aloop=loop=-1:size={round(seconds * 48000)},atrim=end={MEASURED_S}"
        level = f"{loop},{level},atrim=end={seconds:.3f}"
    return f",{level},{LIMIT}"
