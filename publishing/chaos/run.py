"""One run: start the private installation, submit while it is being broken, heal it, wait, judge."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connections
from django.utils import timezone

from publishing.chaos.cast import make_cast
from publishing.chaos.control import Control
from publishing.chaos.evidence import find_left, read_rows
from publishing.chaos.monkey import Monkey
from publishing.chaos.orders import PAUSE_SECONDS, make_orders, submit
from publishing.chaos.sources import make_sources
from publishing.chaos.stage import OWN_NAME
from publishing.chaos.verdict import Asked, Post, Verdict, judge
from publishing.demo.running import Product, product
from publishing.models import Video
from publishing.services.sweep import bucket_sweep
from publishing.states import VIDEO_TERMINAL
from publishing.worker import MAINTENANCE_SECONDS, WORKER_TTL_SECONDS

#: The monkey stops when this share of the videos is over, or after so many seconds: it must not ride the last ones.
STORM_VIDEOS, STORM_SECONDS, STORM_SECONDS_PER_VIDEO = 0.85, 20.0, 1.5
VIDEOS_PER_SOURCE, FEWEST_SOURCES, MOST_SOURCES = 5, 4, 24
VIDEOS_PER_REJECTION = 25
LOOK_SECONDS, SAY_SECONDS = 0.5, 10.0
#: After the last video is over: whatever still wants to go wrong may do so now.
SETTLE_SECONDS = 4.0
#: How far the clock is moved for the product's own sweeps: what they find then is cleared away, the rest leaked.
LATER = timedelta(days=2)
#: TikTok's limits that would only slow a run whose polls come faster; six uploads a minute stay.
SANDBOX_PER_MINUTE = {"status_per_minute": 30, "creator_info_per_minute": 20}
SANDBOX_SECONDS = {"processing_seconds": 1.0, "moderation_seconds": 0.5}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What was asked for; `seconds` is the limit from the first submission on."""

    videos: int
    seed: int
    seconds: float


class _Run:
    def __init__(self, wanted: Wanted, running: Product, say: Callable[[str], None]) -> None:
        self.wanted, self.running, self.say = wanted, running, say
        self.control = Control(running.sandbox_url)
        self.asked: list[Asked] = []
        self.monkey = Monkey(
            seed=wanted.seed,
            up=running.pid,
            control=self.control,
            rejections=1 + wanted.videos // VIDEOS_PER_REJECTION,
        )
        self.seconds = 0.0
        self.posts: list[Post] = []

    def go(self) -> None:
        """Everything that needs the installation alive."""
        rng = random.Random(self.wanted.seed)  # noqa: S311
        faster = {name: int(limit / settings.TIME_SCALE) for name, limit in SANDBOX_PER_MINUTE.items()}
        self.control.configure(**SANDBOX_SECONDS, **faster)
        user, names = make_cast(self.control)
        count = min(MOST_SOURCES, max(FEWEST_SOURCES, self.wanted.videos // VIDEOS_PER_SOURCE))
        folder = settings.VAR_DIR / "sources"
        folder.mkdir()
        sources = make_sources(folder, count=count)
        began = time.monotonic()
        self.monkey.start()
        try:
            for order in make_orders(
                rng=rng, seed=self.wanted.seed, videos=self.wanted.videos, user=user, sources=sources, names=names
            ):
                self.asked += submit(order, deadline=began + self.wanted.seconds, say=self.say)
                time.sleep(rng.uniform(*PAUSE_SECONDS))
            storm = STORM_SECONDS + STORM_SECONDS_PER_VIDEO * self.wanted.videos
            self._wait(began, until=STORM_VIDEOS, seconds=min(storm, self.wanted.seconds))
        finally:
            self.monkey.stop()
        self.say("Healed; waiting for the rest.")
        self._wait(began, until=1.0, seconds=self.wanted.seconds)
        self.seconds = time.monotonic() - began
        time.sleep(SETTLE_SECONDS)
        self._wait_for_sweeps()
        self.posts = self.control.ledger()

    def _wait_for_sweeps(self) -> None:
        """Give the workers the time that they need to clear away what was left by the killed."""
        deadline = time.monotonic() + 2 * (MAINTENANCE_SECONDS + WORKER_TTL_SECONDS)
        while find_left().work and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)

    def _wait(self, began: float, *, until: float, seconds: float) -> None:
        """Until that share of the videos is over, or `seconds` after `began`. Raises ShowFailed."""
        said = 0.0
        while time.monotonic() - began < seconds:
            self.running.require_alive()
            statuses = Counter(Video.objects.values_list("status", flat=True))
            over = sum(count for status, count in statuses.items() if status in VIDEO_TERMINAL)
            if over >= until * self.wanted.videos:
                return
            if time.monotonic() - said > SAY_SECONDS:
                said = time.monotonic()
                words = ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()))
                self.say(f"{said - began:4.0f} s: {words}")
            time.sleep(LOOK_SECONDS)


def run_chaos(wanted: Wanted, *, say: Callable[[str], None]) -> tuple[Verdict, dict[str, Any]]:
    """The verdict, and the document that says it. `settings` are those of the stage. Raises ShowFailed, Refused."""
    say("Starting the private installation…")
    with product() as running:
        os.environ["PGAPPNAME"] = OWN_NAME  # its own connections are not among those that the monkey cuts
        running.wait_until_ready()
        run = _Run(wanted, running, say)
        run.go()
    swept = bucket_sweep(now=timezone.now() + LATER)
    verdict = judge(asked=run.asked, rows=read_rows(), posts=run.posts, left=find_left())
    connections.close_all()
    strikes = dict(sorted(run.monkey.strikes.items()))
    counts = asdict(verdict)
    findings = counts.pop("findings")
    facts = {"seconds": round(run.seconds, 1), "seed": wanted.seed, "database": connections["default"].vendor}
    kills = sum(count for name, count in strikes.items() if name.startswith("kill_"))
    return verdict, {**counts, **facts, "kills": kills, "swept": swept, "strikes": strikes, "findings": findings}
