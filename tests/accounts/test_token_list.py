"""`manage.py tokens`: ages and lives of every account's tokens, and no secret."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import call_command

from accounts.models import OAuthToken, TikTokAccount
from subiteya.lib.crypto import key_ids
from tests.factories import TikTokAccountFactory
from tests.lib.test_crypto import write

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def noon() -> Any:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def account(name: str, *, access: timedelta, refresh: timedelta, **fields: Any) -> TikTokAccount:
    made = TikTokAccountFactory(username=name)
    OAuthToken.objects.filter(account=made).update(
        expires_at=NOW + access, refresh_expires_at=NOW + refresh, refresh_issued_at=NOW - timedelta(days=3, hours=2),
        refreshed_at=NOW - timedelta(minutes=72), **fields,
    )  # fmt: skip
    return made


@pytest.fixture
def accounts() -> list[TikTokAccount]:
    hour, year = timedelta(hours=1), timedelta(days=300)
    gone = TikTokAccountFactory(username="gone", status="disconnected", token=None)
    return [
        account("luna", access=20 * hour, refresh=year),
        account("sol", access=-hour, refresh=year),
        account("mar", access=hour, refresh=47 * hour),
        account("fin", access=-hour, refresh=-hour),
        gone,
    ]


def tokens(*arguments: str) -> str:
    out, err = StringIO(), StringIO()
    try:
        call_command("tokens", *arguments, stdout=out, stderr=err)
    except SystemExit as left:
        return f"exit {left.code}: {err.getvalue()}{out.getvalue()}"
    return out.getvalue()


def test_it_says_how_each_account_s_tokens_stand(accounts: list[TikTokAccount]) -> None:
    rows = json.loads(tokens("--json"))["tokens"]

    assert {row["account"]: row["status"] for row in rows} == {
        "@fin": "ended", "@gone": "disconnected", "@luna": "good", "@mar": "ends_soon", "@sol": "refresh_due",
    }  # fmt: skip
    assert rows[2] == {
        "account": "@luna",
        "status": "good",
        "scopes": ["user.info.basic", "video.publish", "video.upload"],
        "accessExpiresInSeconds": 72000,
        "refreshExpiresInSeconds": 300 * 86400,
        "refreshAgeSeconds": 3 * 86400 + 7200,
        "lastRefreshedAt": "2026-11-23T10:48:00+00:00",
        "keys": key_ids(),
    }


def test_it_says_it_to_people_in_a_table(accounts: list[TikTokAccount]) -> None:
    table = tokens().splitlines()

    luna = next(line for line in table if line.startswith("@luna"))
    cells = [cell.strip() for cell in luna.split("  ") if cell.strip()]
    assert cells[2:7] == ["20h 0m", "300d 0h", "3d 2h", "1h 12m", key_ids()[0]]
    assert next(line for line in table if line.startswith("@fin")).count("-1h 0m") == 2


def test_it_shows_no_secret_and_opens_none(accounts: list[TikTokAccount]) -> None:
    secrets = {secret for row in OAuthToken.objects.all() for secret in (row.access_token, row.refresh_token)}
    stored = set(OAuthToken.objects.values_list("access_token", flat=True))
    write(OAuthToken.objects.get(account__username="luna"), "v1:00000000:gAAAAnothing")

    shown = tokens() + tokens("--json")

    assert len(secrets) == 8
    assert not [secret for secret in secrets if secret in shown]
    assert not [sealed for sealed in stored if sealed.stored in shown]
    assert "gAAAA" not in shown
    assert "00000000" in shown


def test_it_shows_one_account(accounts: list[TikTokAccount]) -> None:
    assert [row["account"] for row in json.loads(tokens("--json", "--account", "@LUNA"))["tokens"]] == ["@luna"]
    assert "@nadie" in tokens("--account", "nadie")
    assert tokens("--account", "nadie").startswith("exit 2")


def test_it_says_that_there_is_none() -> None:
    assert json.loads(tokens("--json")) == {"tokens": []}
    assert tokens().strip()


def test_it_asks_the_database_twice_however_many_accounts(
    accounts: list[TikTokAccount], django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(2):
        tokens()
