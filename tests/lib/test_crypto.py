"""Encrypted fields: each value names its key and knows its place."""

from __future__ import annotations

import pickle
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core import serializers
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import OAuthAttempt, OAuthToken
from subiteya.lib.crypto import DecryptionFailed, Sealed, current_prefix, key_id, sealed_for
from tests.factories import TikTokAccountFactory, UploadSessionFactory

pytestmark = pytest.mark.django_db

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def token_of(name: str) -> OAuthToken:
    account = TikTokAccountFactory(username=name, token=None)
    return OAuthToken.objects.create(
        account=account, access_token=f"act.{name}", refresh_token=f"rft.{name}", scope="video.publish",
        expires_at=timezone.now(), refresh_expires_at=timezone.now() + timedelta(days=9),
    )  # fmt: skip


def stored(token: OAuthToken, column: str = "access_token") -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM accounts_oauthtoken WHERE id = %s", [token.pk])
        return str(cursor.fetchone()[0])


def write(token: OAuthToken, text: str, column: str = "access_token") -> None:
    """As somebody who may write to the database, and has no key."""
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE accounts_oauthtoken SET {column} = %s WHERE id = %s", [text, token.pk])


def opened(token: OAuthToken, column: str = "access_token") -> str:
    return str(getattr(OAuthToken.objects.get(pk=token.pk), column))


def test_it_names_the_key_beside_each_value_without_telling_it(settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    token = token_of("luna")

    assert stored(token).startswith(f"v1:{key_id(NEW)}:gAAAA")
    assert current_prefix() == f"v1:{key_id(NEW)}:"
    assert key_id(NEW) not in NEW
    assert opened(token) == "act.luna"


@pytest.mark.parametrize("keys", [[OLD], [NEW, OLD]])
def test_it_opens_what_was_stored_before_values_named_their_key(settings: Any, keys: list[str]) -> None:
    settings.FIELD_ENCRYPTION_KEYS = keys
    token = token_of("luna")
    write(token, Fernet(OLD).encrypt(b"act.old").decode())

    assert opened(token) == "act.old"


def test_it_says_which_key_is_missing_and_nothing_of_the_value(settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    token = token_of("luna")
    settings.FIELD_ENCRYPTION_KEYS = [NEW]

    with pytest.raises(DecryptionFailed, match=f"the key {key_id(OLD)} of this value is not in FIELD_ENCRYPTION_KEYS"):
        opened(token)


def test_it_opens_no_value_that_was_copied_from_another_column_or_row() -> None:
    luna, sol = token_of("luna"), token_of("sol")
    write(luna, stored(luna, "refresh_token"), "access_token")
    write(sol, stored(luna, "refresh_token"), "refresh_token")

    for row, column in ((luna, "access_token"), (sol, "refresh_token")):
        with pytest.raises(DecryptionFailed, match="copied there from another column or row"):
            opened(row, column)
    assert opened(luna, "refresh_token") == "rft.luna"


def test_it_opens_no_value_whose_prefix_was_cut_off_to_make_it_an_old_one() -> None:
    luna, sol = token_of("luna"), token_of("sol")
    write(sol, stored(luna)[12:])

    with pytest.raises(DecryptionFailed, match="its prefix is gone"):
        opened(sol)


def test_it_opens_no_value_that_was_altered() -> None:
    token = token_of("luna")
    text = stored(token)
    write(token, text[:-6] + ("A" if text[-6] != "A" else "B") + text[-5:])

    with pytest.raises(DecryptionFailed, match="altered"):
        opened(token)


def test_it_decrypts_only_what_is_asked_for() -> None:
    """A list of rows holds no secret: a value that cannot be opened spoils only what needs it."""
    token = token_of("luna")
    write(token, "v1:00000000:gAAAA")

    row = OAuthToken.objects.get(pk=token.pk)

    assert (row.account.username, row.refresh_token) == ("luna", "rft.luna")
    assert "luna" not in repr(OAuthToken.objects.filter(pk=token.pk).values("refresh_token").get())


def test_it_encrypts_an_update_only_for_a_row_that_it_knows() -> None:
    token = token_of("luna")
    rows = OAuthToken.objects.filter(pk=token.pk)

    with pytest.raises(TypeError, match="sealed_for"), transaction.atomic():
        rows.update(access_token="act.new")
    rows.update(**sealed_for(token, {"access_token": "act.new", "scope": "video.upload"}))

    assert opened(token) == "act.new"
    assert OAuthToken.objects.get(pk=token.pk).scope == "video.upload"


def test_it_refuses_a_secret_of_a_row_that_has_no_name_yet() -> None:
    with pytest.raises(ValueError, match="needs state_hash"):
        OAuthAttempt.objects.create(code_verifier="verifier", created_at=timezone.now())


def test_it_takes_a_part_of_a_row_and_reads_it_again() -> None:
    token = token_of("luna")
    part = OAuthToken.objects.only("scope").get(pk=token.pk)
    assert part.access_token == "act.luna"

    OAuthToken.objects.filter(pk=token.pk).update(**sealed_for(token, {"access_token": "act.new"}))
    part.refresh_from_db()

    assert part.access_token == "act.new"
    assert pickle.loads(pickle.dumps(part)).access_token == "act.new"


def test_it_leaves_an_empty_value_empty() -> None:
    session = UploadSessionFactory(upload_url="")

    assert type(session)._base_manager.filter(pk=session.pk, upload_url="").exists()
    assert type(session).objects.get(pk=session.pk).upload_url == ""


@pytest.mark.parametrize("form", ["json", "python"])
def test_it_dumps_and_loads_rows_without_opening_them(form: str) -> None:
    token = token_of("luna")
    dumped = serializers.serialize(form, OAuthToken.objects.filter(pk=token.pk))
    assert "luna" not in str(dumped)
    OAuthToken.objects.all().delete()

    for row in serializers.deserialize(form, dumped):
        row.save()

    assert opened(token) == "act.luna"


def test_it_shows_a_sealed_value_only_by_its_key() -> None:
    token = token_of("luna")

    (sealed,) = OAuthToken.objects.filter(pk=token.pk).values_list("access_token", flat=True)

    assert isinstance(sealed, Sealed)
    assert f"{sealed} {sealed!r}" == f"<sealed {sealed.key_id}> <sealed {sealed.key_id}>"
