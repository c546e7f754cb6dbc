"""One seeded database, asked: `python -m benchmarks._history_inside OUT [SAMPLES]` with a DATABASE_URL.

Each request goes through the WSGI application in this process, as gunicorn calls it: all middleware, a session, a
connection as long as settings say, DEBUG off, a warm process; only the socket is missing. Writes JSON to OUT: name of
the case → `ms` of each request, `queries`, `bytes`.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.models import Count  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.client import FakePayload, RequestFactory  # noqa: E402
from django.utils import timezone  # noqa: E402
from django_otp.plugins.otp_static.models import StaticDevice  # noqa: E402

from accounts.models import User  # noqa: E402
from monitoring.models import KeyScope  # noqa: E402
from monitoring.services.keys import key_make  # noqa: E402
from publishing.models import AccountCircuit, Batch, Job, Video  # noqa: E402
from publishing.services.circuits import circuit_permit, counted_failures  # noqa: E402
from publishing.states import CircuitState, Family, JobKind, VideoStatus  # noqa: E402
from subiteya import wsgi  # noqa: E402

SAMPLES = 40
#: A case whose requests take longer than this on average is cut short, but not below so many requests.
PATIENCE_SECONDS, LEAST = 0.15, 3
#: With fewer samples it is a smoke run, and of the list's filters only every so many is asked for.
SOME = 7
#: A key may ask for the monitor's document thirty times a minute.
PER_KEY = 25
TOKEN = "a" * 32  # the form's, and its cookie's


@dataclass
class Asked:
    """What came of one case."""

    ms: list[float] = field(default_factory=list)
    queries: int = 0
    bytes: int = 0

    def as_json(self) -> dict[str, Any]:
        return {"ms": [round(value, 3) for value in self.ms], "queries": self.queries, "bytes": self.bytes}


class Web:
    """The application, asked by one person or program."""

    application = wsgi.application

    def __init__(self, **headers: str) -> None:
        self.factory = RequestFactory(SERVER_NAME="127.0.0.1", **headers)

    def ask(self, address: str, data: dict[str, Any] | None = None) -> int:
        """The body's length. Anything but 200 ends the measurement."""
        method = "GET" if data is None else "POST"
        request = self.factory.get(address) if data is None else self.factory.post(address, data)
        environ = request.environ | {"REQUEST_METHOD": method}
        if data is not None:
            body = request.body
            environ |= {"wsgi.input": FakePayload(body), "CONTENT_LENGTH": str(len(body))}
        else:
            environ["wsgi.input"] = BytesIO()
        said: list[str] = []
        answer = self.application(environ, lambda status, headers: said.append(status))
        size = sum(len(part) for part in answer)
        answer.close()
        if not said[0].startswith("200"):
            raise SystemExit(f"{method} {address}: {said[0]}")
        return size


def person(username: str, *, verified: bool = False) -> Web:
    """A browser in which this person has logged in."""
    user = User.objects.get(username=username)
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    if verified:
        device = StaticDevice.objects.create(user=user, name="bench")
        session = client.session
        session["otp_device_id"] = device.persistent_id
        session.save()
    cookies = {settings.SESSION_COOKIE_NAME: client.cookies[settings.SESSION_COOKIE_NAME].value}
    cookies[settings.CSRF_COOKIE_NAME] = TOKEN
    text = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return Web(HTTP_COOKIE=text, HTTP_X_CSRFTOKEN=TOKEN)


def measured(act: Callable[[int], int], samples: int) -> Asked:
    """`act(number)` again and again; what it answers is a size."""
    asked = Asked(bytes=act(0))
    counted: list[int] = []

    def count(execute: Any, *args: Any) -> Any:
        counted.append(1)
        return execute(*args)

    with connection.execute_wrapper(count):
        act(1)
    asked.queries = len(counted)
    began = time.perf_counter()
    for number in range(samples):
        started = time.perf_counter()
        act(number)
        now = time.perf_counter()
        asked.ms.append((now - started) * 1000)
        if now - began > PATIENCE_SECONDS * samples and len(asked.ms) >= LEAST:
            break
    return asked


# The cases


def monitor(samples: int) -> Iterable[tuple[str, Asked]]:
    keys = [key_make(name="bench", scope=KeyScope.MONITOR)[1] for _turn in range((samples + 9) // PER_KEY + 1)]
    programs = [Web(HTTP_AUTHORIZATION=f"Bearer {key}") for key in keys]
    yield "metrics document", measured(lambda n: programs[n % len(keys)].ask("/api/monitor/metrics"), samples)
    scraper = Web(HTTP_AUTHORIZATION=f"Bearer {key_make(name='bench', scope=KeyScope.METRICS)[1]}")
    yield "/metrics", measured(lambda _n: scraper.ask("/metrics"), samples)


def pages(web: Web, who: str, samples: int) -> Iterable[tuple[str, Asked]]:
    yield f"Hoy ({who})", measured(lambda _n: web.ask("/"), samples)
    seen = Video.objects.for_user(User.objects.get(username=USERS[who]))
    old = list(seen.filter(status=VideoStatus.POSTED).order_by("pk").values_list("pk", flat=True)[:5])
    stuck = list(seen.filter(status__in=["rejected", "failed_upload"]).order_by("-pk").values_list("pk", flat=True)[:5])
    new = list(seen.filter(status=VideoStatus.POSTED).order_by("-pk").values_list("pk", flat=True)[:5])
    every = old + stuck + new
    yield f"video ({who})", measured(lambda n: web.ask(f"/videos/{every[n % len(every)]}/"), samples)


def reports(web: Web, who: str, samples: int) -> Iterable[tuple[str, Asked]]:
    long = f"since={timezone.localdate() - timedelta(days=540)}&until={timezone.localdate()}"
    for name, address in (("subtitles report", "/reports/subtitles/"), ("hashtags report", "/reports/hashtags/")):
        yield f"{name} ({who})", measured(lambda _n, address=address: web.ask(address), samples)
        yield f"{name}, 18 months ({who})", measured(lambda _n, address=address: web.ask(f"{address}?{long}"), samples)
    over = f"since={timezone.localdate() - timedelta(days=360)}&until={timezone.localdate() - timedelta(days=60)}"
    yield (
        f"hashtags of a period that is over ({who})",
        measured(lambda _n: web.ask(f"/reports/hashtags/?{over}"), samples),
    )


def suggestions(web: Web, samples: int) -> Iterable[tuple[str, Asked]]:
    mine = User.objects.get(username=USERS["manager"]).accounts.order_by("pk").values_list("pk", flat=True)
    accounts = [str(pk) for pk in mine[:6]]

    def act(number: int) -> int:
        return web.ask("/suggestions/", {"accounts": accounts, "submission_key": f"bench-{os.getpid()}-{number}"})

    yield "hashtag suggestions (manager)", measured(act, samples)


def list_filters(user: User) -> dict[str, str]:
    """Name → query of the list of videos."""
    seen = Video.objects.for_user(user)
    some = seen.filter(status=VideoStatus.POSTED).order_by("-pk")[10:11].get()
    today = timezone.localdate()
    causes = seen.exclude(reason_code="").values_list("reason_code").order_by().annotate(n=Count("pk")).order_by("n")
    rare, common = causes[0][0], causes[len(causes) - 1][0]
    account = user.accounts.first() if not user.sees_everything else some.account
    large = Batch.objects.filter(videos__in=seen.filter(pk__gt=some.pk - 200)).order_by("-pk").values_list("pk")[0][0]
    return {
        "none": "",
        **{f"family {family}": f"family={family}" for family in Family},
        "status cancelled": "status=cancelled", "status deferred": "status=deferred",
        "cause rare": f"cause={rare}", "cause common": f"cause={common}",
        "account": f"account={account.pk}", "account and family": f"account={account.pk}&family=attention",
        "a day": f"since={today - timedelta(days=30)}&until={today - timedelta(days=30)}",
        "the last week": "since=week_ago", "scheduled a day": "on=scheduled&since=yesterday&until=yesterday",
        "a year": f"since={today - timedelta(days=400)}&until={today - timedelta(days=35)}",
        "batch": f"batch={large}",
        "q rare": "q=aniversario", "q common": "q=errores", "q nothing": "q=zzzzqqq", "q account": "q=@marca.0100",
        "q file": "q=toma-07", "q post id": f"q={some.post_id}", "q trace": f"q={some.trace_id}",
        "q and family": "q=errores&family=ended",
    }  # fmt: skip


def video_list(web: Web, who: str, samples: int) -> Iterable[tuple[str, Asked]]:
    user = User.objects.get(username=USERS[who])
    deep = Video.objects.latest("pk").pk // 4
    step = SOME if samples < SAMPLES else 1
    for name, query in list(list_filters(user).items())[::step]:
        yield f"list: {name} ({who})", measured(lambda _n, query=query: web.ask(f"/videos/?{query}"), samples)
        address = f"/videos/?{query}&before={deep}"
        yield f"list: {name}, deep ({who})", measured(lambda _n, address=address: web.ask(address), samples)


def breaker(samples: int) -> Iterable[tuple[str, Asked]]:
    """What a worker asks before an upload, and what is counted after a failure; on a worker's open connection."""
    paused = AccountCircuit.objects.exclude(state=CircuitState.CLOSED).values("account")
    jobs = Job.objects.filter(kind=JobKind.UPLOAD).exclude(video__account__in=paused).order_by("-pk")
    found = list(jobs.select_related("video__account")[:samples])

    def permit(number: int) -> int:
        circuit_permit(job=found[number % len(found)], owner="bench")
        return 0

    yield "breaker: may it upload", measured(permit, samples)
    circuits = list(AccountCircuit.objects.order_by("pk")[:samples])

    def failures(number: int) -> int:
        return counted_failures(circuits[number % len(circuits)], timezone.now())

    yield "breaker: failures of the hour", measured(failures, samples)


USERS = {"manager": "seed-cm01", "administrator": "seed-admin"}


def main(out: Path, samples: int) -> None:
    assert not settings.DEBUG, "measured as it runs in production"
    found: dict[str, Any] = {}

    def keep(cases: Iterable[tuple[str, Asked]]) -> None:
        for name, asked in cases:
            found[name] = asked.as_json()
            out.write_text(json.dumps(found), encoding="utf-8")
            print(f"{name:60} {max(asked.ms):10.1f} ms  {asked.queries:3} queries", file=sys.stderr, flush=True)

    browsers = {"manager": person(USERS["manager"]), "administrator": person(USERS["administrator"], verified=True)}
    keep(monitor(samples))
    for who, web in browsers.items():
        keep(pages(web, who, samples))
    keep(suggestions(browsers["manager"], samples))
    for who, web in browsers.items():
        keep(video_list(web, who, samples))
    keep(breaker(samples * 10))
    for who, web in browsers.items():
        keep(reports(web, who, samples))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else SAMPLES)
