"""What the monkey may do, and what it may not."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.utils import timezone

from publishing.chaos.control import Control
from publishing.chaos.faults import MENU, pick_fault, rejection
from publishing.chaos.monkey import Monkey
from publishing.services.reconcile import CRASHES
from publishing.states import JobStatus
from tests.factories import JobFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def monkey(tiktok: Any, settings: Any) -> Monkey:
    settings.HOST_NAME = "chaos"
    return Monkey(seed=1, up=1, control=Control(tiktok.url), rejections=1)


def test_it_strikes_no_job_often_enough_to_take_it_out_of_the_queue(monkey: Monkey) -> None:
    JobFactory(status=JobStatus.RUNNING, owner="chaos:70", lease_until=timezone.now())

    assert [monkey._is_spent([7, 70]) for _strike in range(CRASHES)] == [False] * (CRASHES - 1) + [True]


def test_it_spares_a_job_that_crashed_without_its_help(monkey: Monkey) -> None:
    JobFactory(status=JobStatus.RUNNING, owner="chaos:70", lease_until=timezone.now(), crash_count=CRASHES - 1)

    assert monkey._is_spent([70])
    assert not monkey._is_spent([7])


def test_it_sets_only_faults_that_the_sandbox_has(monkey: Monkey, tiktok: Any) -> None:
    control, rng = Control(tiktok.url), random.Random(3)
    picked = [pick_fault(rng) for _fault in range(200)]
    for fault in [*picked, rejection()]:
        control.fault(**fault)

    assert {fault["kind"] for fault in picked} == {entry[1] for entry in MENU}
    assert control.waiting() == 201


def test_it_takes_every_fault_back_when_it_stops(monkey: Monkey, tiktok: Any) -> None:
    control = Control(tiktok.url)
    control.fault("drop_after", endpoint="chunk", times=9)
    monkey.start()

    monkey.stop()

    assert control.waiting() == 0
