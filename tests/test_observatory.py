"""MDN's HTTP Observatory would give A+ to what production answers, whoever asks and for what."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.observatory import Cookie, Seen, grade
from tests.test_deploy_check import example
from tests.test_settings import run

#: Ran under `subiteya.settings.prod` against a database of its own; prints what each address answered.
ASK = """
import json, django
django.setup()
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.test.utils import setup_test_environment
call_command("migrate", verbosity=0)
from accounts.models import User
from django_otp.plugins.otp_static.models import StaticDevice
from monitoring.models import KeyScope
from monitoring.services.keys import key_make
host = settings.SITE_URL.removeprefix("https://")
admin = User.objects.create_superuser("boss", password="a long password")
inside = Client(headers={"host": host})
inside.force_login(admin)
device = StaticDevice.objects.create(user=admin, name="x")
session = inside.session
session["otp_device_id"] = device.persistent_id
session.save()
key = key_make(name="p", scope=KeyScope.MONITOR)[1]
program = Client(headers={"host": host, "authorization": f"Bearer {key}"})
stranger = Client(headers={"host": host})
asked = [("log-in", stranger, "/login/"), ("Hoy", inside, "/"), ("New", inside, "/new/"), ("admin", inside, "/admin/"),
         ("a list of the admin", inside, "/admin/accounts/user/"), ("API", program, "/api/monitor/metrics"),
         ("API's reader", inside, "/api/docs/"), ("nothing", inside, "/nowhere/"), ("health", stranger, "/healthz"),
         ("a file", stranger, "/static/css/app.css"), ("media", inside, "/assets/1/media/")]
found = []
for name, client, path in asked:
    client.cookies.pop(settings.CSRF_COOKIE_NAME, None)
    answer = client.get(path, secure=True)
    plain = stranger.get(path)
    content = b"".join(answer) if answer.streaming else answer.content
    found.append({
        "name": name, "status": answer.status_code, "headers": dict(answer.headers),
        "html": content.decode(errors="replace"), "redirected_to": plain.get("Location", ""),
        "cookies": [[one.key, bool(one["secure"]), bool(one["httponly"]), one["samesite"]]
                    for one in answer.cookies.values()],
    })
    answer.close()
print(json.dumps({"host": host, "session": settings.SESSION_COOKIE_NAME, "csrf": settings.CSRF_COOKIE_NAME,
                  "flags": [settings.SESSION_COOKIE_SECURE, settings.SESSION_COOKIE_HTTPONLY,
                            settings.SESSION_COOKIE_SAMESITE], "found": found}))
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = tmp_path_factory.mktemp("production")
    own = {
        "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}", "REDIS_URL": f"unix://{folder / 'redis.sock'}",
        "SUBITEYA_VAR_DIR": str(folder / "var"), "SUBITEYA_STATIC_ROOT": str(folder / "static"),
    }  # fmt: skip
    environment = {**example(), **own}
    collected = run([sys.executable, "manage.py", "collectstatic", "--no-input", "-v0"], seconds=300, **environment)
    assert collected.returncode == 0, collected.stderr
    done = run([sys.executable, "-c", ASK], seconds=300, **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_it_gets_an_a_plus_for_every_kind_of_answer(answers: Any, capsys: pytest.CaptureFixture[str]) -> None:
    session = Cookie(answers["session"], *answers["flags"])
    for one in answers["found"]:
        cookies = [Cookie(*values) for values in one["cookies"]]
        seen = Seen(
            headers=one["headers"], html=one["html"], cookies=(*cookies, session), host=answers["host"],
            # What programs ask is not redirected by us; the proxy does it for everybody (deploy/nginx.conf).
            redirected_to=one["redirected_to"] or f"https://{answers['host']}/",
            session=answers["session"], csrf=answers["csrf"],
        )  # fmt: skip
        graded = grade(seen)
        with capsys.disabled():
            text = f"{one['name']}: {graded.grade} {graded.score}, {graded.score_without_newer} without COOP and COEP"
            sys.stderr.write(f"\nObservatory: {text}")
        assert graded.grade == "A+", (one["name"], graded.findings)
        assert not [finding for finding in graded.findings if finding.endswith("not-implemented")
                    and not finding.startswith(("cross-origin-resource-sharing", "sri-"))], graded.findings  # fmt: skip
        assert graded.score >= 155, (one["name"], graded.findings)
        assert graded.score_without_newer >= 135


def test_it_asks_what_it_says_it_asks(answers: Any) -> None:
    status = {one["name"]: one["status"] for one in answers["found"]}

    assert status == {
        "log-in": 200, "Hoy": 200, "New": 200, "admin": 200, "a list of the admin": 200, "API": 200,
        "API's reader": 200, "nothing": 404, "health": 200, "a file": 200, "media": 404,
    }  # fmt: skip
    redirected = {one["name"]: one["redirected_to"] for one in answers["found"]}
    assert redirected["Hoy"] == f"https://{answers['host']}/"
    assert redirected["health"] == ""


GOOD = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; frame-ancestors 'none'",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "Content-Type": "text/html",
}
COOKIE = Cookie("sessionid", secure=True, http_only=True, same_site="Lax")


@pytest.mark.parametrize(
    ("change", "score", "letter"),
    [
        ({}, 120, "A+"),
        ({"X-Content-Type-Options": ""}, 115, "A+"),
        ({"Content-Security-Policy": ""}, 55, "C"),
        ({"Content-Security-Policy": "default-src 'self' 'unsafe-inline'; frame-ancestors 'none'"}, 80, "B+"),
        ({"Strict-Transport-Security": ""}, 80, "B+"),
        ({"Strict-Transport-Security": "max-age=60"}, 110, "A+"),
        ({"Access-Control-Allow-Origin": "x", "Access-Control-Allow-Credentials": "true"}, 50, "C"),
        ({"Cross-Origin-Resource-Policy": "same-origin"}, 130, "A+"),
    ],
)
def test_it_scores_as_the_table_says(change: dict[str, str], score: int, letter: str) -> None:
    graded = grade(Seen(headers=GOOD | change, cookies=(COOKIE,), redirected_to="https://x/", host="x"))

    assert (graded.score, graded.grade) == (score, letter)
