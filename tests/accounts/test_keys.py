"""Moving to a new key: everything moves, nothing is lost, and a key in use cannot be taken away."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections import Counter
from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django.utils import timezone

from accounts.models import OAuthAttempt, OAuthToken, TikTokAccount
from accounts.services.connections import account_disconnect
from accounts.services.keys import encrypted_fields, keys_in_use, keys_rotate, lost_keys, removable_keys
from accounts.services.tokens import token_store
from publishing.models import UploadSession
from subiteya.lib.crypto import EncryptedTextField, key_id, sealed_for
from subiteya.tiktok import TokenAnswer
from tests.factories import TikTokAccountFactory, UploadSessionFactory
from tests.lib.test_crypto import opened, write
from tests.processes import ROOT

pytestmark = pytest.mark.django_db

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
ROWS = 7


@pytest.fixture
def secrets(settings: Any) -> list[OAuthToken]:
    """Rows of every encrypted column under the old key; the settings name the new one first."""
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    accounts = [TikTokAccountFactory() for _row in range(ROWS)]
    for n, account in enumerate(accounts):
        OAuthAttempt.objects.create(
            state_hash=f"{n:064}", code_verifier=f"verifier{n}", account=account, created_at=timezone.now()
        )
        UploadSessionFactory(video__account=account, upload_url=f"https://upload.example/{n}")
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    return list(OAuthToken.objects.order_by("pk"))


def plain() -> list[Any]:
    """Every secret, opened."""
    return [
        *((row.access_token, row.refresh_token) for row in OAuthToken.objects.order_by("pk")),
        *(row.code_verifier for row in OAuthAttempt.objects.order_by("pk")),
        *(row.upload_url for row in UploadSession.objects.order_by("pk")),
    ]


def rotate(*arguments: str) -> tuple[int, Any]:
    """The command's exit code and its document."""
    out = StringIO()
    try:
        call_command("rotate_keys", "--json", *arguments, stdout=out, stderr=StringIO())
    except SystemExit as left:
        return int(str(left.code)), json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


def test_it_knows_every_encrypted_column_of_the_code() -> None:
    found = {f"{model._meta.label}.{column.name}" for model, column in encrypted_fields()}

    assert found == {
        f"{field.model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, EncryptedTextField)
    }
    assert len(found) >= 4


def test_it_moves_every_value_to_the_first_key_and_counts(secrets: list[OAuthToken], settings: Any) -> None:
    before = plain()
    assert rotate("--check")[0] == 1

    code, document = rotate()

    assert code == 0
    assert {line["field"]: line["moved"] for line in document["rotated"]} == {
        "accounts.OAuthAttempt.code_verifier": ROWS,
        "accounts.OAuthToken.access_token": ROWS,
        "accounts.OAuthToken.refresh_token": ROWS,
        "publishing.UploadSession.upload_url": ROWS,
    }
    assert document["keys"] == [
        {"id": key_id(NEW), "first": True, "rows": 4 * ROWS, "removable": False},
        {"id": key_id(OLD), "first": False, "rows": 0, "removable": True},
    ]
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    assert plain() == before


def test_it_changes_nothing_the_second_time(secrets: list[OAuthToken]) -> None:
    rotate()
    stored = list(OAuthToken.objects.order_by("pk").values_list("access_token", "refresh_token"))

    code, document = rotate()

    assert (code, [line["moved"] for line in document["rotated"]]) == (0, [0, 0, 0, 0])
    assert list(OAuthToken.objects.order_by("pk").values_list("access_token", "refresh_token")) == stored


def test_it_gives_values_from_before_their_place_also_without_a_new_key(settings: Any) -> None:
    token = TikTokAccountFactory().token
    write(token, Fernet(settings.FIELD_ENCRYPTION_KEYS[0]).encrypt(b"act.before").decode())
    assert rotate("--check")[0] == 1

    code, document = rotate()

    assert (code, sum(line["moved"] for line in document["rotated"])) == (0, 1)
    assert opened(token) == "act.before"


def test_it_only_looks_when_it_is_asked_to_check(secrets: list[OAuthToken]) -> None:
    stored = list(OAuthToken.objects.values_list("pk", "access_token"))

    code, document = rotate("--check")

    assert (code, document["rotated"], document["done"]) == (1, [], False)
    assert [key["rows"] for key in document["keys"]] == [0, 4 * ROWS]
    assert list(OAuthToken.objects.values_list("pk", "access_token")) == stored


def test_it_goes_on_where_it_was_cut_off(secrets: list[OAuthToken]) -> None:
    """Stopped after any batch, as by a kill: all that was written stays, and the next run does the rest."""
    before, calls = plain(), []

    def cut(field: str, seen: int) -> None:
        calls.append(field)
        if len(calls) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        keys_rotate(batch=2, told=cut)
    done = sum(use.rows[key_id(NEW)] for use in keys_in_use())
    assert 0 < done < 4 * ROWS
    assert plain() == before

    moves = keys_rotate(batch=2)

    assert sum(move.moved for move in moves) == 4 * ROWS - done
    assert plain() == before


def test_it_never_overwrites_a_token_that_is_refreshed_meanwhile(secrets: list[OAuthToken]) -> None:
    """Between reading a row and writing it, a worker stores the new token: that is what stays."""
    target, refreshed = secrets[3], []

    def refresh_first(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not refreshed and sql.startswith("UPDATE") and '"refresh_token" = ' in sql and target.pk in params:
            refreshed.append(sql)
            fresh = sealed_for(target, {"refresh_token": "rft.refreshed"})
            OAuthToken.objects.filter(pk=target.pk).update(**fresh)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refresh_first):
        moves = {move.field: move for move in keys_rotate()}

    assert refreshed
    assert opened(target, "refresh_token") == "rft.refreshed"
    assert moves["accounts.OAuthToken.refresh_token"].changed_meanwhile == 1
    assert all(move.left == 0 for move in moves.values())


@pytest.mark.django_db(transaction=True)
def test_it_moves_keys_while_workers_refresh(secrets: list[OAuthToken]) -> None:
    """Two threads, one on each side of every row: whatever the order, the new tokens are there under the new key."""
    start = threading.Barrier(2)

    def refresh() -> None:
        start.wait()
        try:
            for token in reversed(secrets):
                answer = {"open_id": "o", "scope": "video.publish", "expires_in": 9, "refresh_expires_in": 99}
                answer |= {"access_token": f"act.new{token.pk}", "refresh_token": f"rft.new{token.pk}"}
                token_store(account=token.account, answer=TokenAnswer.from_json(answer))
        finally:
            connection.close()

    worker = threading.Thread(target=refresh)
    worker.start()
    start.wait()
    keys_rotate(batch=1)
    worker.join()

    assert [(t.access_token, t.refresh_token) for t in OAuthToken.objects.order_by("pk")] == [
        (f"act.new{token.pk}", f"rft.new{token.pk}") for token in secrets
    ]
    assert sum((use.rows for use in keys_in_use()), Counter()) == {key_id(NEW): 4 * ROWS}


PROGRAM = """
import sys, django
django.setup()
from django.conf import settings
settings.FIELD_ENCRYPTION_KEYS = sys.argv[1:]
from accounts.services.keys import keys_rotate
keys_rotate(batch=1, told=lambda field, seen: print(field, seen, flush=True))
"""


@pytest.mark.django_db(transaction=True)
def test_it_loses_nothing_when_it_is_killed_and_run_again(secrets: list[OAuthToken]) -> None:
    """A real process, killed with SIGKILL in the middle of its work, several times."""
    before, left = plain(), 4 * ROWS
    environment = os.environ | {"DATABASE_URL": address_of_the_database()}
    for lines in (3, 9, 5):
        with subprocess.Popen(
            [sys.executable, "-c", PROGRAM, NEW, OLD], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout
            for _line in range(lines):
                process.stdout.readline()
            process.kill()
        assert plain() == before
        now = sum(use.rows[key_id(OLD)] for use in keys_in_use())
        assert now <= left - lines
        left = now

    assert sum(move.moved for move in keys_rotate()) == left
    assert plain() == before
    assert removable_keys(keys_in_use()) == [key_id(OLD)]


def address_of_the_database() -> str:
    """DATABASE_URL for another process, of the database that this test uses."""
    at = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{at['NAME']}"
    return f"postgres://{at['USER']}@{at['HOST']}:{at['PORT']}/{at['NAME']}"


def test_it_leaves_what_it_cannot_open_and_says_so(secrets: list[OAuthToken]) -> None:
    write(secrets[0], "v1:00000000:gAAAAnothing")

    code, document = rotate()

    (line,) = [line for line in document["rotated"] if line["field"] == "accounts.OAuthToken.access_token"]
    assert (code, line["moved"], line["unreadable"], line["left"]) == (1, ROWS - 1, 1, 1)
    assert document["missing"] == [{"id": "00000000", "rows": 1}]


def check() -> str:
    """What the check of the database says, nothing when it is content."""
    try:
        call_command("check", databases=["default"], tags=["database"], stdout=StringIO())
    except SystemCheckError as error:
        return str(error)
    return ""


def test_it_refuses_to_start_without_a_key_that_rows_need(secrets: list[OAuthToken], settings: Any) -> None:
    assert check() == ""
    settings.FIELD_ENCRYPTION_KEYS = [NEW]

    said = check()

    assert f"FIELD_ENCRYPTION_KEYS lacks the key {key_id(OLD)}, which rows still need: " in said
    assert f"{ROWS} in accounts.OAuthToken.refresh_token" in said
    assert "accounts.E001" in said
    assert OLD not in said


def test_it_refuses_to_start_without_the_key_of_values_from_before(settings: Any) -> None:
    write(TikTokAccountFactory().token, Fernet(OLD).encrypt(b"act.before").decode())

    assert "No key in FIELD_ENCRYPTION_KEYS opens" in check()


def test_it_goes_on_without_a_lost_key_once_its_rows_are_forgotten(secrets: list[OAuthToken], settings: Any) -> None:
    """The lines of docs/keys.md, as they stand there."""
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    lines = (ROOT / "docs/keys.md").read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]

    exec(lines.replace("KEYID", key_id(OLD)), {})

    assert check() == ""
    assert not TikTokAccount.objects.filter(status="connected").exists()


def test_it_disconnects_an_account_whose_key_is_lost(secrets: list[OAuthToken], settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [NEW]

    account_disconnect(account=secrets[0].account, reason="by_person")

    assert not OAuthToken.objects.filter(pk=secrets[0].pk).exists()


def test_it_lets_a_key_go_once_nothing_needs_it(secrets: list[OAuthToken], settings: Any) -> None:
    assert removable_keys(keys_in_use()) == []
    keys_rotate()
    assert removable_keys(keys_in_use()) == [key_id(OLD)]
    settings.FIELD_ENCRYPTION_KEYS = [NEW]

    assert (check(), lost_keys(keys_in_use())) == ("", {})


def test_it_prints_counts_for_people(secrets: list[OAuthToken]) -> None:
    out = StringIO()
    call_command("rotate_keys", stdout=out, stderr=StringIO())

    text = out.getvalue()
    assert re.search(r"accounts\.OAuthToken\.refresh_token +7 +0 +0 +0\n", text)
    assert key_id(OLD) in text
    assert not [key for key in (OLD, NEW) if key in text]
