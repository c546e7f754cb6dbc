"""`manage.py check --deploy` holds nothing against a production installation."""

from __future__ import annotations

import re

from tests.processes import MANAGE, ROOT
from tests.test_settings import PRODUCTION, run

#: `security.W021` asks for HSTS preload, which the owner of the domain decides (SUBITEYA_HSTS_PRELOAD).
CHECK = [*MANAGE, "check", "--deploy", "--fail-level", "WARNING"]


def example() -> dict[str, str]:
    """`.env.example`, with everything in it that production requires filled in."""
    lines = re.findall(r"^([A-Z][A-Z0-9_]+)=(.*)$", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)
    given = dict(lines)
    secret = {
        "SECRET_KEY": "0pM3xq7Vw9-tU2sYb6Zr4nKd8Lf1Hg5Jc_aQeWoPiXyCvBmNzT",
        "TIKTOK_CLIENT_KEY": "aw1b2c3d4e5f",
        "TIKTOK_CLIENT_SECRET": "b7d9f1e3c5a7",
        "FIELD_ENCRYPTION_KEYS": PRODUCTION["FIELD_ENCRYPTION_KEYS"],
    }
    assert {name for name, value in given.items() if not value} == secret.keys()
    return {**given, **secret}


def test_it_is_clean_with_the_example_s_environment() -> None:
    done = run(CHECK, seconds=180, **example())

    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout + done.stderr


def test_it_is_clean_with_preload_and_nothing_silenced() -> None:
    done = run(CHECK, seconds=180, **example(), SUBITEYA_HSTS_PRELOAD="true")

    assert done.returncode == 0, done.stderr
    assert "(0 silenced)" in done.stdout + done.stderr


def test_it_would_not_be_clean_without_https() -> None:
    done = run(CHECK, seconds=180, **{**example(), "SUBITEYA_SITE_URL": "http://subiteya.example.com"})

    assert done.returncode != 0
    assert "security.W008" in done.stderr
