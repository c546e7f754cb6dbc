"""`manage.py tiktok_sandbox`: the strict TikTok of our own, on this machine (docs/sandbox.md)."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from subiteya.tiktok.sandbox import Sandbox, SandboxSettings, serve


class Command(BaseCommand):
    help = "Runs TikTok's sandbox until SIGTERM or Ctrl-C. Its control page is at /_sandbox/."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=settings.SANDBOX_PORT)
        parser.add_argument("--data-dir", type=Path, default=settings.VAR_DIR / "sandbox")
        parser.add_argument("--client-key", help="instead of TIKTOK_CLIENT_KEY")
        parser.add_argument("--client-secret", help="instead of TIKTOK_CLIENT_SECRET")
        parser.add_argument(
            "--redirect-uri",
            action="append",
            help="registered redirect URI or beginning of one; may be repeated (default: all of this machine)",
        )
        parser.add_argument("--webhook-url", help="where TikTok's webhooks go (default: nowhere)")
        parser.add_argument("--processing-seconds", type=float, help="from the last byte to PUBLISH_COMPLETE")
        parser.add_argument("--moderation-seconds", type=float, help="from there to the public post id")
        parser.add_argument("--unaudited", action="store_true", help="TikTok has not audited the app")

    def handle(self, *args: Any, host: str, port: int, data_dir: Path, **options: Any) -> None:
        leave = _leave_on_signal()
        given = _given(options)
        sandbox = Sandbox(data_dir, SandboxSettings(**given))
        sandbox.forget_changes(*given)
        server = serve(sandbox, host, port)
        self.stdout.write(f"TikTok's sandbox: {server.url}/_sandbox/")
        self.stdout.flush()
        leave.wait()
        server.shutdown()
        sandbox.close()


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """What the command line or our settings say; it beats what was changed on the control page before."""
    given = {
        "client_key": options["client_key"] or settings.TIKTOK_CLIENT_KEY,
        "client_secret": options["client_secret"] or settings.TIKTOK_CLIENT_SECRET,
        "redirect_uris": tuple(options["redirect_uri"] or ()),
        "webhook_url": options["webhook_url"],
        "processing_seconds": options["processing_seconds"],
        "moderation_seconds": options["moderation_seconds"],
        "audited": False if options["unaudited"] else None,
    }
    return {name: value for name, value in given.items() if value not in (None, "", ())}


def _leave_on_signal() -> threading.Event:
    leave = threading.Event()

    def asked(signum: int, frame: FrameType | None) -> None:
        leave.set()

    signal.signal(signal.SIGTERM, asked)
    signal.signal(signal.SIGINT, asked)
    return leave
