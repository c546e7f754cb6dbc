"""A missing or bad setting stops the start with one sentence, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import MANAGE, ROOT

PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "subiteya.settings.prod",
    "SECRET_KEY": "k" * 50,
    "FIELD_ENCRYPTION_KEYS": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    "SUBITEYA_SITE_URL": "https://subiteya.example.com",
    "DATABASE_URL": "postgres://subiteya:hunter2@127.0.0.1:5432/subiteya",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "TIKTOK_CLIENT_KEY": "key",
    "TIKTOK_CLIENT_SECRET": "secret",
}
REQUIRED = sorted(PRODUCTION.keys() - {"DJANGO_SETTINGS_MODULE"})


def run(argv: list[str], *, seconds: float = 120, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `argv` with nothing of ours in the environment but `environment`."""
    ours = ("SUBITEYA_", "TIKTOK_", "S3_", "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "FIELD_", "DJANGO_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return subprocess.run(
        argv, cwd=ROOT, env={**inherited, **environment}, capture_output=True, text=True, timeout=seconds, check=False
    )


def words_of(argv: list[str], **environment: str) -> str:
    """The one line on stderr of a start that was refused."""
    done = run(argv, **environment)
    assert done.returncode != 0
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("error: ")
    return line


@pytest.mark.parametrize("name", REQUIRED)
def test_it_names_the_setting_that_production_lacks(name: str) -> None:
    line = words_of([*MANAGE, "check"], **{**PRODUCTION, name: ""})

    assert f"{name} is required" in line


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SUBITEYA_WEB_PORT", "http", "SUBITEYA_WEB_PORT must be a whole number, not 'http'."),
        ("SUBITEYA_WEB_PORT", "70000", "SUBITEYA_WEB_PORT must be between 1 and 65535, not 70000."),
        ("DATABASE_URL", "mongo://hunter2@host/db", "DATABASE_URL must be an address such as postgres://"),
        ("REDIS_URL", "hunter2", "REDIS_URL must be an address that starts with redis://"),
        ("FIELD_ENCRYPTION_KEYS", "hunter2", "FIELD_ENCRYPTION_KEYS must hold Fernet keys"),
        ("SUBITEYA_TIME_ZONE", "Mars/Olympus", "SUBITEYA_TIME_ZONE must be a time zone"),
        ("SUBITEYA_LOG_FORMAT", "xml", "SUBITEYA_LOG_FORMAT must be one of console, json, not 'xml'."),
        ("TIKTOK_SANDBOX", "true", "TIKTOK_SANDBOX is for the embedded default: unset it in production."),
        ("SUBITEYA_DEBUG", "true", "SUBITEYA_DEBUG shows settings and code to whoever meets an error"),
        ("SECRET_KEY_FILE", "/nowhere/key", "SECRET_KEY_FILE cannot be read: No such file or directory"),
    ],
)
def test_it_says_what_is_wrong_with_a_setting_without_quoting_secrets(name: str, value: str, words: str) -> None:
    line = words_of([*MANAGE, "check"], **{**PRODUCTION, name: value})

    assert words in line
    assert "hunter2" not in line


def test_it_stops_the_web_server_with_the_same_sentence() -> None:
    gunicorn = [sys.executable, "-m", "gunicorn", "-c", "python:subiteya.gunicorn_conf"]

    assert "TIKTOK_CLIENT_KEY is required" in words_of(gunicorn, **{**PRODUCTION, "TIKTOK_CLIENT_KEY": ""})


SHOW = "from django.conf import settings as s; print(s.{}, end='')"


def shown(name: str, **environment: str) -> str:
    """The setting `name` as Django sees it."""
    done = run([sys.executable, "-c", SHOW.format(name)], **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_takes_complete_production_settings() -> None:
    assert shown("SECRET_KEY", **PRODUCTION) == "k" * 50
    assert shown("ALLOWED_HOSTS", **PRODUCTION) == "['127.0.0.1', 'localhost', '[::1]', 'subiteya.example.com']"
    assert shown("SESSION_COOKIE_SECURE", **PRODUCTION) == "True"
    assert shown("DEBUG", **PRODUCTION) == "False"
    assert shown("LOGGING['formatters']", **PRODUCTION).count("JsonFormatter") == 1


def test_it_keeps_embedded_secrets_from_one_start_to_the_next(tmp_path: Path) -> None:
    embedded = {"DJANGO_SETTINGS_MODULE": "subiteya.settings.dev", "SUBITEYA_VAR_DIR": str(tmp_path / "var")}

    first = shown("FIELD_ENCRYPTION_KEYS", **embedded)

    assert shown("FIELD_ENCRYPTION_KEYS", **embedded) == first
    assert (tmp_path / "var" / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_it_speaks_to_the_sandbox_by_default_and_to_tiktok_without_it(tmp_path: Path) -> None:
    embedded = {"DJANGO_SETTINGS_MODULE": "subiteya.settings.dev", "SUBITEYA_VAR_DIR": str(tmp_path)}
    keys = {"TIKTOK_CLIENT_KEY": "key", "TIKTOK_CLIENT_SECRET": "secret"}

    assert shown("TIKTOK_API_BASE", **embedded, SUBITEYA_SANDBOX_PORT="18001") == "http://127.0.0.1:18001"
    assert shown("TIKTOK_API_BASE", **embedded, **keys, TIKTOK_SANDBOX="no") == "https://open.tiktokapis.com"


def test_it_keeps_the_redis_socket_s_path_short_enough_for_the_kernel(tmp_path: Path) -> None:
    deep = tmp_path / ("deep" * 20) / ("deeper" * 10)
    embedded = {"DJANGO_SETTINGS_MODULE": "subiteya.settings.dev", "SUBITEYA_VAR_DIR": str(deep)}

    assert len(shown("REDIS_SOCKET", **embedded)) < 100


def test_it_puts_the_bucket_into_s3_when_one_is_named() -> None:
    bucket = {"S3_BUCKET": "videos", "S3_ENDPOINT_URL": "http://127.0.0.1:9000"}

    options = shown("STORAGES['default']", **PRODUCTION, **bucket)

    assert "storages.backends.s3.S3Storage" in options
    assert "'bucket_name': 'videos'" in options
    assert "'endpoint_url': 'http://127.0.0.1:9000'" in options


def test_it_notices_a_database_that_is_gone_unless_the_address_says_how() -> None:
    address = f"{PRODUCTION['DATABASE_URL']}?tcp_user_timeout=9000"

    options = shown("DATABASES['default']['OPTIONS']", **PRODUCTION | {"DATABASE_URL": address})

    assert "'keepalives_idle': 10" in options
    assert "'tcp_user_timeout': 9000" in options


def test_it_leaves_no_cursor_behind_in_a_pooler() -> None:
    name = "DATABASES['default']['DISABLE_SERVER_SIDE_CURSORS']"

    assert shown(name, **PRODUCTION, SUBITEYA_DATABASE_POOLER="true") == "True"
    assert shown(name, **PRODUCTION) == "False"


def test_it_says_at_connecting_how_a_session_is_whatever_else_the_address_says() -> None:
    """And not to a pooler, which would refuse the connection."""
    name = "DATABASES['default']['OPTIONS'].get('options')"
    address = f"{PRODUCTION['DATABASE_URL']}?options=-c%20work_mem%3D8MB"

    ours = "-c jit=off -c idle_in_transaction_session_timeout=60000"
    assert shown(name, **PRODUCTION) == ours
    assert shown(name, **PRODUCTION | {"DATABASE_URL": address}) == f"{ours} -c work_mem=8MB"
    assert shown(name, **PRODUCTION, SUBITEYA_DATABASE_POOLER="true") == "None"


BREAK = """
import sys
import django
from django.conf import settings
settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
django.setup()
from django.test import Client
from django.urls import path
import subiteya.urls

def broken(request):
    planted = "planted-local-variable"
    raise ValueError("Bearer planted-token")

subiteya.urls.urlpatterns.append(path("broken/", broken))
client = Client(raise_request_exception=False, headers={"host": "subiteya.example.com", "x-forwarded-proto": "https"})
for address in ("/broken/", "/no-such-page/"):
    answer = client.get(address)
    print(answer.status_code, answer.content.decode())
"""


def test_it_shows_no_debug_page_in_production(tmp_path: Path) -> None:
    """A page that breaks and one that is not there, under production's settings; no `collectstatic` was run here."""
    database = {"DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}", "SUBITEYA_VAR_DIR": str(tmp_path)}
    names = {"SUBITEYA_STATIC_ROOT": str(tmp_path), "OTEL_SDK_DISABLED": "true"}

    done = run([sys.executable, "-W", "ignore", "-c", BREAK], **{**PRODUCTION, **database, **names})

    assert done.stdout.startswith("500 "), done.stderr[-2000:]
    assert "\n404 " in done.stdout
    shown = done.stdout
    words = ("Traceback", "ValueError", "planted", "django.core", "DEBUG", "urlpatterns", PRODUCTION["SECRET_KEY"])
    assert not [word for word in words if word in shown]
    assert "planted-token" not in done.stderr


PINNED = ("requirements.txt", "requirements-dev.txt")


@pytest.mark.parametrize("name", PINNED)
def test_it_pins_every_package_by_version_and_hash(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]

    assert len(lines) > 30
    assert not [line[:60] for line in lines if "==" not in line.split("--hash", 1)[0] or "--hash=sha256:" not in line]
