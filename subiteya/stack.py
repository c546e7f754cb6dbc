"""What `manage.py up` runs on one machine: the product's processes, from the settings."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.checks import Tags
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.urls import reverse

from subiteya.lib.redis_server import find_redis_server, redis_argv
from subiteya.lib.supervision import Program


def programs(*, site_url: str, sandbox: bool) -> list[Program]:
    """Every process of the product; Redis first and last, because the others speak to it."""
    found = [Program(name="web", argv=_python("gunicorn", "-c", "python:subiteya.gunicorn_conf"))]
    if sandbox:
        found.append(Program(name="sandbox", argv=_sandbox_argv(site_url)))
    for kind, count in (("edit", settings.EDIT_WORKERS), ("upload", settings.UPLOAD_WORKERS)):
        found += [Program(name=f"{kind}-{n}", argv=_manage("worker", kind)) for n in range(1, count + 1)]
    if settings.EDIT_WORKERS:
        found.append(Program(name="edit-host", argv=_manage("worker", "edit", "--host-queue")))
    found.append(Program(name="scheduler", argv=_manage("scheduler")))
    if settings.REDIS_EMBEDDED:
        found.insert(0, _redis())
    return found


def _redis() -> Program:
    folder = settings.VAR_DIR / "redis"
    for needed in (folder, settings.REDIS_SOCKET.parent):
        needed.mkdir(mode=0o700, parents=True, exist_ok=True)
    argv = redis_argv(server=find_redis_server(), socket=settings.REDIS_SOCKET, folder=folder)
    return Program(name="redis", rank=0, argv=argv)


def _sandbox_argv(site_url: str) -> list[str]:
    """TikTok's stand-in; its client key and secret come to it through the environment."""
    return _manage(
        "tiktok_sandbox",
        "--host=127.0.0.1",
        f"--port={settings.SANDBOX_PORT}",
        f"--data-dir={settings.VAR_DIR / 'sandbox'}",
        f"--redirect-uri={site_url}{reverse('accounts:account_callback')}",
        f"--webhook-url={site_url}{reverse('publishing:webhook')}",
    )


def _python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def _manage(*arguments: str) -> list[str]:
    return [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments]


def prepare() -> None:
    """Bring the database up to date, and collect the static files when one of them changed.

    First of all, see that no row needs a key that is gone: what cannot be read must not be overwritten.
    """
    BaseCommand().check(tags=[Tags.database], databases=["default"])
    call_command("migrate", interactive=False, verbosity=0)
    stamp = settings.STATIC_ROOT / ".collected"
    digest = _static_digest()
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != digest:
        call_command("collectstatic", interactive=False, verbosity=0)
        stamp.write_text(digest, encoding="utf-8")


def _static_digest() -> str:
    digest = hashlib.sha256()
    for path in sorted(_static_files()):
        status = path.stat()
        digest.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _static_files() -> Iterator[Path]:
    for finder in get_finders():
        for name, storage in finder.list([]):
            yield Path(storage.path(name))
