"""The chain: what is recorded stays, and whatever is done to it in the database is found."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from accounts.models import User
from audit.catalogue import Action
from audit.models import AppendOnly, AuditEntry, AuditHead
from audit.services.checking import Damage, Mark, audit_check
from audit.services.recording import audit_record
from audit.services.sealing import AT_ONCE, audit_seal
from audit.signing import GENESIS
from audit.triggers import triggers_install, triggers_present, triggers_remove
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
TABLE = "audit_auditentry"


@pytest.fixture
def ana() -> User:
    return UserFactory(username="ana")


@pytest.fixture
def record(ana: User) -> Callable[..., AuditEntry]:
    def record(**fields: Any) -> AuditEntry:
        return audit_record(**{"action": Action.EXPORT_CSV, "on": ana, "actor": ana, "details": {"n": 1}} | fields)

    return record


@pytest.fixture
def chain(record: Callable[..., AuditEntry]) -> list[AuditEntry]:
    """Five sealed entries."""
    for number in range(5):
        record(details={"number": number, "día": "sábado", "list": [1, None, True]})
    assert audit_seal() == 5
    return list(AuditEntry.objects.order_by("sequence"))


def sql(statement: str, *values: Any) -> None:
    """What somebody with the database in hand can do, once the triggers are out of the way."""
    triggers_remove(connection)
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
    triggers_install(connection)


def broken() -> tuple[Damage, int | None]:
    found = audit_check().broken
    assert found is not None
    return found.damage, found.sequence


def verify(*arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("verify_audit", *arguments, stdout=out, stderr=err)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


class TestSealing:
    def test_it_numbers_without_holes_and_links_each_to_the_one_before(self, chain: list[AuditEntry]) -> None:
        assert [entry.sequence for entry in chain] == [1, 2, 3, 4, 5]
        assert [entry.previous_hash for entry in chain] == [GENESIS, *(entry.hash for entry in chain[:-1])]
        head = AuditHead.objects.get()
        assert (head.sequence, head.hash) == (5, chain[-1].hash)
        assert audit_check().broken is None

    def test_it_loses_nothing_of_more_than_one_round(self, record: Callable[..., AuditEntry]) -> None:
        for _each in range(AT_ONCE + 3):
            record()
        assert audit_seal() == AT_ONCE + 3
        assert audit_seal() == 0
        assert audit_check().entries == AT_ONCE + 3

    def test_it_takes_no_entry_of_an_act_that_was_rolled_back(self, record: Callable[..., AuditEntry]) -> None:
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            record()
            raise ZeroDivisionError
        assert not AuditEntry.objects.exists()

    @pytest.mark.django_db(transaction=True)
    def test_it_seals_as_soon_as_the_act_is_committed(self, record: Callable[..., AuditEntry]) -> None:
        with transaction.atomic():
            record()
            record()
            assert AuditEntry.objects.unsealed().count() == 2
        assert not AuditEntry.objects.unsealed().exists()

    def test_it_goes_on_after_a_change_of_keys(self, chain: Any, record: Any, settings: Any) -> None:
        old = settings.SECRET_KEY
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [old]
        record()
        audit_seal()
        assert audit_check().broken is None
        settings.SECRET_KEY_FALLBACKS = []
        assert broken() == (Damage.KEY_UNKNOWN, 1)
        settings.AUDIT_KEYS = ["a key of its own", "another", old]
        assert audit_check().entries == 6


class TestAppendOnly:
    def test_it_is_refused_in_code(self, chain: list[AuditEntry]) -> None:
        rows = AuditEntry.objects.all()
        for act in (rows.delete, chain[0].delete, chain[0].save, lambda: rows.update(action="x"),
                    lambda: AuditEntry.objects.bulk_update(chain, ["action"])):  # fmt: skip
            with pytest.raises(AppendOnly):
                act()

    @pytest.mark.parametrize(
        "statement",
        [
            f"UPDATE {TABLE} SET action = 'session.login' WHERE sequence = 2",
            f"UPDATE {TABLE} SET sequence = NULL WHERE sequence = 5",
            f"UPDATE {TABLE} SET hash = '' WHERE sequence = 5",
            f"DELETE FROM {TABLE} WHERE sequence = 5",
            f"DELETE FROM {TABLE}",
            f"INSERT INTO {TABLE} SELECT * FROM {TABLE} WHERE sequence = 1",
        ],
    )
    def test_it_is_refused_by_the_database(self, chain: list[AuditEntry], statement: str) -> None:
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
        assert audit_check().entries == 5

    @pytest.mark.parametrize("change", ["actor_name = 'bruno'", "sequence = 1, actor_name = 'bruno'", "id = 900"])
    def test_it_lets_nothing_be_done_to_an_unsealed_entry_but_its_sealing(self, record: Any, change: str) -> None:
        record()
        for statement in (f"UPDATE {TABLE} SET {change}", f"DELETE FROM {TABLE}"):
            with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)
        assert audit_seal() == 1

    def test_it_refuses_to_replace_or_truncate(self, chain: list[AuditEntry]) -> None:
        names = ", ".join(f'"{field.column}"' for field in AuditEntry._meta.concrete_fields if field.name != "sequence")
        statement = {
            "sqlite": f"INSERT OR REPLACE INTO {TABLE} ({names}) SELECT {names} FROM {TABLE} WHERE sequence = 2",
            "postgresql": f"TRUNCATE {TABLE}",
        }[connection.vendor]
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
        assert audit_check().entries == 5

    def test_it_outlives_the_person(self, ana: User, chain: list[AuditEntry]) -> None:
        pk = ana.pk
        ana.delete()
        assert audit_check().broken is None
        assert set(AuditEntry.objects.values_list("actor_id", "actor_name")) == {(pk, "ana")}


#: Column → what somebody writes over it.
FORGERIES = {
    "at": "2020-01-01 00:00:00+00", "actor_id": 12345, "actor_name": "bruno", "action": "session.logout",
    "object_type": "accounts.sector", "object_id": "77", "object_text": "bruno", "details": '{"number": 99}',
    "address": "203.0.113.9", "agent": "curl", "trace_id": "f" * 32, "signature": "0" * 64,
}  # fmt: skip


class TestVerify:
    @pytest.mark.parametrize("column", FORGERIES)
    def test_it_finds_an_altered_column(self, chain: list[AuditEntry], column: str) -> None:
        sql(f"UPDATE {TABLE} SET {column} = %s WHERE sequence = 3", FORGERIES[column])
        assert broken() == (Damage.ALTERED, 3)

    @pytest.mark.parametrize(
        ("change", "damage"),
        [
            ("key_id = '00000000'", Damage.KEY_UNKNOWN),
            (f"previous_hash = '{'1' * 64}'", Damage.REORDERED),
            (f"hash = '{'1' * 64}'", Damage.FORGED),
            ("id = 987654", Damage.FORGED),
            ("sequence = 60", Damage.MISSING),
        ],
    )
    def test_it_finds_an_altered_place(self, chain: list[AuditEntry], change: str, damage: Damage) -> None:
        sql(f"UPDATE {TABLE} SET {change} WHERE sequence = 3")
        assert broken() == (damage, 3)

    def test_it_covers_every_column(self) -> None:
        place = {"id", "sequence", "key_id", "previous_hash", "hash"}
        assert {field.column for field in AuditEntry._meta.concrete_fields} == {*FORGERIES, *place}

    @pytest.mark.parametrize("number", [1, 3, 5])
    def test_it_finds_a_removed_entry(self, chain: list[AuditEntry], number: int) -> None:
        sql(f"DELETE FROM {TABLE} WHERE sequence = %s", number)
        assert broken() == (Damage.MISSING, number)

    def test_it_finds_one_that_was_removed_and_the_gap_closed(self, chain: list[AuditEntry]) -> None:
        sql(f"DELETE FROM {TABLE} WHERE sequence = 3")
        for number in (4, 5):
            sql(f"UPDATE {TABLE} SET sequence = %s WHERE sequence = %s", number - 1, number)
        assert broken() == (Damage.REORDERED, 3)

    def test_it_finds_two_that_changed_places(self, chain: list[AuditEntry]) -> None:
        for old, new in ((2, 99), (3, 2), (99, 3)):
            sql(f"UPDATE {TABLE} SET sequence = %s WHERE sequence = %s", new, old)
        assert broken() == (Damage.REORDERED, 2)

    def test_it_finds_one_that_was_slipped_in(self, chain: list[AuditEntry], record: Any) -> None:
        record()
        sql(f"UPDATE {TABLE} SET actor_name = 'bruno' WHERE sequence IS NULL")
        assert broken() == (Damage.ALTERED, None)
        assert audit_seal() == 1  # it gets its place, and no peace there
        record()
        assert audit_seal() == 1
        assert broken() == (Damage.ALTERED, 6)

    def test_it_finds_a_place_that_was_given_without_the_key(self, chain: list[AuditEntry], record: Any) -> None:
        record()
        digest = "a" * 64
        sql(f"UPDATE {TABLE} SET sequence = 6, previous_hash = %s, hash = %s WHERE sequence IS NULL",
            chain[-1].hash, digest)  # fmt: skip
        AuditHead.objects.update(sequence=6, hash=digest)
        assert broken() == (Damage.FORGED, 6)

    def test_it_finds_a_head_that_was_turned_back(self, chain: list[AuditEntry]) -> None:
        AuditHead.objects.update(sequence=3, hash=chain[2].hash)
        assert broken() == (Damage.FORGED, 5)

    def test_it_finds_a_cut_end_by_the_head_that_was_kept_elsewhere(self, chain: list[AuditEntry]) -> None:
        kept = verify("--head")[1].strip()
        assert kept == f"{chain[-1].hash}@5"
        sql(f"DELETE FROM {TABLE} WHERE sequence > 3")
        AuditHead.objects.update(sequence=3, hash=chain[2].hash)
        assert verify()[0] == 0  # nothing inside the database can tell
        code, _out, said = verify("--expect", kept)
        assert code == 1
        assert "4" in said

    def test_it_finds_another_record_by_the_head_that_was_kept(self, chain: list[AuditEntry]) -> None:
        assert verify("--expect", f"{chain[1].hash}@2")[0] == 0
        assert verify("--expect", f"{chain[1].hash}@3")[0] == 1

    def test_it_begins_after_what_was_archived(self, chain: list[AuditEntry]) -> None:
        sql(f"DELETE FROM {TABLE} WHERE sequence <= 2")
        assert broken() == (Damage.MISSING, 1)
        found = audit_check(after=Mark(chain[1].hash, 2))
        assert (found.entries, found.broken) == (3, None)

    def test_it_prints_one_document(self, chain: list[AuditEntry], record: Any) -> None:
        record()
        code, out, err = verify("--json")
        assert (code, err) == (0, "")
        assert json.loads(out) == {
            "ok": True, "entries": 5, "unsealed": 1, "guarded": True, "broken": None,
            "head": {"sequence": 5, "hash": chain[-1].hash},
        }  # fmt: skip
        sql(f"UPDATE {TABLE} SET address = 'x' WHERE sequence = 4")
        code, out, _err = verify("--json")
        assert code == 1
        assert json.loads(out)["broken"] == {"damage": "altered", "sequence": 4, "entry": chain[3].pk}

    def test_it_says_that_the_triggers_are_gone_until_the_next_migrate(self, chain: list[AuditEntry]) -> None:
        triggers_remove(connection)
        assert not triggers_present(connection)
        assert json.loads(verify("--json")[1])["guarded"] is False
        assert "migrate" in verify()[2]
        call_command("migrate", verbosity=0)
        assert triggers_present(connection)

    def test_it_is_well_with_an_empty_record(self) -> None:
        assert verify("--head")[:2] == (0, f"{GENESIS}@0\n")
