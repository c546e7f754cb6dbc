"""The product on many hosts: which programs run where, and with what environment."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from urllib.request import urlopen

from cryptography.fernet import Fernet

from benchmarks._hosts_net import Failed, Host, Running, make_bridge, wait
from benchmarks.harness import ROOT, CannotMeasure
from subiteya.lib.redis_server import find_redis_server

#: Leases of 9 s, leadership of 1.5 s, 2 s for the host that keeps an edit's files. At 1: 90 s, 15 s and 20 s.
PACE = 0.1
#: What the product's environment could bring along from ours.
OURS = ("SUBITEYA_", "TIKTOK_", "S3_", "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "FIELD_", "DJANGO_", "PG", "OTEL_")
BACK = ("db", "redis", "s3", "tiktok")
WEB, EDIT = ("web1", "web2"), ("edit1", "edit2")
UPLOAD = ("upload1", "upload2", "upload3", "upload4")
DATABASE_PORT, POOLER_PORT, REDIS_PORT, S3_PORT, TIKTOK_PORT, WEB_PORT = 5432, 6432, 6379, 9000, 8001, 8000
#: Connections that PgBouncer, where it is installed, opens to PostgreSQL for all hosts together.
POOL_SIZE = 12
WEB_PROCESSES, WEB_THREADS = 1, 8
#: The benchmark's own connections are not counted.
OWN_NAME = "benchmark"
#: What a program prints when it works.
READY = {
    "web": "Listening at", "edit": "worker_started", "edit-host": "worker_started", "upload": "worker_started",
    "scheduler": "scheduler_started",
}  # fmt: skip
START_SECONDS = 90.0
#: PostgreSQL and PgBouncer refuse to run as root.
NOBODY_SPECIAL = ("unshare", "--user", "--map-user=1000", "--map-group=1000")


class Stack:
    """All hosts below `folder`. Each runs the code in its `code`, which a roll-out changes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        names = [*BACK, *WEB, *EDIT, *UPLOAD]
        self.hosts = {name: Host(name, 11 + number, folder) for number, name in enumerate(names)}
        self.code = dict.fromkeys(names, ROOT)
        self._secrets = {
            "secret_key": secrets.token_urlsafe(50), "field_encryption_key": Fernet.generate_key().decode(),
            "sandbox_client_secret": secrets.token_urlsafe(32),
        }  # fmt: skip
        self.pooler = shutil.which("pgbouncer")
        self.own = folder / OWN_NAME
        self.own.mkdir()

    def __getitem__(self, name: str) -> Host:
        return self.hosts[name]

    def url(self, name: str, port: int) -> str:
        return f"http://{self.hosts[name].address}:{port}"

    def database_url(self, port: int) -> str:
        return f"postgres://subiteya@{self['db'].address}:{port}/postgres"

    @property
    def sandbox_url(self) -> str:
        return self.url("tiktok", TIKTOK_PORT)

    def web_url(self, name: str) -> str:
        return self.url(name, WEB_PORT)

    def environment(self, name: str, code: Path) -> dict[str, str]:
        """Of a product process on host `name`: one database, Redis and bucket for all; a disk for each."""
        folder = self.own if name == OWN_NAME else self[name].folder
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(OURS)}
        secret = folder / "secrets.json"
        if not secret.exists():
            secret.write_text(json.dumps(self._secrets), encoding="utf-8")
        return inherited | {
            "DJANGO_SETTINGS_MODULE": "subiteya.settings.dev",  # production refuses the sandbox
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PGAPPNAME": name,
            "DATABASE_URL": self.database_url(POOLER_PORT if self.pooler else DATABASE_PORT),
            "SUBITEYA_DATABASE_POOLER": "true" if self.pooler else "",
            "REDIS_URL": f"redis://{self['redis'].address}:{REDIS_PORT}/0",
            "S3_BUCKET": "subiteya",
            "S3_ENDPOINT_URL": self.url("s3", S3_PORT),
            "S3_REGION": "us-east-1",
            "S3_ACCESS_KEY_ID": "test",
            "S3_SECRET_ACCESS_KEY": "test",
            "SUBITEYA_SANDBOX_URL": self.sandbox_url,
            "SUBITEYA_SITE_URL": self.web_url("web1"),
            "SUBITEYA_ALLOWED_HOSTS": ",".join(self[web].address for web in WEB),
            "SUBITEYA_WEB_HOST": "0.0.0.0",
            "SUBITEYA_WEB_PORT": str(WEB_PORT),
            "SUBITEYA_WEB_PROCESSES": str(WEB_PROCESSES),
            "SUBITEYA_WEB_THREADS": str(WEB_THREADS),
            "SUBITEYA_STATIC_ROOT": str(self.folder / ("static" if code == ROOT else "static-old")),
            "SUBITEYA_VAR_DIR": str(folder),
            "SUBITEYA_WORK_DIR": str(folder / "work"),
            "SUBITEYA_TIME_SCALE": str(PACE),
            "SUBITEYA_UPLOAD_SINGLE_PART_MAX": "5000000",
            "SUBITEYA_UPLOAD_PART_TARGET": "10000000",
            "SUBITEYA_LOG_FORMAT": "json",
        }

    # What is behind

    def start_back(self) -> None:
        """The bridge, PostgreSQL, Redis, S3 and TikTok's stand-in, each on its host."""
        make_bridge()
        for name in BACK:
            self[name].power_on()
        database = self._start_database()
        self.start_redis()
        s3 = self["s3"].run("moto", [sys.executable, "-m", "moto.server", "-H", "0.0.0.0", "-p", str(S3_PORT)])
        sandbox = self.manage(
            "tiktok", "tiktok_sandbox", "--host", self["tiktok"].address, "--port", str(TIKTOK_PORT),
            "--processing-seconds", "0.5", "--moderation-seconds", "0.2",
        )  # fmt: skip
        behind = [(database, "ready to accept"), (s3, "Running on"), (sandbox, "sandbox:")]
        if self.pooler:
            behind.append((self._start_pooler(), "process up"))
        for process, words in behind:
            wait(
                lambda process=process, words=words: process.said(words), seconds=START_SECONDS, about=str(process.log)
            )

    def _start_database(self) -> Running:
        bins = shutil.which("initdb") or next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))), None)
        if bins is None:
            raise CannotMeasure(
                'hosts: PostgreSQL is not installed: on Debian, run "apt-get install postgresql" as root'
            )
        folder, programs = self["db"].folder / "data", Path(bins).parent
        words = (
            f'"{programs}/initdb" --pgdata "$0" --username subiteya --auth trust --encoding UTF8 --locale C --no-sync'
            f' && echo "host all all {self["db"].address}/24 trust" >> "$0/pg_hba.conf"'
            f' && exec "{programs}/postgres" -D "$0" -p {DATABASE_PORT} -c listen_addresses="*"'
            ' -c unix_socket_directories="$0" -c fsync=off -c synchronous_commit=off -c full_page_writes=off'
            " -c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=2"  # docs/scaling.md
        )
        return self["db"].run("postgres", [*NOBODY_SPECIAL, "sh", "-c", words, str(folder)])

    def _start_pooler(self) -> Running:
        """One that lends a connection per transaction, where it is installed: all of the product goes through it."""
        folder = self["db"].folder
        (folder / "users.txt").write_text('"subiteya" ""\n', encoding="utf-8")
        (folder / "pgbouncer.ini").write_text(
            f"[databases]\npostgres = host=127.0.0.1 port={DATABASE_PORT}\n"
            f"[pgbouncer]\nlisten_addr = *\nlisten_port = {POOLER_PORT}\nunix_socket_dir =\nauth_type = trust\n"
            f"auth_file = {folder}/users.txt\npool_mode = transaction\ndefault_pool_size = {POOL_SIZE}\n"
            "max_client_conn = 500\n",
            encoding="utf-8",
        )
        return self["db"].run("pgbouncer", [*NOBODY_SPECIAL, str(self.pooler), str(folder / "pgbouncer.ini")])

    def start_redis(self) -> None:
        """An empty Redis, as wherever it failed over to."""
        host = self["redis"]
        argv = [find_redis_server(), "--bind", "0.0.0.0", "--port", str(REDIS_PORT), "--protected-mode", "no"]
        argv += ["--save", "", "--appendonly", "no", "--dir", str(host.folder)]
        process = host.run("redis", [*argv, "--tcp-keepalive", "3"])  # docs/scaling.md
        wait(lambda: process.said("Ready to accept"), seconds=START_SECONDS, about="redis")

    # The product

    def manage(self, host: str, *arguments: str, name: str = "", core: int | None = None) -> Running:
        """Start a command of manage.py on a host."""
        pinned = [] if core is None else ["taskset", "--cpu-list", str(core)]
        argv = [*pinned, sys.executable, "manage.py", *arguments]
        code = self.code[host]
        return self[host].run(name or arguments[0], argv, cwd=code, environment=self.environment(host, code))

    def call(self, host: str, *arguments: str, code: Path) -> None:
        """Run a command of manage.py on a host to its end, from the code in `code`."""
        argv = [sys.executable, "manage.py", *arguments]
        self[host].call(argv, cwd=code, environment=self.environment(host, code))

    def start(self, names: Iterable[str]) -> None:
        """Switch these hosts on, where they are off, and start what belongs there; return when all of it works."""
        names = list(names)
        started = [pair for name in names for pair in self._start_host(name)]
        for name, process in started:
            wait(
                lambda name=name, process=process: process.said(READY[name]), seconds=START_SECONDS,
                about=f"start of {process.log}",
            )  # fmt: skip

        for name in set(names) & set(WEB):  # as a proxy sees it
            wait(
                partial(_is_healthy, f"{self.web_url(name)}/healthz"), seconds=START_SECONDS, about=f"answer of {name}"
            )

    def _start_host(self, name: str) -> list[tuple[str, Running]]:
        if not self[name].is_on:
            self[name].power_on()
        if name in WEB:
            web = [sys.executable, "-m", "gunicorn", "-c", "python:subiteya.gunicorn_conf"]
            code = self.code[name]
            return [
                ("web", self[name].run("web", web, cwd=code, environment=self.environment(name, code))),
                ("scheduler", self.manage(name, "scheduler")),
            ]
        if name in UPLOAD:
            return [("upload", self.manage(name, "worker", "upload", name="upload"))]
        core = one_core(EDIT.index(name))
        return [
            ("edit", self.manage(name, "worker", "edit", name="edit", core=core)),
            ("edit-host", self.manage(name, "worker", "edit", "--host-queue", name="edit-host", core=core)),
        ]

    def restart(self, name: str, *, code: Path) -> None:
        """An orderly restart of one host, on other code."""
        self[name].stop()
        self.code[name] = code
        self.start([name])

    def power_off(self) -> None:
        for host in self.hosts.values():
            with suppress(Failed, ProcessLookupError, subprocess.SubprocessError):
                host.power_off()


def _is_healthy(url: str) -> bool:
    with suppress(OSError), urlopen(url, timeout=5) as answer:
        return bool(answer.status == 200)
    return False


def one_core(index: int) -> int:
    """The processor of the edit host `index`: each has one, as far as there are enough."""
    cores = sorted(os.sched_getaffinity(0))
    return cores[index % len(cores)]


def workers(hosts: Iterable[str]) -> int:
    """Worker processes on these hosts."""
    return sum(2 if name in EDIT else 1 for name in hosts if name in EDIT + UPLOAD)
