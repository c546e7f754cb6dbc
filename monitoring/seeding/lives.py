"""What became of one video, as rows: its events, jobs, uploads, and what its account's breaker made of failures.

A `Life` stands at the second `t`; every step moves it on and writes what happened. The statuses are those of
`publishing.states`, and every change is one that it allows.
"""

from __future__ import annotations

import random
from collections import Counter
from itertools import count
from typing import Any

from monitoring.seeding.cast import File, Place
from monitoring.seeding.days import DAY, HOUR, MINUTE, text_of
from monitoring.seeding.tables import TABLES, Row
from publishing.models import UploadSession
from publishing.states import VIDEO_TERMINAL
from subiteya.tiktok import TikTokStatus

HOST = "seed"
#: Younger jobs have the events that the product forgets after a while.
RECENT = 30 * DAY
#: The pauses between the attempts of an upload.
PAUSES = (MINUTE, 5 * MINUTE, 15 * MINUTE)
COOL_DOWN = 15 * MINUTE
ATTEMPTS = 4
#: Codes of TikTok's that count against an account: `(code, class of error, HTTP status)`.
COUNTED = (("unavailable", "unavailable", 0), ("internal_error", "server_error", 500))
NOTHING = "{}"
ENDED = frozenset({"succeeded", "failed", "cancelled"})

_URL = UploadSession._meta.get_field("upload_url")


class World:
    """Where the rows of a run go: a list for each table, the next number of each, and what was counted."""

    def __init__(self, rng: random.Random, now: int, first: dict[str, int]) -> None:
        self.rng, self.random, self.now = rng, rng.random, now
        self.rows: dict[str, list[Row]] = {table.name: [] for table in TABLES}
        self.ids = {table.name: count(first.get(table.name, 1)) for table in TABLES}
        self.counts: Counter[tuple[str, str]] = Counter()
        self.circuits: dict[int, Row] = {}

    def adder(self, name: str) -> tuple[Any, Any]:
        """What appends a row of a table, and its next number."""
        return self.rows[name].append, self.ids[name].__next__


class Life:
    """A video that was submitted at `t` by `person`, due at `due` (0: at once)."""

    __slots__ = (
        "account", "attempt", "batch", "code", "created", "detail", "due", "edited", "fence", "file", "has_failed",
        "id", "job", "job_at", "job_started", "job_status", "kind", "mode", "person", "post_id", "posted_at",
        "render", "resume_at", "sent_at", "session", "session_at", "status", "t", "tiktok_status", "trace", "world",
    )  # fmt: skip

    def __init__(
        self, world: World, *, pk: int, batch: int, account: Place, file: File, person: int, trace: str, render: str,
        at: int, due: int = 0, first: str = "", mode: str = "direct",
    ) -> None:  # fmt: skip
        self.world, self.id, self.batch, self.account, self.file, self.person = world, pk, batch, account, file, person
        self.trace, self.render, self.t, self.created, self.due, self.mode = trace, render, at, at, due, mode
        self.status = self.code = self.tiktok_status = self.post_id = self.job_status = ""
        self.detail, self.edited, self.has_failed, self.session = NOTHING, False, False, 0
        self.posted_at = self.resume_at = self.sent_at = 0
        self.move(first or ("scheduled" if due else "pending"), person=person)

    # The way that all videos go

    def edit(self) -> None:
        random = self.world.random
        self.open("edit")
        self.t += 1 + int(random() * 4)
        self.job_to("running")
        self.move("editing")
        self.t += 8 + int(random() * 40)
        self.job_to("succeeded")
        self.edited = True
        self.move("scheduled" if self.due > self.t else "edited")

    def wait(self) -> None:
        """For its hour, if it has one."""
        if self.status == "scheduled":
            self.t = self.due + int(self.world.random() * 3)
            self.move("edited")

    def upload(self) -> None:
        """Start to send."""
        self.open("upload")
        self.t += 1 + int(self.world.random() * 3)
        self.run()

    def run(self) -> None:
        self.job_to("running")
        self.move("uploading")
        self.t += 1
        self.session = self.world.ids["publishing_uploadsession"].__next__()
        self.session_at = self.t
        self.sent_at = 0

    def send(self) -> None:
        """All of it is with TikTok."""
        self.t += 2 + int(self.world.random() * 8)
        self.sent_at = self.t
        self.job_to("processing")
        self.move("verifying")
        self.t += 5 + int(self.world.random() * 40)

    def post(self, *, code: str = "", person: int | None = None) -> None:
        """TikTok published it; a person may have to say so."""
        if self.status == "verifying" and self.world.random() < 0.08:
            self.move("in_review")
            self.t += 30 + int(self.world.random() * 600)
        self.tiktok_status = TikTokStatus.PUBLISH_COMPLETE
        self.settle("complete", self.tiktok_status)
        self.posted_at, self.post_id = self.t, str((self.t << 32) | (self.id & 0x7FFFFFFF))
        self.close("succeeded")
        self.move("posted", code, person=person)

    def out(self) -> None:
        """The whole of it, from what is edited."""
        self.upload()
        self.send()
        self.post()

    # Failures

    def cut(self) -> None:
        """One attempt of the upload at hand fails, and counts against the account; the job waits for the next."""
        code = self._refused()
        self.attempt += 1
        self.resume_at = self.t + PAUSES[min(self.attempt, len(PAUSES)) - 2]
        self.job_to("waiting", code)
        self.move(
            "retrying", code, f'{{"account": "@{self.account.username}", "attempt": {self.attempt}, "attempts": 4}}'
        )

    def again(self) -> None:
        self.t, self.resume_at = self.resume_at, 0
        self.run()

    def bad_hour(self, until: int) -> bool:
        """Fail until the account's breaker opens, wait, try once more; whether that went through. Then `send`."""
        account = self.account
        if account.paused_until > self.t:
            self._held_behind()
            return True
        self.upload()
        for _turn in range(2):
            self.cut()
            self.again()
        opened = self.broken()
        code = COUNTED[0][0]
        until = max(until, opened + COOL_DOWN)
        self.attempt += 1
        self.hold()
        self.t = account.paused_until = until + int(self.world.random() * 5 * MINUTE)
        self._circuit("probe_started", "open", "half_open")
        self.job_to("queued", "circuit_closed")
        self.run()
        went = self.world.random() < 0.8
        if not went:
            code = self._refused()
        self._circuit("closed" if went else "reset", "half_open", "closed")
        self.world.circuits[account.id] = (
            account.id, "closed", text_of(opened), None, text_of(self.t), 1, text_of(opened), code,
        )  # fmt: skip
        return went

    def broken(self) -> int:
        """The third failure within an hour opens the account's circuit; when."""
        code, account, opened = self._refused(), self.account, self.t
        self._circuit("opened", "closed", "open", until=opened + COOL_DOWN)
        at = text_of(opened)
        self.world.circuits[account.id] = (
            account.id, "open", at, text_of(opened + COOL_DOWN), None, 0, at, code,
        )  # fmt: skip
        return opened

    def hold(self) -> None:
        account = self.account
        self.settle("dead")
        self.job_to("held", "circuit_open")
        self.resume_at = self.t + COOL_DOWN
        self.move(
            "held", "circuit_open", f'{{"account": "@{account.username}", "failures": 3, "last_code": "unavailable"}}'
        )

    def _held_behind(self) -> None:
        self.open("upload")
        self.hold()
        self.t = self.account.paused_until + 5 + int(self.world.random() * 5 * MINUTE)
        self.job_to("queued", "circuit_closed")
        self.move("edited", "circuit_closed")
        self.run()

    def _refused(self) -> str:
        """TikTok did not take the attempt at hand; the code."""
        world, account = self.world, self.account
        code, reason, status = COUNTED[world.random() < 0.3]
        self.t += 2 + int(world.random() * 20)
        at = text_of(self.t)
        add, number = world.adder("monitoring_tiktokfailure")
        add(
            (
                number(),
                at,
                "video_init",
                reason,
                code,
                status,
                round(world.random() * 20, 3),
                account.id,
                "",
                self.trace,
            )
        )
        world.counts["tiktok_api_failures_total", f"video_init|{reason}"] += 1
        add, number = world.adder("publishing_circuitevent")
        add((number(), account.id, "failure_recorded", "closed", "closed", code, "count", 1, self.id, self.job,
             self.attempt, 0, None, at, self.trace))  # fmt: skip
        self.settle("dead")
        return code

    def _circuit(self, kind: str, old: str, new: str, *, until: int = 0) -> None:
        add, number = self.world.adder("publishing_circuitevent")
        add((number(), self.account.id, kind, old, new, "", "", 0, self.id, self.job, self.attempt, 1,
             text_of(until) if until else None, text_of(self.t), self.trace))  # fmt: skip
        self.world.counts["subiteya_circuit_transitions_total", new] += 1

    def fail(self, status: str, code: str, detail: str = NOTHING) -> None:
        """It needs a person."""
        self.has_failed = True
        if self.session:
            self.settle("failed" if status == "rejected" else "dead", "FAILED" if status == "rejected" else "", code)
        self.close("failed", code)
        self.move(status, code, detail)

    # What steps are made of

    def move(self, to: str, code: str = "", detail: str = NOTHING, person: int | None = None) -> None:
        add, number = self.world.adder("publishing_videoevent")
        add((number(), self.id, self.status, to, code, detail, person, text_of(self.t), self.trace))
        self.status, self.code, self.detail = to, code, detail
        if to in VIDEO_TERMINAL:
            self.world.counts["videos_total", to] += 1
        if to not in {"retrying", "held", "deferred"}:
            self.resume_at = 0

    def open(self, kind: str) -> None:
        self.kind, self.attempt, self.fence, self.job_started = kind, 1, 0, 0
        self.job, self.job_at = self.world.ids["publishing_job"].__next__(), self.t
        self.job_status = ""
        self.job_to("queued")

    def job_to(self, to: str, code: str = "") -> None:
        """Move the job; one that has ended is written."""
        running = to == "running"
        if running:
            self.fence += 1
            self.job_started = self.job_started or self.t
        if self.t > self.world.now - RECENT:
            add, number = self.world.adder("publishing_jobevent")
            owner = f"{HOST}:{self.kind}:1" if running else ""
            add((number(), self.job, self.job_status, to, code, owner, self.fence, text_of(self.t), self.trace))
        self.job_status = to
        if to in ENDED:
            self.job_write(code)

    def close(self, to: str, code: str = "") -> None:
        """End the job at hand, if one is."""
        if self.job_status and self.job_status not in ENDED:
            self.job_to(to, code)

    def job_write(self, code: str = "", *, lease: int = 0) -> None:
        """The row of the job as it stands."""
        ended = self.job_status in ENDED
        at, upload = text_of(self.job_at), self.kind == "upload"
        self.world.rows["publishing_job"].append((
            self.job, self.id, self.kind, self.job_status, self.attempt, self.fence,
            f"{HOST}:{self.kind}:1" if lease else "", HOST if self.fence else "", text_of(lease) if lease else None,
            text_of(self.resume_at) if self.resume_at else at, at,
            ("verify" if upload else "render") if self.fence else "", 1 if self.job_status == "succeeded" else 0,
            "" if upload else self.render, 2 if self.job_status == "succeeded" and upload else 0, code, self.trace, at,
            text_of(self.job_started) if self.job_started else None, text_of(self.t) if ended else None,
        ))  # fmt: skip
        if ended:
            self.world.counts["subiteya_jobs_finished_total", f"{self.kind}|{self.job_status}"] += 1

    def settle(self, state: str, tiktok_status: str = "", reason: str = "", *, live: bool = False) -> None:
        """The row of the upload at hand, if one is: it ended so, or (`live`) stands so now."""
        if not self.session:
            return
        file, at, size = self.file, self.session_at, self.file.size
        known = self.sent_at or live
        secret = ""
        if live:
            secret = _URL.seal(f"https://upload.example/{self.session}", str(self.id)).stored
        self.world.rows["publishing_uploadsession"].append((
            self.session, self.id, self.account.id, self.job, file.edited, state,
            f"v_pub_file~v2-1.{(at << 32) | (self.session & 0x7FFFFFFF)}" if known else "", secret,
            text_of(at + HOUR) if known else None, size, size, 1, size if self.sent_at else 0, file.sha256,
            tiktok_status, reason if tiktok_status == "FAILED" else "", text_of(at),
            text_of(self.sent_at) if self.sent_at else None, None if live else text_of(self.t),
        ))  # fmt: skip
        self.session = 0
