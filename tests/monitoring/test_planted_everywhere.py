"""Secrets planted in everything that holds one, and a search of everything that leaves: none is found."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from io import StringIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.apps import apps
from django.conf import settings as conf
from django.contrib import admin
from django.core.management import call_command
from django.db import connection
from django.test import Client, override_settings
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice
from redis import Redis

from accounts.models import OAuthAttempt, OAuthToken, TikTokAccount, User
from accounts.services.connections import account_disconnect, oauth_start
from accounts.services.second_factor import recovery_codes_make
from accounts.signals import tiktok_called
from monitoring.models import KeyScope
from monitoring.services.alerts import alerts_evaluate
from monitoring.services.deliveries import deliveries_send
from monitoring.services.keys import key_make
from notices.services.mails import mails_compose
from notices.services.sending import messages_send
from publishing.models import Job, Video
from publishing.states import JobStatus
from subiteya.tiktok import Endpoint
from tests.factories import AdminFactory
from tests.monitoring.conftest import verified
from tests.monitoring.test_planted_secrets import clip, dump, ingest, lines, submit, trouble, work
from tests.receivers import Mailbox, mail_server, web_server

__all__ = ["clip", "ingest", "lines", "submit", "trouble", "work"]  # its fixtures are used here too

#: Settings that hold a secret; each gets one of its own.
SETTINGS = (
    "SECRET_KEY", "ALERT_WEBHOOK_SECRET", "NOTICE_WEBHOOK_SECRET", "EMAIL_HOST_PASSWORD",
)  # fmt: skip
PASSWORD = "planted-password-of-a-person"


@pytest.fixture
def outlets(settings: Any, redis: Redis) -> Iterator[tuple[Mailbox, Any]]:
    """A mail server and a web server that hear whatever is told, and a Redis that is rung."""
    for name in SETTINGS:
        setattr(settings, name, f"planted-{name.lower()}-of-forty-characters-or-more")
    settings.NOTICE_MAILS = True
    settings.ALERT_EMAILS = ["guardia@agency.example"]
    with mail_server(settings) as box, web_server() as hooks:
        settings.ALERT_WEBHOOK_URL = f"{hooks.url}/alerts?token=planted-token-of-a-webhook"
        settings.NOTICE_WEBHOOK_URL = f"{hooks.url}/notices?token=planted-token-of-a-webhook"
        yield box, hooks


@pytest.fixture
def planted(
    outlets: Any, trouble: set[str], settings: Any, cm: User, lines: StringIO, submit: Any, work: Any
) -> dict[str, set[str]]:
    """Kind → secrets. Afterwards a job has died of a bug that quotes a token, and an account is disconnected."""
    account = TikTokAccount.objects.get()
    cm.set_password(PASSWORD)
    cm.save()
    state = parse_qs(urlsplit(oauth_start(user=cm, account=account, redirect_uri="http://127.0.0.1/")).query)["state"]
    device = TOTPDevice.objects.create(user=cm, name="phone")
    secrets = {
        "of TikTok": set(trouble),
        "of settings": {
            *(getattr(settings, name) for name in SETTINGS), *settings.FIELD_ENCRYPTION_KEYS,
            "planted-token-of-a-webhook", settings.TIKTOK_CLIENT_SECRET,
        },
        "of people": {PASSWORD, *recovery_codes_make(user=cm)},
        "of programs": {key_make(name="a program", scope=KeyScope.MONITOR)[1]},
        "of trips": {*state, OAuthAttempt.objects.latest("pk").code_verifier},
        "of phones": {device.key},
    }  # fmt: skip
    secrets["of TikTok"] |= die_of_a_bug(account, submit, work)
    account_disconnect(account=account, reason="by_person")
    return secrets


def die_of_a_bug(account: TikTokAccount, submit: Any, work: Any) -> set[str]:
    """A job whose error quotes the tokens at hand; they are the last ones of the account."""
    token = OAuthToken.objects.get(account=account)
    OAuthToken.objects.filter(pk=token.pk).update(refresh_expires_at=timezone.now() + timedelta(hours=3))
    secrets = {token.access_token, token.refresh_token}

    def bug(endpoint: Endpoint, **_rest: Any) -> None:
        raise ValueError(f"Authorization: Bearer {token.access_token}; {token.refresh_token}")

    tiktok_called.connect(bug)
    submit(account)
    work(rounds=2)
    tiktok_called.disconnect(bug)
    alerts_evaluate()
    return secrets


def searched(planted: Any, outlets: Any, redis: Redis, lines: StringIO) -> Iterator[tuple[str, str]]:
    """Every place that is searched, by name."""
    yield from told(*outlets)
    yield from pages()
    yield from commands()
    yield from messages(redis)
    yield "log", lines.getvalue()


def told(box: Mailbox, hooks: Any) -> Iterator[tuple[str, str]]:
    """Mails and webhooks: of alerts, and of notices at an hour at which nobody sleeps."""
    deliveries_send()
    later = (timezone.now() + timedelta(days=2)).replace(hour=15)
    mails_compose(later)
    messages_send(now=later)
    assert min(len(box.mails), len(hooks.got)) >= 2
    for number, (to, mail) in enumerate(box.mails):
        texts = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
        yield f"mail {number}", f"{to} {mail.items()} {texts}"
    for number, (headers, body) in enumerate(hooks.got):
        yield f"webhook {number}", f"{headers} {body.decode()}"


def addresses(patterns: Any = None, before: str = "") -> Iterator[str]:
    """Every address of the product, with the video's id for numbers and `x` for texts."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if "admin" not in route:
                yield from addresses(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern) and not route.startswith("^") and "(?P" not in route:
            yield route


def pages() -> Iterator[tuple[str, str]]:
    person = verified(AdminFactory())
    video = Video.objects.earliest("pk")
    for route in addresses():
        filled = "/".join(_filled(part, video.pk) for part in f"/{route}".split("/"))
        yield filled, _shown(person.get(filled))
    for model in apps.get_models():
        if model in admin.site._registry:
            yield from admin_pages(person, model)


def _filled(part: str, pk: int) -> str:
    return part if "<" not in part else str(pk) if part.startswith("<int:") else "x"


def _shown(answer: Any) -> str:
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return f"{dict(answer.items())} {body.decode(errors='replace')}"


def admin_pages(person: Client, model: Any) -> Iterator[tuple[str, str]]:
    place = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    listing = reverse(f"{place}_changelist")
    yield listing, _shown(person.get(listing))
    for row in model._base_manager.order_by("-pk")[:2]:
        for page in ("change", "history", "delete"):
            address = reverse(f"{place}_{page}", args=[row.pk])
            yield address, _shown(person.get(address))


def commands() -> Iterator[tuple[str, str]]:
    """What the commands say, also when they refuse."""
    video = Video.objects.earliest("pk")
    for words in (
        ["tokens"], ["tokens", "--json"], ["trace", str(video.pk)], ["trace", str(video.pk), "--json"],
        ["videos", "--json"], ["rotate_keys", "--check"], ["rotate_keys", "--check", "--json"], ["api_key", "list"],
        ["subtitles_ab", "--json"], ["hashtags_backtest", "--json"], ["check", "--database", "default"],
        ["dumpdata", "accounts", "publishing", "monitoring", "notices", "insights"],
    ):  # fmt: skip
        out = StringIO()
        with suppress(SystemExit):
            call_command(*words, stdout=out, stderr=out)
        yield "manage.py " + " ".join(words), out.getvalue()


def messages(redis: Redis) -> Iterator[tuple[str, str]]:
    """Everything in Redis; rq packs what it keeps of a job."""
    read = {
        b"string": lambda key: {b"": redis.get(key)},
        b"hash": redis.hgetall,
        b"list": lambda key: dict(enumerate(redis.lrange(key, 0, -1))),
        b"set": lambda key: dict(enumerate(redis.smembers(key))),
        b"zset": lambda key: dict(enumerate(redis.zrange(key, 0, -1))),
        b"stream": lambda key: dict(redis.xrange(key)),
    }
    for key in redis.scan_iter():
        values = read[redis.type(key)](key)
        yield f"redis {key.decode()}", f"{ {name: _unpacked(value) for name, value in values.items()} }"


def _unpacked(value: Any) -> Any:
    with suppress(zlib.error, TypeError):
        return zlib.decompress(value)
    return value


def columns() -> int:
    """How many columns the database has."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        return sum(len(connection.introspection.get_table_description(cursor, table)) for table in tables)


def test_it_finds_no_planted_secret_anywhere(
    planted: dict[str, set[str]], outlets: Any, redis: Redis, lines: StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets = {secret for kind in planted.values() for secret in kind if secret}

    places = dict(searched(planted, outlets, redis, lines))

    leaks = [(name, kind) for name, text in places.items() for kind, some in planted.items() for s in some if s in text]
    assert leaks == []
    assert len(secrets) >= 25
    assert len(places) >= 150
    assert any(name.startswith("redis rq:job") for name in places)
    rows = dump()
    assert [kind for kind, some in planted.items() for secret in some if kind != "of phones" and secret in rows] == []
    with capsys.disabled():
        counts = f"{len(places)} places and {columns()} columns"
        sys.stdout.write(f"\n{len(secrets)} secrets planted; {counts} searched; 0 found\n")


def test_it_keeps_no_secret_of_a_bug_s_traceback(planted: dict[str, set[str]]) -> None:
    job = Job.objects.filter(status=JobStatus.ERRORED).latest("pk")

    assert "Authorization: Bearer [redacted]" in job.traceback
    assert not [secret for secret in planted["of TikTok"] if secret in job.traceback]


def test_it_shows_a_plain_page_without_a_traceback_when_something_breaks(planted: dict[str, set[str]]) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(AdminFactory())
    with override_settings(ROOT_URLCONF="tests.monitoring.broken_urls"):
        answer = client.get("/broken/")

    text = answer.content.decode()
    assert (answer.status_code, conf.DEBUG) == (500, False)
    assert not [word for word in ("Traceback", "ValueError", "broken_urls.py", "Bearer") if word in text]
