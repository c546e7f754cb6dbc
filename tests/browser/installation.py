"""The product in real processes, and the hands that stage a walk: accounts, orders, faults, and time that passes."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.processes import MANAGE, free_port, running, wait_for

#: Leases and pauses ten times shorter, TikTok's stand-in as much faster: nobody waits a minute for the second try.
TIME_SCALE = 0.1
FASTER = {"processing_seconds": 1, "moderation_seconds": 1, "status_per_minute": 300, "creator_info_per_minute": 200}
#: A pause that ends in the middle of a walk would try by itself what a person is to try.
COOL_DOWN_SECONDS = "9000"
#: The longest that ten processes, a new database or the demo's month may take on a machine that is busy otherwise.
START_SECONDS = 300


@dataclass(frozen=True)
class Installation:
    """What runs: where it answers, and the environment of its processes."""

    web_url: str
    sandbox_url: str
    folder: Path
    environment: dict[str, str]

    def manage(self, *words: str, stdin: str = "") -> str:
        """Run a command of ours beside the running product, and return what it printed."""
        done = subprocess.run(
            [*MANAGE, *words], env={**os.environ, **self.environment}, input=stdin, text=True, capture_output=True,
            timeout=START_SECONDS, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def sandbox(self, path: str, body: Any = None, *, method: str = "") -> Any:
        """Ask TikTok's stand-in at its JSON interface (docs/sandbox.md)."""
        method = method or ("GET" if body is None else "POST")
        answer = requests.request(method, f"{self.sandbox_url}/_sandbox/api/{path}", json=body, timeout=20)
        answer.raise_for_status()
        return answer.json()

    @contextmanager
    def fault(self, kind: str, username: str, **parameters: Any) -> Iterator[None]:
        """TikTok has this fault for this account, until the block ends."""
        made = self.sandbox("faults", {"kind": kind, "username": username, "times": None, **parameters})
        try:
            yield
        finally:
            requests.delete(f"{self.sandbox_url}/_sandbox/api/faults/{made['id']}", timeout=20)

    def posts(self, username: str) -> list[dict[str, Any]]:
        """What TikTok published for the account, oldest first."""
        entries = self.sandbox(f"ledger?username={username}")["publishes"]
        return [entry for entry in reversed(entries) if entry["posted"]]

    def connect(self, usernames: Sequence[str], *, manager: str = "ana") -> None:
        """Accounts that `manager` has had for long: made at TikTok, and their OAuth answers imported."""
        answers = []
        for username in usernames:
            self.sandbox("accounts", {"username": username, "nickname": username.title(), "daily_post_cap": 500})
            answer = self.sandbox(f"accounts/{username}/tokens", {})
            answers.append({**answer, "username": username, "sector": "Gastronomía"})
        self.manage("account_import", "--json", "-", "--manager", manager, stdin=json.dumps(answers))

    def order(self, film: Path, username: str, captions: Sequence[str]) -> None:
        """Videos of `film` for one account, submitted one after the other as a script would."""
        code = (
            "import sys, json; from django.core.management import call_command\n"
            "film, account, captions = json.load(sys.stdin)\n"
            "for caption in captions:\n"
            "    call_command('publish', film, '--account', account, '--caption', caption, '--user', 'ana',"
            " '--privacy', 'PUBLIC_TO_EVERYONE')\n"
        )
        self.manage("shell", "-v0", "-c", code, stdin=json.dumps([str(film), username, list(captions)]))

    def circuit(self, username: str, act: str) -> None:
        """Set the account apart ("isolate"), or let it publish again ("release"), as its page does."""
        code = (
            "import sys, json; from accounts.models import TikTokAccount, User\n"
            "from publishing.services import circuits\n"
            "username, act = json.load(sys.stdin)\n"
            "account = TikTokAccount.objects.get(username=username)\n"
            "getattr(circuits, f'circuit_{act}')("
            "account=account, reason='ensayo', actor=User.objects.get(username='ana'))\n"
        )
        self.manage("shell", "-v0", "-c", code, stdin=json.dumps([username, act]))

    def brand(self, username: str, logo: Path) -> Path:
        """The account's edits put this logo on; the place of the logo in the store."""
        code = (
            "import sys, json; from pathlib import Path\n"
            "from accounts.models import TikTokAccount, User\n"
            "from publishing.models import AccountBrand, AssetKind, BrandPattern\n"
            "from publishing.services.ingest import brand_file_ingest\n"
            "username, path = json.load(sys.stdin)\n"
            "with Path(path).open('rb') as stream:\n"
            "    user = User.objects.get(username='ana')\n"
            "    logo = brand_file_ingest(stream=stream, name='logo.png', kind=AssetKind.LOGO, user=user)\n"
            # of a width of its own: an equal edit of another account would be found instead of made
            "look = {'logo': logo, 'logo_enabled': True, 'logo_width_percent': 10 + len(username)}\n"
            "pattern, _made = BrandPattern.objects.update_or_create(name=username, defaults=look)\n"
            "account = TikTokAccount.objects.get(username=username)\n"
            "AccountBrand.objects.update_or_create(account=account, defaults={'pattern': pattern})\n"
            "print(logo.storage_key)\n"
        )
        key = self.manage("shell", "-v0", "-c", code, stdin=json.dumps([username, str(logo)])).strip()
        return self.folder / "var/bucket" / key

    def a_day_passes(self, caption: str) -> bool:
        """For the upload of the video with this caption: TikTok has had all of it since yesterday.

        False when nothing has been sent yet.
        """
        with closing(sqlite3.connect(self.folder / "var/db.sqlite3", timeout=20)) as database, database:
            aged = database.execute(
                "UPDATE publishing_uploadsession SET sent_at = datetime(sent_at, '-25 hours'),"
                " init_at = datetime(init_at, '-25 hours') WHERE sent_at IS NOT NULL AND video_id IN"
                " (SELECT id FROM publishing_video WHERE caption = ?)",
                [caption],
            )
            return aged.rowcount > 0


@contextmanager
def installed(folder: Path) -> Iterator[Installation]:
    """`manage.py up` in `folder` on free ports, with the demo's people and history."""
    environment = {
        "DJANGO_SETTINGS_MODULE": "subiteya.settings.dev",
        "DATABASE_URL": "",
        "REDIS_URL": "",
        "SUBITEYA_VAR_DIR": str(folder / "var"),
        "SUBITEYA_STATIC_ROOT": str(folder / "static"),
        "SUBITEYA_WEB_PORT": str(free_port()),
        "SUBITEYA_SANDBOX_PORT": str(free_port()),
        "SUBITEYA_WEB_PROCESSES": "1",
        "SUBITEYA_LANGUAGE": "es",
        "SUBITEYA_STAFF_IDLE_MINUTES": "600",  # the walks share what was logged in at their start
        "SUBITEYA_TIME_SCALE": str(TIME_SCALE),
        "SUBITEYA_CIRCUIT_COOL_DOWN_SECONDS": COOL_DOWN_SECONDS,
    }
    card = folder / "var" / "up.json"
    with running([*MANAGE, "up"], log=folder / "log", **environment) as process:
        wait_for(lambda: card.exists() or process.poll() is not None, seconds=START_SECONDS)
        assert process.poll() is None, (folder / "log").read_text()
        urls = json.loads(card.read_text())
        product = Installation(urls["web_url"], urls["sandbox_url"], folder, environment)
        product.manage("demo_data")
        product.sandbox("settings", FASTER)
        yield product
