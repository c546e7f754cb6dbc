"""The API against its own description: whoever asks whatever, no answer that the document does not promise."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from accounts.models import User
from monitoring.models import KeyScope
from monitoring.services.keys import key_make
from subiteya.wsgi import application
from tests.factories import AdminFactory, UserFactory
from tests.monitoring.conftest import verified

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
CASES = 60
#: What of a request says who asks: its `headers`, its `cookies`.
Identity = dict[str, dict[str, str]]
Asker = Callable[[], Identity]
#: Of one key or person, who may ask thirty times a minute.
CALLS = 25
SCOPES = {"/api/monitor/metrics": KeyScope.MONITOR, "/api/monitor/alertmanager": KeyScope.ALERTS}


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """A request ends without closing the database, which holds the test's own transaction (as Django's client does)."""
    ends = (request_started, request_finished)
    for signal in ends:
        signal.disconnect(close_old_connections)
    yield
    for signal in ends:
        signal.connect(close_old_connections)


def in_turns(make: Callable[[int], Identity]) -> Asker:
    """The first; the next one once that was used a while."""
    turns, made = count(), {}

    def asker() -> Identity:
        turn = next(turns) // CALLS
        if turn not in made:
            made[turn] = make(turn)
        return made[turn]

    return asker


def programs(scope: KeyScope) -> Asker:
    return in_turns(
        lambda turn: {"headers": {"Authorization": f"Bearer {key_make(name=f'program {turn}', scope=scope)[1]}"}}
    )


def administrators(_scope: KeyScope) -> Asker:
    """In the browser, with both factors."""
    return in_turns(lambda _turn: session_of(AdminFactory()))


def session_of(user: User) -> Identity:
    return {"cookies": {"sessionid": verified(user).cookies["sessionid"].value}}


def community_manager(_scope: KeyScope) -> Asker:
    session = session_of(UserFactory())
    return lambda: session


def stranger(_scope: KeyScope) -> Asker:
    return dict


def put_to_the_test(operation: Any, mode: GenerationMode, asker: Asker, asked: Counter[str]) -> None:
    """Ask in many ways, and count what was answered."""

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=CASES, database=None, derandomize=True, deadline=None,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    def ask(case: Any) -> None:
        identity = asker()
        # What reads the answer here does not unpack it.
        headers = identity.get("headers", {}) | {"Accept-Encoding": "identity"}
        answer = case.call(**identity | {"headers": headers})
        asked[f"{case.method} {case.path} {answer.status_code}"] += 1
        case.validate_response(answer, checks=CHECKS)

    ask()


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["valid", "invalid"])
@pytest.mark.parametrize(
    ("who", "reads"), [(programs, 200), (administrators, 200), (community_manager, 403), (stranger, 401)]
)
def test_it_answers_as_its_document_says(
    who: Callable[..., Asker], reads: int, mode: GenerationMode, capsys: Any
) -> None:
    document = schemathesis.openapi.from_wsgi("/api/schema/?format=json", application, **programs(KeyScope.MONITOR)())
    asked: Counter[str] = Counter()
    for found in document.get_all_operations():
        operation = found.ok()
        if operation.path not in SCOPES:
            continue
        put_to_the_test(operation, mode, who(SCOPES[operation.path]), asked)
    with capsys.disabled():
        sys.stdout.write(f" {sum(asked.values())} cases: {dict(sorted(asked.items()))}\n")
    assert {line.split()[1] for line in asked} == set(SCOPES)
    assert asked[f"GET /api/monitor/metrics {reads}"]
