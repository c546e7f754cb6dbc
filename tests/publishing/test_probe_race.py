"""Eight processes at the end of fifty pauses: one of them tries, every time."""

from __future__ import annotations

import multiprocessing
import time
from datetime import timedelta
from multiprocessing.synchronize import Barrier
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from publishing.models import AccountCircuit, Job
from publishing.services.circuits import NotPermitted, circuit_give_back, circuit_permit
from publishing.states import CircuitState, JobKind, VideoStatus
from tests.factories import JobFactory, TikTokAccountFactory, VideoFactory

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

PROCESSES, ROUNDS = 8, 50
WAIT_SECONDS = 120
fork = multiprocessing.get_context("fork")


def contend(number: int, pk: int, barrier: Barrier, calls: Any, answers: Any) -> None:
    """Ask for the try in each round; tell `(round, token, how many were trying)` when it was given."""
    for turn in range(ROUNDS):
        barrier.wait(WAIT_SECONDS)
        job = Job.objects.select_related("video__account").get(pk=pk)
        try:
            permit = circuit_permit(job=job, owner=f"host:{number}")
        except NotPermitted:
            permit = None
        if permit:
            with calls.get_lock():
                calls.value += 1
            time.sleep(0.002)
            answers.put((turn, permit.token, calls.value))
            with calls.get_lock():
                calls.value -= 1
            if turn % 3:
                circuit_give_back(permit, job=job)
        barrier.wait(WAIT_SECONDS)
        if number == 0:  # the pause, or the lease of a try that nobody ends, is over
            over = timezone.now() - timedelta(seconds=1)
            AccountCircuit.objects.filter(state=CircuitState.OPEN).update(open_until=over)
            AccountCircuit.objects.filter(state=CircuitState.HALF_OPEN).update(probe_until=over)
    connections.close_all()


def test_it_lets_exactly_one_of_eight_processes_try_each_time() -> None:
    account = TikTokAccountFactory()
    over = timezone.now() - timedelta(seconds=1)
    AccountCircuit.objects.create(account=account, state=CircuitState.OPEN, opened_at=over, open_until=over)
    job = JobFactory(video=VideoFactory(account=account, status=VideoStatus.EDITED), kind=JobKind.UPLOAD)
    barrier, calls, answers = fork.Barrier(PROCESSES), fork.Value("i", 0), fork.Queue()
    connections.close_all()

    processes = [
        fork.Process(target=contend, args=(number, job.pk, barrier, calls, answers)) for number in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    given = sorted(answers.get(timeout=WAIT_SECONDS) for _turn in range(ROUNDS))
    for process in processes:
        process.join(WAIT_SECONDS)

    assert [process.exitcode for process in processes] == [0] * PROCESSES
    assert given == [(turn, turn + 1, 1) for turn in range(ROUNDS)]
    assert answers.empty()
    assert AccountCircuit.objects.get().probe_token == ROUNDS
