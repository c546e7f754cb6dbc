"""What can do harm asks for a proof of the last ten minutes, and never repeats what was posted without one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import RecoveryCode, TikTokAccount
from monitoring.models import ApiKey
from publishing.services.circuits import circuit_of
from publishing.states import CircuitState
from tests.accounts.doors import PASSWORD, code_of, enrolled, logged_in, wholly_in
from tests.factories import AdminFactory, TikTokAccountFactory, UserFactory

pytestmark = pytest.mark.django_db
PROVE = "/security/again/"


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        yield clock


@pytest.fixture
def account() -> TikTokAccount:
    return TikTokAccountFactory()


def late(user: Any, clock: Any) -> Client:
    """Logged in more than ten minutes ago."""
    client = logged_in(user)
    clock.shift(timedelta(minutes=11))
    return client


def test_it_asks_before_an_account_is_set_apart_and_does_not_repeat_it(clock: Any, account: TikTokAccount) -> None:
    user = UserFactory(language="en")
    account.managers.add(user)
    client = late(user, clock)
    act = reverse("publishing:circuit_act", args=[account.pk, "isolate"])
    page = reverse("publishing:circuit_detail", args=[account.pk])
    back = {"Referer": f"http://testserver{page}"}

    sent = client.post(act, {"reason": "strange posts"}, headers=back)
    asked = client.get(sent["Location"])
    wrong = client.post(sent["Location"], {"password": "wrong"})
    proved = client.post(sent["Location"], {"password": PASSWORD})

    assert sent["Location"] == f"{PROVE}?undone=1&next={page}"
    assert "Nothing was done yet" in asked.content.decode()
    assert wrong.status_code == 403
    assert proved["Location"] == page
    assert circuit_of(account).state == CircuitState.CLOSED
    client.post(act, {"reason": "strange posts"}, headers=back)
    assert circuit_of(account).state == CircuitState.ISOLATED


def test_it_tells_fragments_and_scripts_in_their_own_way(clock: Any, account: TikTokAccount) -> None:
    user = UserFactory()
    account.managers.add(user)
    client = late(user, clock)
    act = reverse("publishing:circuit_act", args=[account.pk, "isolate"])

    fragment = client.post(act, {"reason": "x"}, headers={"HX-Request": "true"})
    script = client.post(act, {"reason": "x"}, headers={"Accept": "application/json"})

    assert fragment.status_code == 401
    assert (fragment["Log-In-At"], fragment["Log-In-Why"]) == (f"{PROVE}?undone=1", "proof")
    assert script.status_code == 401
    assert script.json()["error"]


@pytest.mark.parametrize("name", ["release", "reset", "probe"])
def test_it_does_not_ask_before_what_mends(clock: Any, account: TikTokAccount, name: str) -> None:
    user = UserFactory()
    account.managers.add(user)

    sent = late(user, clock).post(reverse("publishing:circuit_act", args=[account.pk, name]), {"reason": "x"})

    assert not sent["Location"].startswith(PROVE)


def test_it_asks_before_an_account_is_disconnected(clock: Any, account: TikTokAccount) -> None:
    user = UserFactory()
    account.managers.add(user)

    sent = late(user, clock).post(reverse("accounts:account_disconnect", args=[account.pk]))

    assert sent["Location"].startswith(PROVE)
    account.refresh_from_db()
    assert account.is_connected


@pytest.mark.parametrize(
    ("method", "page"),
    [
        ("get", "/security/enrol/"), ("post", "/security/enrol/"), ("get", "/security/qr.svg"),
        ("post", "/security/codes/"), ("post", "/security/remove/"), ("get", "/security/password/"),
        ("post", "/security/password/"),
    ],
)  # fmt: skip
def test_it_asks_before_the_log_in_itself_is_changed(clock: Any, method: str, page: str) -> None:
    client = late(UserFactory(), clock)

    assert getattr(client, method)(page)["Location"].startswith(PROVE)


def test_it_wants_the_code_of_whoever_has_a_second_factor(clock: Any) -> None:
    user = UserFactory()
    device, _codes = enrolled(user)
    client = wholly_in(user, device)
    assert client.get("/security/enrol/").status_code == 200
    clock.shift(timedelta(minutes=11))

    with_password = client.post(PROVE, {"password": PASSWORD})
    clock.shift(timedelta(minutes=1))
    with_code = client.post(f"{PROVE}?next=/security/", {"code": code_of(device)})

    assert with_password.status_code == 403
    assert with_code["Location"] == "/security/"
    assert client.post("/security/codes/").content.decode().count("<li><code>") == 10
    assert RecoveryCode.objects.filter(used_at=None).count() == 10


def test_it_proves_nothing_with_half_a_log_in() -> None:
    user = UserFactory()
    enrolled(user)

    assert logged_in(user).post(PROVE, {"password": PASSWORD})["Location"].startswith("/login/code/")


def test_it_slows_down_whoever_guesses_the_password_in_an_open_session(clock: Any) -> None:
    client = late(UserFactory(), clock)

    for _turn in range(5):
        client.post(PROVE, {"password": "wrong"})
    early = client.post(PROVE, {"password": PASSWORD})
    clock.shift(timedelta(seconds=5))

    assert early.status_code == 403
    assert client.post(PROVE, {"password": PASSWORD}).status_code == 302


def test_it_goes_nowhere_else_afterwards() -> None:
    client = logged_in(UserFactory())

    assert client.post(f"{PROVE}?next=https://evil.example/", {"password": PASSWORD})["Location"] == "/"


ADMIN_PAGES = ["accounts_user_add", "auth_group_add", "monitoring_apikey_add"]


class TestAdmin:
    @pytest.fixture
    def client(self, clock: Any) -> Client:
        return late(AdminFactory(), clock)

    @pytest.mark.parametrize("name", ADMIN_PAGES)
    @pytest.mark.parametrize("method", ["get", "post"])
    def test_it_asks_before_people_groups_and_keys_are_made(self, client: Client, name: str, method: str) -> None:
        address = reverse(f"admin:{name}")

        assert getattr(client, method)(address, {"name": "x", "scope": "monitor"})["Location"].startswith(PROVE)
        assert not ApiKey.objects.exists()

    def test_it_asks_before_people_and_accounts_are_changed(self, client: Client, account: TikTokAccount) -> None:
        user = UserFactory()
        for address in (
            reverse("admin:accounts_user_change", args=[user.pk]),
            reverse("admin:accounts_user_delete", args=[user.pk]),
            reverse("admin:auth_user_password_change", args=[user.pk]),
            reverse("admin:accounts_tiktokaccount_change", args=[account.pk]),
        ):
            for answer in (client.get(address), client.post(address)):
                assert answer["Location"].startswith(PROVE), address

    @pytest.mark.parametrize(
        ("page", "action"),
        [
            ("accounts_user", "forget_phone"), ("accounts_user", "end_sessions"), ("accounts_user", "delete_selected"),
            ("accounts_tiktokaccount", "disconnect"), ("publishing_accountcircuit", "isolate"),
        ],
    )  # fmt: skip
    def test_it_asks_before_dangerous_actions(self, client: Client, page: str, action: str) -> None:
        address = reverse(f"admin:{page}_changelist")

        answer = client.post(address, {"action": action, "_selected_action": [1], "confirmed": "yes"})

        assert answer["Location"].startswith(f"{PROVE}?undone=1")

    def test_it_lets_one_look_and_do_the_rest(self, client: Client, account: TikTokAccount) -> None:
        for name in ("accounts_user", "accounts_tiktokaccount", "monitoring_apikey", "publishing_accountcircuit"):
            assert client.get(reverse(f"admin:{name}_changelist")).status_code == 200

    def test_it_opens_after_the_proof(self, client: Client) -> None:
        client.post(PROVE, {"password": PASSWORD})

        assert all(client.get(reverse(f"admin:{name}")).status_code == 200 for name in ADMIN_PAGES)
