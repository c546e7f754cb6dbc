"""The main job with everything that goes wrong in it, and then nothing secret in anything that is written or shown."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client, override_settings

from accounts.models import OAuthToken, TikTokAccount
from accounts.services.tokens import client_for
from monitoring.models import KeyScope, Span
from monitoring.services.keys import key_make
from monitoring.services.spans import SpanKeeper
from publishing.models import UploadSession, Video
from subiteya.lib import spans
from subiteya.lib.logs import ConsoleFormatter, JsonFormatter
from subiteya.lib.tracing import span
from subiteya.tiktok import TikTokError
from tests.factories import AdminFactory
from tests.publishing.conftest import clip, ingest, submit, work

__all__ = ["clip", "ingest", "submit", "work"]  # its fixtures are used here too


@pytest.fixture
def lines() -> Iterator[StringIO]:
    """Every log line of the process, from the lowest level up, in both formats."""
    written = StringIO()
    root = logging.getLogger()
    level, handlers = root.level, []
    for formatter in (ConsoleFormatter(), JsonFormatter()):
        handler = logging.StreamHandler(written)
        handler.setFormatter(formatter)
        handlers.append(handler)
        root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.setLevel(level)
    for handler in handlers:
        root.removeHandler(handler)


@pytest.fixture
def trouble(
    transactional_db: None, lines: StringIO, tiktok: Any, connect: Any, submit: Any, work: Any, settings: Any
) -> set[str]:
    """A job that met refusals, cut parts, lost tokens and a bug, on its way; the secrets that were in it."""
    spans.register(SpanKeeper())
    settings.UPLOAD_PART_PAUSES = (0.01,)
    account = connect()
    secrets = {settings.TIKTOK_CLIENT_SECRET, *tokens()}
    tiktok.sandbox.fault("refuse", "init", http_status=500)
    tiktok.sandbox.fault("refuse", "creator_info", http_status=401, code="access_token_invalid")
    tiktok.sandbox.fault("drop_midway", "chunk")
    tiktok.sandbox.fault("refuse", "status", http_status=500)
    submit(account)
    for _round in range(20):
        work(rounds=1)
        secrets |= {*tokens(), *addresses()}
    bug(account)
    return {secret for secret in secrets if secret}


def tokens() -> set[str]:
    return {token for row in OAuthToken.objects.all() for token in (row.access_token, row.refresh_token)}


def addresses() -> set[str]:
    """The upload addresses, and what is secret in them."""
    urls = [session.upload_url for session in UploadSession.objects.all() if session.upload_url]
    return {part for url in urls for part in (url, url.rpartition("upload_token=")[2])}


def bug(account: TikTokAccount) -> None:
    """An error whose text quotes what it must not, logged with its traceback inside a span."""
    token = OAuthToken.objects.get(account=account).access_token
    try:
        with spans_of_a_bug(token):
            raise ValueError(f"Authorization: Bearer {token}")
    except ValueError:
        logging.getLogger("publishing.test").exception("bug", extra={"access_token": token, "url": f"x?code={token}"})


def spans_of_a_bug(token: str) -> Any:
    return span(f"bug {token}", attributes={"url": f"https://x/?upload_token={token}", "access_token": token})


def dump() -> str:
    """Every value of every table, as the database has it: what is encrypted is not readable here either."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            found += [f"{table}: {row}" for row in cursor.fetchall()]
    return "\n".join(found)


def leaks(text: str, secrets: set[str]) -> list[str]:
    return [secret for secret in secrets if secret in text]


def test_it_writes_no_secret_into_logs_and_tables(trouble: set[str], lines: StringIO) -> None:
    text = lines.getvalue()

    assert len(trouble) >= 5
    assert "tiktok_refused" in text
    assert "[redacted]" in text
    assert leaks(text, trouble) == []
    assert Span.objects.filter(status="error").exists()
    assert leaks(dump(), trouble) == []


def test_it_shows_no_secret_on_pages_and_in_the_terminal(trouble: set[str], lines: StringIO, settings: Any) -> None:
    _key, key = key_make(name="a program", scope=KeyScope.METRICS)
    admin = AdminFactory()
    client = Client()
    client.force_login(admin)
    bearer = {"Authorization": f"Bearer {key}"}
    out = StringIO()
    pk = Video.objects.get().pk
    call_command("trace", str(pk), stdout=out)
    call_command("trace", Span.objects.exclude(trace_id="").first().trace_id, "--json", stdout=out)

    pages = [
        client.get(address, headers=bearer).content.decode()
        for address in (f"/videos/{pk}/", f"/videos/{pk}/trace/", "/videos/999999/", "/metrics", "/api/monitor/metrics")
    ]

    shown = out.getvalue() + "".join(pages)
    secrets = trouble | {key, client.session.session_key}
    assert "process upload" in shown
    assert leaks(shown, secrets) == []
    assert leaks(lines.getvalue(), secrets) == []


def test_it_shows_no_secret_on_the_page_of_an_error(trouble: set[str], tiktok: Any) -> None:
    """A request that dies while it holds a token: the page says sorry, and the log its class."""
    client = Client(raise_request_exception=False)
    client.force_login(AdminFactory())
    with override_settings(ROOT_URLCONF="tests.monitoring.broken_urls"):
        answer = client.get("/broken/")

    assert answer.status_code == 500
    assert leaks(answer.content.decode(), trouble) == []
    failed = Span.objects.get(name="GET /broken/")
    assert failed.status == "error"


def test_it_keeps_tiktok_s_words_out_of_spans(trouble: set[str]) -> None:
    account = TikTokAccount.objects.get()
    with pytest.raises(TikTokError):
        client_for(account).status_fetch("no-such-publish-id")

    failed = Span.objects.filter(name="tiktok status_fetch", status="error").last()
    assert failed.attributes["tiktok.code"]
    assert not {"message", "exception.message"} & failed.attributes.keys()
