"""Web hosts, schedulers, and the restart of every host under load."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor

import requests

from benchmarks._hosts_load import PASSWORD, Load, Stream
from benchmarks._hosts_net import Failed, wait
from benchmarks._hosts_stack import EDIT, UPLOAD, WEB, Stack
from benchmarks.harness import ROOT, Figure, progress
from publishing.models import Leadership
from publishing.services.reconcile import LEADERSHIP
from publishing.states import VideoStatus

ANSWER_SECONDS = (1.0, 10.0)
#: One web host, two of its threads' worth of people at a time.
PEOPLE, REQUESTS = 16, 96
#: Before the first host is restarted, so many videos went out from the old code.
FIRST = 3


def rolling(stack: Stack, load: Load, *, quick: bool) -> list[Figure]:
    """Every host is restarted, one after the other, on the new code, while videos come in and go out."""
    was_old = stack.code["web1"] != ROOT
    progress(f"rolling restart of all hosts under load, {'from the newest release' if was_old else 'on the same code'}")
    source = load.source("rolling", seconds=1.0, turn=9)
    stream = Stream(load, source, every=1.5)
    probe = _Probe(stack)
    wait(lambda: len(stream.videos) >= FIRST, seconds=60, about="the first videos")
    load.wait_for(stream.videos[:FIRST], VideoStatus.POSTED)
    began = time.monotonic()
    some = quick and not was_old  # the other steps want the new code everywhere
    for name in (WEB[0], EDIT[0], UPLOAD[0]) if some else (*WEB, *EDIT, *UPLOAD):
        stack.restart(name, code=ROOT)
    seconds = time.monotonic() - began
    stream.stop()
    failed = probe.stop()
    load.wait_for(stream.videos, VideoStatus.POSTED)
    detail = {"seconds": seconds, "videos": len(stream.videos), "from_the_newest_release": was_old}
    return [
        Figure(name="rolling restart: submissions refused", measured=len(stream.refused), goal=0, detail=detail),
        Figure(name="rolling restart: requests that nobody answered", measured=failed, goal=0),
    ]


class _Probe:
    """Asks for /healthz four times a second as a proxy does: the one web host, and when it fails the other."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._going = True
        self._pool = ThreadPoolExecutor(1)
        self._failed = self._pool.submit(self._run)

    def _run(self) -> int:
        failed, number = 0, 0
        while self._going:
            number += 1
            hosts = WEB if number % 2 else WEB[::-1]
            failed += not any(_answers(self._stack.web_url(host) + "/healthz") for host in hosts)
            time.sleep(0.25)
        return failed

    def stop(self) -> int:
        self._going = False
        return self._failed.result()


def _answers(url: str, cookies: dict[str, str] | None = None) -> bool:
    try:
        answer = requests.get(url, cookies=cookies, timeout=ANSWER_SECONDS, allow_redirects=False)
    except requests.RequestException:
        return False
    return answer.status_code == 200


def sessions(stack: Stack, load: Load, *, quick: bool) -> list[Figure]:
    """A log-in on one web host holds on the other, also when the first is gone in the middle of many requests."""
    progress("a session over two web hosts, one of which is lost")
    cookies = _log_in(stack.web_url("web1"))
    home = [stack.web_url(host) + "/" for host in WEB]
    holds = sum(_answers(url, cookies) for url in home)

    def ask(number: int) -> int:
        """How many hosts had to be asked; 0: none answered."""
        order = home if number % 2 else home[::-1]
        return next((tried for tried, url in enumerate(order, 1) if _answers(url, cookies)), 0)

    with ThreadPoolExecutor(PEOPLE) as people:
        asked = [people.submit(ask, number) for number in range(REQUESTS // (4 if quick else 1))]
        wait(lambda: sum(one.done() for one in asked) > len(asked) // 4, seconds=60, about="requests")
        stack["web1"].power_off()
        tries = [one.result() for one in asked]
    stack.start(["web1"])
    detail = {"requests": len(tries), "answered_by_the_second_choice": tries.count(2)}
    return [
        Figure(name="web hosts that know the session", measured=holds, goal=2, better="more"),
        Figure(name="web host lost: requests that nobody answered", measured=tries.count(0), goal=0, detail=detail),
    ]  # fmt: skip


def _log_in(url: str) -> dict[str, str]:
    person = requests.Session()
    page = person.get(f"{url}/login/", timeout=ANSWER_SECONDS)
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    if found is None:
        raise Failed(f"no log-in form: HTTP {page.status_code}")
    form = {"csrfmiddlewaretoken": found[1], "username": "ana", "password": PASSWORD}
    answer = person.post(f"{url}/login/", data=form, timeout=ANSWER_SECONDS, allow_redirects=False)
    if answer.status_code != 302:
        raise Failed(f"the log-in was refused: HTTP {answer.status_code}")
    return person.cookies.get_dict()


def scheduler(stack: Stack, load: Load, *, quick: bool) -> list[Figure]:
    """The leading scheduler's host is lost."""
    progress("the leading scheduler is lost")
    leader = Leadership.objects.get(name="reconciler").owner.split(":")[0]
    stack[leader].power_off()
    lost = time.monotonic()
    wait(
        lambda: not Leadership.objects.get(name="reconciler").owner.startswith(f"{leader}:"),
        seconds=60,
        about="a leader",
    )
    seconds = time.monotonic() - lost
    stack.start([leader])
    longest = LEADERSHIP.total_seconds()
    detail = {"leadership_seconds": longest, "seconds": seconds}
    over = max(0.0, seconds - longest)
    return [
        Figure(name="scheduler lost: another leads after its term", measured=over, unit="s", goal=2.0, detail=detail)
    ]
