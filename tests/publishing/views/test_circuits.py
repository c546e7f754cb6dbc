"""The account's page about its breaker: what it says in each state, and the buttons that change it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from publishing.models import AccountCircuit, CircuitEvent, Job
from publishing.services.circuits import circuit_failed, circuit_isolate, circuit_of
from publishing.services.jobs import job_create
from publishing.states import CircuitState, JobKind, JobStatus, VideoStatus
from subiteya.tiktok import FailureClass
from tests.factories import TikTokAccountFactory, UserFactory, VideoFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana():
    return UserFactory(username="ana", language="en")


@pytest.fixture
def account(ana):
    return TikTokAccountFactory(username="panaderia", managers=[ana])


@pytest.fixture
def client(ana):
    client = Client()
    client.force_login(ana)
    return client


def page(client, account) -> str:
    response = client.get(reverse("publishing:circuit_detail", args=[account.pk]))
    assert response.status_code == 200
    return response.content.decode()


def act(client, account, name, reason="TikTok said so") -> str:
    address = reverse("publishing:circuit_act", args=[account.pk, name])
    return client.post(address, {"reason": reason}, follow=True).content.decode()


def waiting(account, caption="Waiting bread") -> Job:
    video = VideoFactory(account=account, status=VideoStatus.EDITED, caption=caption)
    return job_create(video=video, kind=JobKind.UPLOAD)


def pause(account) -> None:
    for _time in range(3):
        video = VideoFactory(account=account, status=VideoStatus.POSTED, posted_at=timezone.now())
        job = Job.objects.create(video=video, kind=JobKind.UPLOAD, status=JobStatus.FAILED, run_at=timezone.now())
        circuit_failed(job=job, code="internal_error", failure_class=FailureClass.COUNT)


def test_it_says_that_an_account_without_a_story_publishes(client, account):
    shown = page(client, account)
    assert "It publishes normally." in shown and "0 of 3" in shown and "Nothing waits." in shown
    assert "dialog-isolate" in shown and "dialog-release" not in shown and "dialog-probe" not in shown


def test_it_tells_why_it_is_paused_what_waits_and_when_it_goes_on(client, account):
    waiting(account)
    pause(account)

    shown = page(client, account)

    assert "3 of 3" in shown and "TikTok had an internal error." in shown and "Waiting bread" in shown
    assert "Next try" in shown and "dialog-probe" in shown and "dialog-release" not in shown
    listed = client.get(reverse("accounts:account_list")).content.decode()
    assert "Paused after several failures" in listed and "1 video waits." in listed


def test_it_leads_from_a_held_video_to_the_account(client, account):
    job = waiting(account)
    pause(account)

    shown = client.get(reverse("publishing:video_detail", args=[job.video_id])).content.decode()

    assert reverse("publishing:circuit_detail", args=[account.pk]) in shown
    assert "@panaderia is paused: 3 failures within an hour." in shown


def test_it_tries_now(client, account):
    pause(account)
    assert "Its first video is tried now." in act(client, account, "probe")
    assert circuit_of(account).open_until <= timezone.now()


def test_it_sets_apart_and_releases_with_the_persons_words(client, account, ana):
    job = waiting(account)

    act(client, account, "isolate", "The client asked for it")

    shown = page(client, account)
    assert "@panaderia is set apart: The client asked for it." in shown and "dialog-release" in shown
    assert Job.objects.get(pk=job.pk).status == JobStatus.HELD
    act(client, account, "release", "They changed their mind")
    assert circuit_of(account).state == CircuitState.OPEN
    events = CircuitEvent.objects.filter(account=account).values_list("kind", "actor", "reason")
    assert ("released", ana.pk, "They changed their mind") in events


def test_it_publishes_normally_again(client, account):
    job = waiting(account)
    pause(account)
    assert "It publishes normally again." in act(client, account, "reset")
    assert Job.objects.get(pk=job.pk).status == JobStatus.QUEUED


def test_it_offers_to_reconnect_when_that_is_the_cause(client, account):
    circuit_isolate(account=account, reason="", actor=None, code="access_token_invalid")
    shown = page(client, account)
    assert reverse("accounts:account_reconnect", args=[account.pk]) in shown
    assert "TikTok does not accept our access to @panaderia any more." in shown


@pytest.mark.parametrize(("name", "reason"), [("isolate", ""), ("isolate", "x" * 201), ("explode", "x")])
def test_it_wants_a_reason_and_a_known_act(client, account, name, reason):
    shown = act(client, account, name, reason)
    assert "Say why" in shown
    assert not AccountCircuit.objects.exists()


def test_it_refuses_what_has_changed_meanwhile(client, account):
    assert "is not set apart" in act(client, account, "release")


def test_it_says_when_all_of_tiktok_seems_ill(client, ana):
    accounts = [TikTokAccountFactory(managers=[ana]) for _each in range(3)]
    for account in accounts:
        pause(account)
    assert "TikTok itself seems to have a problem" in page(client, accounts[0])


def test_it_forgets_old_failures(client, account):
    pause(account)
    CircuitEvent.objects.update(at=timezone.now() - timedelta(hours=2))
    assert "0 of 3" in page(client, account)
