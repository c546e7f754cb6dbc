"""How often the demo's posts were seen: invented, and the same each time. Some hashtags do better; that is planted."""

from __future__ import annotations

import random

from publishing.demo.cast import BRANDS
from publishing.models import Video

#: Typical views of each brand, from small to large: a hashtag must not look good because a large account likes it.
TYPICAL = dict(zip((brand.username for brand in BRANDS), (4_200, 1_300, 900, 2_600, 15_000, 700), strict=True))
#: What these hashtags multiply a post's views by.
PLANTED = {"#masamadre": 2.2, "#asado": 1.6, "#hechoamano": 2.2, "#patagonia": 2.0, "#recetas": 0.8}


def counts_of(video: Video) -> dict[str, int]:
    """view_count, like_count, comment_count and share_count of a post of the demo, as the sandbox tells them."""
    lot = random.Random(video.post_id)  # noqa: S311
    views = TYPICAL.get(video.account.username, 1_000) * lot.lognormvariate(0, 0.6)
    for hashtag, factor in PLANTED.items():
        if hashtag in video.caption.split():
            views *= factor
    shown = round(views)
    return {
        "view_count": shown, "like_count": round(shown * lot.uniform(0.03, 0.09)),
        "comment_count": round(shown * lot.uniform(0.001, 0.006)),
        "share_count": round(shown * lot.uniform(0.001, 0.008)),
    }  # fmt: skip
