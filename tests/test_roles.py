"""Every address of the resolver, as everybody there is, compared with the one declared table (tests/role_table.py)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as django_settings
from django.contrib.contenttypes.models import ContentType
from django.core.files.storage import default_storage
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django_otp.plugins.otp_static.models import StaticDevice

from accounts.middleware import CODE_DUE
from accounts.models import TikTokAccount, User
from accounts.roles import Role
from publishing.models import Asset
from tests.factories import AdminFactory, UserFactory
from tests.processes import ROOT
from tests.publishing.views.conftest import *  # noqa: F403  # the story that has one of everything
from tests.publishing.views.test_scope import path_of
from tests.role_table import ROLES, TABLE, Row

pytestmark = pytest.mark.django_db
METHODS = ("GET", "POST")
SAMPLE = ROOT / "demo" / "sample.mp4"


def addresses(patterns: list[Any] | None = None, prefix: str = "", space: str = "") -> Iterator[tuple[str, str]]:
    """(name, route) of every pattern of the resolver, the admin's too; one without a name is called by its route."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, route, pattern.namespace or space)
        elif isinstance(pattern, URLPattern):
            yield (f"{space}:{pattern.name}" if pattern.name else f"/{route}"), route


ALL = list(addresses())
#: Of each role; its test is named by it.
CHECKS = len(ALL) * len(METHODS)


def rows_for(name: str) -> list[Row]:
    return [row for row in TABLE if re.fullmatch(row.names, name)]


def path_for(name: str, route: str, story: SimpleNamespace) -> str:
    """An address with the CM's own rows in it."""
    if name == "monitoring:runbook":
        return "/monitor/runbooks/CircuitOpen/"
    if not route.startswith("admin/"):
        return path_of(route, story).replace("<str:token>", "no-such-token")
    app, _slash, rest = route.removeprefix("admin/").partition("/")
    if "(?P<app_label>" in route:
        return "/admin/accounts/"
    if "(?P<url>" in route:
        return "/admin/nowhere/"
    if "<id>" in route:
        return "/" + route.replace("<id>", str(story.cm.pk))
    kind = str(ContentType.objects.get_for_model(TikTokAccount).pk)
    found = "1"
    if app in {config.label for config in apps.get_app_configs()}:
        first = apps.get_model(app, rest.partition("/")[0])._default_manager.order_by("pk").first()
        found = str(first.pk) if first else "0"
    return "/" + route.replace("<path:object_id>", found).replace("<path:content_type_id>", kind)


def session_of(user: User | None, *, verified: bool = False, half: bool = False) -> str:
    """The cookie of a browser in which `user` has logged in so far."""
    client = Client()
    if user is None:
        return ""
    client.force_login(user)
    session = client.session
    if verified:
        session["otp_device_id"] = StaticDevice.objects.create(user=user, name="phone").persistent_id
    if half:
        session[CODE_DUE] = True
    session.save()
    return client.cookies[django_settings.SESSION_COOKIE_NAME].value


def person(role: str, story: SimpleNamespace) -> str:
    """The session cookie of one of ROLES."""
    make: dict[str, Callable[[], str]] = {
        "stranger": lambda: session_of(None),
        "half_open": lambda: session_of(story.cm, half=True),
        "cm": lambda: session_of(story.cm),
        "other_cm": lambda: session_of(UserFactory()),
        "approver": lambda: session_of(_approver(story)),
        "auditor": lambda: session_of(UserFactory(role=Role.AUDITOR)),
        "admin_without": lambda: session_of(AdminFactory()),
        "admin": lambda: session_of(AdminFactory(), verified=True),
    }
    return make[role]()


def _approver(story: SimpleNamespace) -> User:
    user = UserFactory(role=Role.APPROVER)
    story.account.managers.add(user)
    return user


class Undo(Exception):
    """Ends a savepoint without a trace."""


def ask(method: str, path: str, cookie: str) -> HttpResponseBase:
    """One request; whatever it changed is taken back, so that every check finds the same story."""
    client = Client()
    if cookie:
        client.cookies[django_settings.SESSION_COOKIE_NAME] = cookie
    try:
        with transaction.atomic():
            response = client.generic(method, path, content_type="application/x-www-form-urlencoded")
            if response.streaming:
                response.getvalue()  # to the end, which closes the file
            raise Undo
    except Undo:
        return response


def answer(response: HttpResponseBase) -> str:
    """The class of an answer; `open` is whatever the page itself says, a complaint about a field included."""
    where = response.headers.get("Location", "")
    for start, word in (("/login/code/", "code"), ("/login/", "login"), ("/admin/login/", "login"),
                        ("/security/?", "enrol")):  # fmt: skip
        if response.status_code == 302 and where.startswith(start):
            return word
    if response.status_code in {403, 404, 405}:
        return str(response.status_code)
    return "key" if response.status_code == 401 else "open"


@pytest.fixture
def world(story: SimpleNamespace, ana: User, settings: Any, tiktok: Any) -> SimpleNamespace:
    """The story, where administrators must have a second factor."""
    settings.REQUIRE_MFA = True
    story.cm = ana
    for asset in Asset.objects.all():
        with SAMPLE.open("rb") as file:
            default_storage.save(asset.storage_key, file)
    return story


def test_it_declares_every_address_once() -> None:
    counted = {name: len(rows_for(name)) for name, _route in ALL}
    assert {name: count for name, count in counted.items() if count != 1} == {}


def test_it_declares_no_address_that_is_not_there() -> None:
    names = [name for name, _route in ALL]
    assert [row.names for row in TABLE if not any(re.fullmatch(row.names, name) for name in names)] == []


@pytest.mark.parametrize("role", [pytest.param(role, id=f"{role}: {CHECKS} checks") for role in ROLES])
def test_it_answers_everybody_as_the_table_says(role: str, world: SimpleNamespace) -> None:
    cookie = person(role, world)
    wrong = []
    for name, route in ALL:
        row, path = rows_for(name)[0], path_for(name, route, world)
        for method in METHODS:
            found, declared = answer(ask(method, path, cookie)), row.answer(method, role)
            if found != declared:
                wrong.append(f"{method} {path} ({name}): {found}, the table says {declared}")
    assert not wrong, "\n".join(wrong)
