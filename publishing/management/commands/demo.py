"""`manage.py demo`: everything at once, with a month of history and one publication to watch."""

from __future__ import annotations

import os
import signal
import sys
import time
import uuid
from types import FrameType
from typing import Any, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse
from django.utils.translation import gettext

from publishing.demo.cast import BRANDS, PEOPLE
from publishing.demo.files import SAMPLE, SCRIPT
from publishing.demo.running import Answered, Product, ShowFailed, product
from subiteya.lib.cli import EXIT_FAILED, EXIT_INTERRUPTED

WATCH_SECONDS = 900
STAR = "ana"
CAPTION = "Medialunas de manteca hechas a mano: salen calentitas a las siete."
HASHTAGS = ("medialunas", "desayuno", "comidaargentina")


class Command(BaseCommand):
    help = "Starts everything with demo data, publishes a video to three accounts, and serves until Ctrl-C."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="stop then; exit 0 only if all three were confirmed")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        if not settings.TIKTOK_SANDBOX:
            raise CommandError(gettext("The demo is for TikTok's sandbox only, and TIKTOK_SANDBOX is off."))
        os.umask(0o077)  # its folder and log are nobody else's business
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _interrupt)
        code = EXIT_INTERRUPTED if once else 0
        try:
            code = self._show(once)
        except KeyboardInterrupt:
            self._say(gettext("Everything has stopped."))
        except ShowFailed as failure:
            self.stderr.write("\n".join(part for part in (failure.tail, str(failure)) if part))
            code = EXIT_FAILED
        if code:
            sys.exit(code)

    def _show(self, once: bool) -> int:
        self._say(gettext("Starting SubiteYa (log: %(path)s)…") % {"path": settings.VAR_DIR / "demo.log"})
        with product() as running:
            running.wait_until_ready()
            self._say(gettext("Loading the demo's accounts and a month of history…"))
            _must(running, running.ask("demo_data"))
            began = time.monotonic()
            done = self._publish(running)
            is_good = self._tell(running, done, time.monotonic() - began)
            if once:
                return 0 if is_good else EXIT_FAILED
            self._say(gettext("Ctrl-C stops everything."))
            running.serve()
        return EXIT_FAILED

    def _publish(self, running: Product) -> Answered:
        names = [f"@{brand.username}" for brand in BRANDS if brand.manager == STAR]
        words = gettext("Publishing %(file)s to %(accounts)s…")
        self._say(words % {"file": SAMPLE.name, "accounts": ", ".join(names)})
        return running.ask("publish", *_order(names), screen=True)

    def _tell(self, running: Product, done: Answered, seconds: float) -> bool:
        """Say how it went and where everything is; True when every video is out."""
        videos = done.document.get("videos", [])
        if not videos:
            self._say(_why(done))
        self._say("")
        for video in videos:
            link = (video["post"] or {}).get("url") or (video["reason"] or {}).get("sentence") or video["status"]
            self._say(f"  {video['account']:<20} {link}")
        is_good = done.code == 0 and len(videos) == 3
        if is_good:
            self._say(gettext("All three are confirmed by TikTok (the sandbox), in %(n)d seconds.") % {"n": seconds})
        self._say("\n" + _addresses(running))
        return is_good

    def _say(self, words: str) -> None:
        self.stdout.write(words)
        self.stdout.flush()


def _order(names: list[str]) -> list[str]:
    """The arguments of `publish`; a new key each time, so that every demo is a new batch."""
    accounts = [part for name in names for part in ("--account", name)]
    tags = [part for tag in HASHTAGS for part in ("--hashtag", tag)]
    return [
        str(SAMPLE), *accounts, *tags, "--user", STAR, "--caption", CAPTION, "--privacy", "PUBLIC_TO_EVERYONE",
        "--allow-comment", "--subtitles", "auto", "--script", f"@{SCRIPT}", "--language", "es",
        "--key", f"demo-{uuid.uuid4().hex}", "--wait", "--timeout", str(WATCH_SECONDS),
    ]  # fmt: skip


def _must(running: Product, answered: Answered) -> None:
    if answered.code:
        raise ShowFailed(_why(answered), running.tail())


def _why(answered: Answered) -> str:
    error = answered.document.get("error") or {}
    return str(error.get("message") or gettext("A command failed (exit code %(code)s).") % {"code": answered.code})


def _addresses(running: Product) -> str:
    """Where to look and who to be."""
    places = {
        gettext("Application"): f"{running.web_url}/",
        gettext("Administration"): f"{running.web_url}{reverse('admin:index')}",
        gettext("TikTok's sandbox"): f"{running.sandbox_url}/_sandbox/",
    }
    roles = {False: gettext("community manager"), True: gettext("administrator")}
    width = max(map(len, places))
    lines = [f"  {name:<{width}}  {address}" for name, address in places.items()]
    lines += [""]
    head = gettext("user"), gettext("password")
    lines += [f"  {head[0]:<8} {head[1]}"]
    lines += [f"  {person.username:<8} {person.password:<16} {roles[person.is_admin]}" for person in PEOPLE]
    return "\n".join(lines)


def _interrupt(signum: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
