"""The page of the audit record: who may open it, what it shows, how it is filtered and paged."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.contrib.auth.signals import user_logged_in
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.roles import Role
from audit.catalogue import Action
from audit.models import AuditEntry, AuditHead
from audit.receivers import logged_in
from audit.services.recording import audit_record
from audit.services.sealing import audit_seal
from monitoring.selectors.audit import GROUPS, group_actions
from monitoring.views.audit import PAGE
from subiteya.lib.tracing import new_trace_id, span
from tests.factories import AdminFactory, TikTokAccountFactory, UserFactory, VideoFactory
from tests.monitoring.conftest import verified

pytestmark = pytest.mark.django_db
ADDRESS = "/monitor/audit/"


@pytest.fixture
def ana() -> User:
    return UserFactory(username="ana")


@pytest.fixture
def auditor() -> Client:
    """Somebody who logged in before the record began."""
    client = Client()
    user_logged_in.disconnect(logged_in)
    try:
        client.force_login(UserFactory(username="vera", role=Role.AUDITOR, language="en"))
    finally:
        user_logged_in.connect(logged_in)
    return client


@pytest.fixture
def shown(auditor: Client) -> Callable[..., str]:
    """The page as an auditor sees it, with these filters."""

    def shown(**asked: Any) -> str:
        answer = auditor.get(ADDRESS, asked)
        assert answer.status_code == 200
        return answer.content.decode()

    return shown


def entries(page: str) -> list[int]:
    """The keys of the entries that a page shows."""
    return [int(pk) for pk in re.findall(r'id="entry-(\d+)"', page)]


@pytest.mark.parametrize("role", [Role.COMMUNITY_MANAGER, Role.APPROVER])
def test_it_is_not_there_for_those_who_do_not_see_everything(role: Role) -> None:
    client = Client()
    client.force_login(UserFactory(role=role))

    assert client.get(ADDRESS).status_code == 404
    assert ADDRESS not in client.get("/monitor/").content.decode()


def test_it_opens_to_auditors_and_administrators_and_is_in_their_menu(auditor: Client) -> None:
    for client in (auditor, verified(AdminFactory(language="en"))):
        assert client.get(ADDRESS).status_code == 200
        assert f'href="{ADDRESS}"' in client.get("/monitor/").content.decode()


def test_it_sends_a_stranger_to_the_log_in() -> None:
    assert Client().get(ADDRESS)["Location"].startswith("/login/")


def test_it_is_only_read(auditor: Client) -> None:
    assert auditor.post(ADDRESS).status_code == 403
    assert verified(AdminFactory()).post(ADDRESS).status_code == 405


def test_it_says_that_nothing_is_recorded(shown: Callable[..., str]) -> None:
    page = shown()

    assert "Nothing is recorded yet" in page
    assert "No entry is sealed yet" in page


def test_it_shows_an_entry_with_all_that_it_says(shown: Callable[..., str], ana: User) -> None:
    video = VideoFactory()
    with time_machine.travel(datetime(2026, 5, 4, 15, 30, 7, tzinfo=UTC), tick=False):
        entry = audit_record(action=Action.VIDEO_HELD, on=video, details={"reason": "wait", "n": [1, 2]}, actor=ana)
    audit_seal()
    entry.refresh_from_db()

    page = shown()

    assert entries(page) == [entry.pk]
    for text in ("ana", "Video held", "12:30", "12:30:07", "(Buenos Aires)", "video.held", "publishing.video",
                 ">wait<", "[1, 2]", entry.hash, entry.previous_hash, "The video and its story"):  # fmt: skip
        assert text in page, text
    assert f'href="/videos/{video.pk}/"' in page
    assert 'datetime="2026-05-04T15:30:07+00:00"' in page


def test_it_leads_from_a_trace_to_everything_of_it(shown: Callable[..., str], auditor: Client, ana: User) -> None:
    trace = new_trace_id()
    with_trace(trace, ana)
    audit_record(action=Action.SESSION_LOGOUT, actor=ana)

    page = shown()

    assert f'href="{ADDRESS}?trace={trace}"' in page
    assert "/admin/" not in page
    assert len(entries(shown(trace=trace.upper()))) == 1
    assert entries(shown(trace=trace[:8])) == []
    administrator = verified(AdminFactory(language="en"))
    assert f"/admin/monitoring/span/?q={trace}" in administrator.get(ADDRESS).content.decode()


def with_trace(trace: str, person: User) -> AuditEntry:
    with span("test", parent=trace):
        return audit_record(action=Action.SESSION_LOGIN, actor=person)


def test_it_says_how_the_chain_stands(shown: Callable[..., str], ana: User) -> None:
    for _each in range(3):
        audit_record(action=Action.SESSION_LOGIN, actor=ana)
    audit_seal()
    audit_record(action=Action.SESSION_LOGOUT, actor=ana)

    page = shown()

    head = AuditHead.objects.get()
    assert "3 entries are sealed." in page
    assert "The head of the chain is number 3," in page
    assert f'<span class="mono">{head.hash[:12]}</span>' in page
    assert "1 more waits for its place." in page
    assert "manage.py verify_audit" in page
    assert "waits for it: signed, not sealed yet" in page


def test_it_puts_each_act_into_one_group() -> None:
    grouped = [action for group in GROUPS for action in group_actions(group)]

    assert sorted(grouped) == sorted(Action.values)


@pytest.fixture
def various(ana: User) -> dict[str, int]:
    """Entries of different people, days, objects; by a name of the test."""
    bruno, account = UserFactory(username="bruno"), TikTokAccountFactory(username="panaderia.luna")
    made = {}
    for name, day, action, on, actor in (
        ("log-in", 1, Action.SESSION_LOGIN, None, ana),
        ("code", 2, Action.MFA_VERIFIED, None, bruno),
        ("role", 3, Action.ROLE_CHANGED, bruno, ana),
        ("account", 4, Action.CIRCUIT_ISOLATED, account, bruno),
        ("command", 5, Action.KEYS_ROTATED, ("keys", "accounts.OAuthToken"), None),
    ):  # fmt: skip
        with time_machine.travel(datetime(2026, 5, day, 2, 59, tzinfo=UTC), tick=False):  # 23:59 the day before, here
            made[name] = audit_record(action=action, on=on, actor=actor).pk
    return made


@pytest.mark.parametrize(
    ("asked", "left"),
    [
        ({}, ["command", "account", "role", "code", "log-in"]),
        ({"group": "access"}, ["code", "log-in"]),
        ({"group": "people"}, ["role"]),
        ({"group": "accounts"}, ["account"]),
        ({"group": "data"}, ["command"]),
        ({"group": "videos"}, []),
        ({"person": "none"}, ["command"]),
        ({"person": "ana"}, ["role", "log-in"]),
        ({"person": "ana", "group": "people"}, ["role"]),
        ({"since": "2026-05-02"}, ["command", "account", "role"]),
        ({"since": "2026-05-01", "until": "2026-05-02"}, ["role", "code"]),
        ({"q": "bruno"}, ["account", "role", "code"]),
        ({"q": "@panaderia"}, ["account"]),
        ({"q": "accounts.OAuthToken"}, ["command"]),
        ({"q": "%"}, []),
    ],
)
def test_it_filters(
    shown: Callable[..., str], various: dict[str, int], ana: User, asked: dict[str, str], left: list[str]
) -> None:
    if asked.get("person") == "ana":
        asked = asked | {"person": str(ana.pk)}

    page = shown(**asked)

    assert entries(page) == [various[name] for name in left]
    assert page.count("chosen__chip") == len(asked)
    assert ("No entry fits these filters" in page) == (not left)


def test_it_leaves_out_what_makes_no_sense(shown: Callable[..., str], various: dict[str, int]) -> None:
    nonsense = {
        "group": "x",
        "person": "9" * 40,
        "since": "2026-02-30",
        "until": "0001-01-01",
        "before": "-1",
        "q": "\0",
    }

    page = shown(**nonsense)

    assert len(entries(page)) == len(various)
    assert "chosen__chip" not in page


def test_it_names_somebody_who_is_gone(shown: Callable[..., str], ana: User) -> None:
    entry = audit_record(action=Action.SESSION_LOGIN, actor=ana)
    gone = ana.pk
    User.objects.filter(pk=gone).delete()

    page = shown(person=gone)

    assert entries(page) == [entry.pk]
    assert '<span class="audit__who">ana</span>' in page
    assert f"#{gone}" in page


def test_it_goes_on_by_key_while_new_entries_arrive(auditor: Client, ana: User) -> None:
    made = [audit_record(action=Action.SESSION_LOGIN, actor=ana).pk for _each in range(2 * PAGE + 5)]
    audit_record(action=Action.ROLE_CHANGED, actor=ana)
    address, seen = f"{ADDRESS}?group=access", []
    for turn in range(3):
        fragment = {"HX-Request": "true"} if turn else {}
        page = auditor.get(address, headers=fragment).content.decode()
        assert ("<html" in page) == (not turn)
        seen += entries(page)
        audit_record(action=Action.SESSION_LOGOUT, actor=ana)  # arrives meanwhile, shifts nothing
        more = re.search(r'href="([^"]*before=\d+)"', page)
        address = more[1].replace("&amp;", "&") if more else ""

    assert seen == made[::-1]
    assert address == ""


def test_it_says_that_there_is_nothing_older(shown: Callable[..., str], ana: User) -> None:
    audit_record(action=Action.SESSION_LOGIN, actor=ana)

    assert "Nothing older" in shown(before=1)


def test_it_asks_as_often_for_many_rows_as_for_few(auditor: Client, ana: User) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert auditor.get(ADDRESS).status_code == 200
        return len(captured)

    video = VideoFactory()
    audit_record(action=Action.VIDEO_HELD, on=video, actor=ana)
    auditor.get(ADDRESS)  # what is asked once
    few = queries()
    for _each in range(PAGE + 10):
        audit_record(action=Action.VIDEO_HELD, on=video, actor=UserFactory())

    assert queries() == few


def test_it_escapes_what_people_wrote(shown: Callable[..., str], ana: User) -> None:
    evil = "<script>alert('x')</script>"
    audit_record(action=Action.EXPORT_CSV, on=(evil, evil), details={evil: evil, "list": [evil]}, actor=ana)

    for page in (shown(), shown(q=evil)):
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page
