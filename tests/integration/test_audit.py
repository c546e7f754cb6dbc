"""The audit record under many processes: one chain without fork or hole, also when some of them die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from django.db import connection

from audit.models import AuditEntry
from audit.services.checking import audit_check
from audit.services.sealing import audit_seal
from tests.processes import ROOT, running

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
PROCESSES, ACTS = 8, 30
#: Forks, and lets all begin at once; of each one's acts every third is rolled back, and every other one records twice.
PROGRAM = """
import os, sys, traceback
import django
django.setup()
from django.db import transaction
from audit.catalogue import Action
from audit.services.recording import audit_record
processes, acts = map(int, sys.argv[1:])
def work(number):
    for act in range(acts):
        try:
            with transaction.atomic():
                audit_record(action=Action.EXPORT_CSV, on=("report", f"{number}.{act}"))
                if act % 2:
                    audit_record(action=Action.EXPORT_CSV, on=("report", f"{number}.{act}b"))
                if act % 3 == 2:
                    raise ZeroDivisionError
        except ZeroDivisionError:
            pass
start, let_go = os.pipe()
for number in range(processes):
    if os.fork() == 0:
        os.close(let_go)
        os.read(start, 1)
        try:
            work(number)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
os.close(let_go)
sys.exit(sum(os.wait()[1] != 0 for _each in range(processes)))
"""
#: Is killed as the power would: after the act's commit, before its entry is sealed.
VICTIM = """
import os, signal
import django
django.setup()
from django.db import transaction
from audit.catalogue import Action
from audit.services.recording import audit_record
with transaction.atomic():
    transaction.on_commit(lambda: os.kill(os.getpid(), signal.SIGKILL))
    audit_record(action=Action.EXPORT_CSV, on=("report", "victim"))
"""
#: Is killed in the middle of sealing: every entry has its place, and nothing is committed.
SEALER = """
import os, signal
import django
django.setup()
from audit.services import sealing
from django.db import connection
def die(execute, sql, params, many, context):
    if sql.startswith("UPDATE") and "audit_audithead" in sql:
        os.kill(os.getpid(), signal.SIGKILL)
    return execute(sql, params, many, context)
with connection.execute_wrapper(die):
    sealing.audit_seal()
"""


def environment() -> dict[str, str]:
    """So that a process uses the database of this test."""
    at = connection.settings_dict
    url = f"postgres://{at['USER']}@{at['HOST']}:{at['PORT']}/{at['NAME']}"
    if connection.vendor == "sqlite":
        url = f"sqlite:///{at['NAME']}"
    return {"DJANGO_SETTINGS_MODULE": "subiteya.settings.test", "DATABASE_URL": url, "PYTHONPATH": str(ROOT)}


def died(program: str) -> bool:
    argv = [sys.executable, "-c", program]
    return subprocess.run(argv, env=os.environ | environment(), timeout=120).returncode == -signal.SIGKILL


def test_it_keeps_one_chain_when_eight_processes_record_at_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    argv = [sys.executable, "-c", PROGRAM, str(PROCESSES), str(ACTS)]
    with running(argv, log=log, **environment()) as program:
        assert program.wait(timeout=240) == 0, log.read_text()
    audit_seal()  # what the last one left while another was at it

    kept = [act for act in range(ACTS) if act % 3 != 2]
    wanted = PROCESSES * sum(1 + act % 2 for act in kept)
    found = audit_check()
    assert (found.broken, found.entries, found.unsealed) == (None, wanted, 0)
    assert sorted(AuditEntry.objects.values_list("sequence", flat=True)) == list(range(1, wanted + 1))
    assert max(Counter(AuditEntry.objects.values_list("object_id", flat=True)).values()) == 1


def test_it_seals_what_a_killed_process_left() -> None:
    assert died(VICTIM)
    assert AuditEntry.objects.unsealed().count() == 1

    assert died(SEALER)
    assert AuditEntry.objects.unsealed().count() == 1
    assert audit_check().broken is None

    assert audit_seal() == 1
    found = audit_check()
    assert (found.entries, found.unsealed, found.broken) == (1, 0, None)
