"""From a stored brand pattern to the editing library's data."""

from __future__ import annotations

from accounts.models import TikTokAccount
from publishing.editing.spec import Brand, Logo, Music
from publishing.editing.subtitles import SubtitleStyle
from publishing.models import AccountBrand, BrandPattern
from publishing.services.files import local_copy


def brand_of(account: TikTokAccount) -> Brand:
    """The account's brand, or the defaults when it has no pattern."""
    chosen = AccountBrand.objects.select_related("pattern__logo", "pattern__music").filter(account=account).first()
    return brand_from_pattern(chosen.pattern) if chosen else Brand()


def brand_from_pattern(pattern: BrandPattern) -> Brand:
    """Numbers and paths only; the editing library clamps every value to its range."""
    return Brand(
        fit=pattern.fit,
        brightness=pattern.brightness,
        contrast=pattern.contrast,
        saturation=pattern.saturation,
        temperature=pattern.temperature,
        logo=_logo(pattern),
        loudness_lufs=pattern.loudness_lufs,
        volume_db=pattern.volume_db,
        music=_music(pattern),
        subtitles=_style(pattern),
    )


def _logo(pattern: BrandPattern) -> Logo | None:
    if not (pattern.logo_enabled and pattern.logo):
        return None
    return Logo(
        path=local_copy(pattern.logo),
        sha256=pattern.logo.sha256,
        position=pattern.logo_position,
        width_percent=pattern.logo_width_percent,
        opacity=pattern.logo_opacity,
    )


def _music(pattern: BrandPattern) -> Music | None:
    if pattern.music is None:
        return None
    return Music(path=local_copy(pattern.music), sha256=pattern.music.sha256, volume_db=pattern.music_volume_db)


def _style(pattern: BrandPattern) -> SubtitleStyle:
    return SubtitleStyle(
        size=pattern.subtitle_size,
        color=pattern.subtitle_color,
        outline_color=pattern.subtitle_outline_color,
        box=pattern.subtitle_box,
        bold=pattern.subtitle_bold,
        uppercase=pattern.subtitle_uppercase,
        position=pattern.subtitle_position,
    )
