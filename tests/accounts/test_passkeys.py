"""Passkeys and what their answers cannot do; that they work is shown in a browser (tests/browser)."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_otp_webauthn.models import WebAuthnCredential

from accounts.services.second_factor import second_factor_remove
from tests.accounts.authenticator import Authenticator
from tests.accounts.doors import CODE, code_of, enrolled, logged_in, wholly_in
from tests.factories import AdminFactory, UserFactory

pytestmark = pytest.mark.django_db
ASK, USE, NEW, ADD = "/login/passkey/begin/", "/login/passkey/", "/security/passkeys/begin/", "/security/passkeys/"


@pytest.fixture(autouse=True)
def named_host(settings: Any) -> None:
    settings.PASSKEYS = True
    settings.OTP_WEBAUTHN_RP_ID = "localhost"
    settings.OTP_WEBAUTHN_ALLOWED_ORIGINS = ["http://localhost:8000"]


def send(client: Client, address: str, body: Any = None) -> Any:
    headers = {"Accept": "application/json"}
    return client.post(address, json.dumps(body or {}), content_type="application/json", headers=headers)


def passkey_of(user: Any, name: str = "laptop") -> WebAuthnCredential:
    return WebAuthnCredential.objects.create(
        user=user, name=name, credential_id=f"{user.pk} {name}".encode(), public_key=b"x", aaguid=""
    )


#: The right shape and signed by nobody.
FORGED = {
    "id": "AAAA", "rawId": "AAAA", "type": "public-key", "clientExtensionResults": {},
    "response": {"clientDataJSON": "e30", "authenticatorData": "AAAA", "signature": "AAAA", "attestationObject": "AA"},
}  # fmt: skip


def test_it_lets_half_a_log_in_register_nothing() -> None:
    """The add-on's own pages would: one that was registered so would pay the code that is due."""
    user = UserFactory()
    enrolled(user)
    client = logged_in(user)

    for address in (NEW, ADD, "/security/passkeys/1/remove/"):
        assert send(client, address).status_code == 401
        assert client.post(address)["Location"].startswith(CODE)
    assert not [name for name in ("/webauthn/", "/otp_webauthn/") if client.get(name).status_code != 404]
    assert client.get("/accounts/")["Location"].startswith(CODE)


def test_it_takes_no_passkey_before_the_phone_is_set_up() -> None:
    client = logged_in(UserFactory())

    assert send(client, NEW).status_code == 403
    assert not client.get("/accounts/").wsgi_request.user.is_verified()


ANSWERS = [None, [], "x", {}, {"credential": None}, {"credential": {}}, {"credential": FORGED}]


@pytest.mark.parametrize("answer", ANSWERS)
def test_it_refuses_what_it_cannot_check(answer: Any) -> None:
    user = UserFactory()
    device, _codes = enrolled(user)
    passkey_of(user)
    half, whole = logged_in(user), wholly_in(user, device)

    assert send(half, ASK).json()["challenge"]
    assert send(half, USE, answer).status_code == 403
    assert half.get("/accounts/")["Location"].startswith(CODE)
    assert send(whole, NEW).json()["challenge"]
    assert send(whole, ADD, answer).status_code == 403
    assert WebAuthnCredential.objects.count() == 1


def test_it_looks_at_no_answer_without_a_challenge_twice_or_late() -> None:
    user = UserFactory()
    enrolled(user)
    passkey_of(user)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client = logged_in(user)
        assert send(client, USE, {"credential": FORGED}).status_code == 403
        send(client, ASK)
        assert "passkey_use" in client.session
        send(client, USE, {"credential": FORGED})
        assert "passkey_use" not in client.session
        send(client, ASK)
        clock.shift(timedelta(minutes=6))
        assert send(client, USE, {"credential": FORGED}).status_code == 403


def test_it_takes_a_challenge_for_a_new_passkey_for_no_log_in() -> None:
    user = UserFactory()
    device, _codes = enrolled(user)
    client = wholly_in(user, device)
    send(client, NEW)

    assert "passkey_new" in client.session
    assert send(client, USE, {"credential": FORGED}).status_code == 403


def test_it_asks_only_for_the_person_s_own() -> None:
    user, other = UserFactory(), UserFactory()
    enrolled(user)
    passkey_of(other)
    client = logged_in(user)
    assert send(client, ASK).status_code == 403

    passkey_of(user)

    assert len(send(client, ASK).json()["allowCredentials"]) == 1
    assert client.post(CODE, {"code": "passkey"}).status_code == 403


def test_it_asks_for_a_proof_before_one_is_added_or_removed() -> None:
    user = UserFactory()
    device, _codes = enrolled(user)
    mine = passkey_of(user)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client = wholly_in(user, device)
        clock.shift(timedelta(minutes=11))

        assert send(client, NEW)["Log-In-At"].startswith("/security/again/")
        assert client.post(f"/security/passkeys/{mine.pk}/remove/")["Location"].startswith("/security/again/")


def test_it_removes_the_own_ends_other_sessions_and_leaves_others_alone() -> None:
    user, other = UserFactory(), UserFactory()
    device, codes = enrolled(user)
    mine, theirs = passkey_of(user), passkey_of(other)
    elsewhere = logged_in(user)
    elsewhere.post(CODE, {"code": codes[0]})
    client = wholly_in(user, device)

    assert client.post(f"/security/passkeys/{theirs.pk}/remove/").status_code == 404
    assert client.post(f"/security/passkeys/{mine.pk}/remove/")["Location"] == "/security/"

    assert client.get("/accounts/").status_code == 200
    assert elsewhere.get("/accounts/")["Location"].startswith("/login/")
    assert list(WebAuthnCredential.objects.all()) == [theirs]


def test_it_is_forgotten_with_the_second_factor() -> None:
    user = UserFactory()
    enrolled(user)
    passkey_of(user)

    second_factor_remove(user=user)

    assert not WebAuthnCredential.objects.exists()


def test_it_is_not_in_the_admin() -> None:
    client = Client()
    client.force_login(AdminFactory())

    assert client.get("/admin/django_otp_webauthn/webauthncredential/").status_code == 404


def test_it_is_offered_only_where_browsers_know_it(settings: Any) -> None:
    user = UserFactory()
    device, _codes = enrolled(user)
    passkey_of(user)
    client = wholly_in(user, device)
    assert "data-passkey" in client.get("/security/").content.decode()
    assert "data-passkey" in logged_in(user).get(CODE).content.decode()

    settings.PASSKEYS = False

    assert "data-passkey" not in client.get("/security/").content.decode()
    assert send(client, NEW).status_code == 404
    assert "data-passkey" not in logged_in(user).get(CODE).content.decode()


def test_it_keeps_a_code_that_was_used_from_working_next_to_a_passkey() -> None:
    user = UserFactory()
    device, _codes = enrolled(user)
    passkey_of(user)
    with time_machine.travel(timezone.now(), tick=False):
        wholly_in(user, device)

        assert logged_in(user).post(CODE, {"code": code_of(device)}).status_code == 403
    assert reverse("accounts:passkey_verify") == USE


@pytest.fixture
def device() -> Authenticator:
    return Authenticator()


def with_passkey(device: Authenticator, name: str = "laptop") -> Any:
    """A person who made `device` their passkey, over HTTP."""
    user = UserFactory()
    phone, _codes = enrolled(user)
    client = wholly_in(user, phone)
    answer = send(client, ADD, {"credential": device.made(send(client, NEW).json()["challenge"]), "name": name})
    assert answer.status_code == 200, answer.content
    return user


def use(client: Client, device: Authenticator) -> Any:
    return send(client, USE, {"credential": device.signed(send(client, ASK).json()["challenge"])})


def test_it_pays_the_code_that_is_due(device: Authenticator) -> None:
    client = logged_in(with_passkey(device))
    before = client.session.session_key

    assert use(client, device).json() == {"next": "/"}
    assert client.get("/accounts/").status_code == 200
    assert client.session.session_key != before


def test_it_takes_no_answer_twice(device: Authenticator) -> None:
    user = with_passkey(device)
    client, other = logged_in(user), logged_in(user)
    answer = device.signed(send(client, ASK).json()["challenge"])
    assert send(client, USE, {"credential": answer}).status_code == 200

    assert send(client, USE, {"credential": answer}).status_code == 403
    send(other, ASK)
    assert send(other, USE, {"credential": answer}).status_code == 403
    assert other.get("/accounts/")["Location"].startswith(CODE)


def test_it_takes_nobody_else_s_passkey(device: Authenticator) -> None:
    """Whoever has a passkey here, and knows another's password."""
    with_passkey(device)
    theirs = Authenticator()
    client = logged_in(with_passkey(theirs))

    assert use(client, device).status_code == 403
    assert client.get("/accounts/")["Location"].startswith(CODE)
    assert use(client, theirs).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [{"origin": "https://evil.example"}, {"origin": "http://localhost:9"}, {"host": "evil.example"}, {"key": None}],
)
def test_it_takes_no_passkey_of_another_page_or_key(device: Authenticator, wrong: dict[str, Any]) -> None:
    client = logged_in(with_passkey(device))
    for name, value in wrong.items():
        setattr(device, name, value or Authenticator().key)

    assert use(client, device).status_code == 403
    assert client.get("/accounts/")["Location"].startswith(CODE)


def test_it_keeps_a_passkey_for_its_first_owner(device: Authenticator) -> None:
    with_passkey(device)
    other = UserFactory()
    phone, _codes = enrolled(other)
    client = wholly_in(other, phone)

    again = send(client, ADD, {"credential": device.made(send(client, NEW).json()["challenge"])})

    assert again.status_code == 403
    assert WebAuthnCredential.objects.count() == 1


def test_it_keeps_a_name_that_any_database_takes(device: Authenticator) -> None:
    with_passkey(device, name=" Ana\x00 " + "x" * 90)

    assert WebAuthnCredential.objects.get().name == "Ana " + "x" * 56
