"""`manage.py account_import`: whole answers in, one sentence out when something is wrong, never a token."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AccountEvent, OAuthToken, TikTokAccount
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

SECRET = "act.very!secret"
REFRESH = "rft.very!secret"


def answer(**fields: Any) -> dict[str, Any]:
    given = {
        "open_id": "-000abc", "access_token": SECRET, "refresh_token": REFRESH, "expires_in": 7200,
        "refresh_expires_in": 15_552_000, "scope": "user.info.basic,video.publish", "token_type": "Bearer",
        "username": "@panaderia", "sector": "Gastronomía",
    }  # fmt: skip
    return {name: value for name, value in (given | fields).items() if value is not ...}


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Import `document` (JSON, or bytes as they are) from stdin; answers what was printed."""

    def load(document: Any, *arguments: str) -> str:
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(data)))
        call_command("account_import", "--json", "-", *arguments)
        return capsys.readouterr().out

    return load


def refusal(load: Callable[..., str], document: Any, *arguments: str) -> str:
    """The sentence of an import that must not happen."""
    with pytest.raises(CommandError) as caught:
        load(document, *arguments)
    assert caught.value.returncode == 2
    assert SECRET not in str(caught.value) and REFRESH not in str(caught.value)
    return str(caught.value)


def test_it_imports_an_account_with_its_tokens(load):
    cm = UserFactory(username="ana")

    printed = load(answer(display_name="Panadería", time_zone="America/Argentina/Ushuaia"), "--manager", "ana")

    account = TikTokAccount.objects.get()
    assert (account.open_id, account.username, account.display_name) == ("-000abc", "panaderia", "Panadería")
    assert (account.sector.name, account.time_zone) == ("Gastronomía", "America/Argentina/Ushuaia")
    assert (account.token.access_token, account.token.refresh_token) == (SECRET, REFRESH)
    assert list(account.managers.all()) == [cm]
    assert "@panaderia" in printed
    assert SECRET not in printed and REFRESH not in printed


def test_it_reads_a_file(tmp_path):
    path = tmp_path / "answer.json"
    path.write_text(json.dumps(answer()), encoding="utf-8")

    call_command("account_import", "--json", str(path))

    assert TikTokAccount.objects.count() == 1


def test_it_renews_the_tokens_of_an_account_that_is_there(load):
    load(answer())

    printed = load(answer(access_token="act.newer", refresh_token="rft.newer"))

    assert (TikTokAccount.objects.count(), OAuthToken.objects.get().access_token) == (1, "act.newer")
    assert "@panaderia" in printed
    assert AccountEvent.objects.count() == 2


def test_it_imports_a_list_whole_or_not_at_all(load):
    good, bad = answer(), answer(open_id="-000def", username="cafe", expires_in=...)

    words = refusal(load, [good, bad])

    assert "2" in words and "expires_in" in words
    assert not TikTokAccount.objects.exists()

    load([good, answer(open_id="-000def", username="cafe")])

    assert {account.username for account in TikTokAccount.objects.all()} == {"panaderia", "cafe"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *((name, ...) for name in answer() if name != "token_type"),
        ("open_id", ""),
        ("access_token", 5),
        ("refresh_token", ""),
        ("expires_in", "7200"),
        ("expires_in", True),
        ("refresh_expires_in", 0),
        ("scope", ["video.publish"]),
        ("username", "@"),
        ("sector", "  "),
        ("display_name", 7),
        ("time_zone", "Mars/Base"),
    ],
)
def test_it_names_the_field_that_is_wrong(load, field, value):
    words = refusal(load, answer(**{field: value}))

    assert field in words
    assert not TikTokAccount.objects.exists()


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        f'{{"access_token": "{SECRET}", }}'.encode(),
        b"[]",
        [SECRET],
        b" " * 2_000_001,
    ],
)
def test_it_refuses_what_is_no_answer_in_a_sentence(load, document):
    assert refusal(load, document).endswith(".")


def test_it_wants_managers_that_exist(load):
    assert "nobody" in refusal(load, answer(), "--manager", "nobody")


def test_it_says_that_a_file_cannot_be_read():
    with pytest.raises(CommandError) as caught:
        call_command("account_import", "--json", "/does/not/exist.json")

    assert caught.value.returncode == 2
    assert "/does/not/exist.json" in str(caught.value)
