"""The second factor: nobody passes without it, a code works once, and a lost phone locks nobody out for good."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.access import is_verified_admin
from accounts.models import RecoveryCode, User
from accounts.services.second_factor import CodeRefused, code_check, enrolment_of
from tests.accounts.doors import CODE, PASSWORD, code_of, enrolled, logged_in
from tests.factories import AdminFactory, UserFactory
from tests.publishing.views.test_scope import ALL

pytestmark = pytest.mark.django_db
SECURITY, JSON = "/security/", "/api/monitor/metrics"


def test_it_lets_people_without_a_phone_in_as_before() -> None:
    assert logged_in(UserFactory()).get("/videos/").status_code == 200


def test_it_asks_for_the_code_after_the_password_and_goes_where_one_wanted() -> None:
    user = UserFactory()
    device, _codes = enrolled(user)
    client = logged_in(user)

    sent = client.get("/accounts/?x=1")
    opened = client.post(sent["Location"], {"code": code_of(device)})

    assert sent["Location"] == f"{CODE}?next=/accounts/%3Fx%3D1"
    assert opened["Location"] == "/accounts/?x=1"
    assert client.get("/accounts/").status_code == 200


def test_it_opens_no_page_at_all_with_the_password_alone() -> None:
    user = AdminFactory()
    enrolled(user)
    client = logged_in(user)
    may = {CODE, "/logout/", "/language/", "/healthz"}

    for path in [*pages(), "/admin/", "/admin/accounts/user/", reverse("admin:publishing_video_changelist")]:
        answer = client.get(path)
        if path not in may:
            assert answer.status_code in {302, 401, 403, 405}, path
            assert answer.status_code != 302 or answer["Location"].startswith(CODE), path


def pages() -> list[str]:
    return ["/" + route.replace("<int:pk>", "1").replace("<slug:name>", "x") for _name, route in ALL]


def test_it_asks_behind_the_admins_own_log_in_too() -> None:
    user = AdminFactory()
    enrolled(user)
    client = Client()
    client.post("/admin/login/?next=/admin/", {"username": user.username, "password": PASSWORD})

    assert client.get("/admin/")["Location"].startswith(CODE)


def test_it_tells_fragments_and_scripts_in_their_own_way() -> None:
    user = UserFactory()
    enrolled(user)
    client = logged_in(user)

    fragment = client.get("/videos/live/", headers={"HX-Request": "true"})
    script = client.get("/videos/", headers={"Accept": "application/json"})

    assert (fragment.status_code, fragment["Log-In-At"]) == (401, CODE)
    assert script.status_code == 401
    assert script.json()["error"]


def test_it_takes_a_code_only_once() -> None:
    user = UserFactory()
    device, _codes = enrolled(user)
    code = code_of(device)

    assert logged_in(user).post(CODE, {"code": code}).status_code == 302
    again = logged_in(user).post(CODE, {"code": code})

    assert again.status_code == 403


def test_it_slows_down_whoever_guesses_and_says_for_how_long() -> None:
    user = UserFactory(language="en")
    device, _codes = enrolled(user)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client = logged_in(user)
        for _turn in range(3):
            assert client.post(CODE, {"code": "000000"}).status_code == 403
            clock.shift(timedelta(seconds=5))
        clock.shift(timedelta(seconds=-4))
        waiting = client.post(CODE, {"code": code_of(device)})
        clock.shift(timedelta(seconds=10))
        opened = client.post(CODE, {"code": code_of(device)})

    assert "wait" in waiting.content.decode()
    assert waiting.status_code == 403
    assert opened.status_code == 302


def test_it_opens_with_a_recovery_code_once() -> None:
    user = UserFactory()
    _device, codes = enrolled(user)

    first = logged_in(user).post(CODE, {"code": f" {codes[3].upper()} "})
    second = logged_in(user).post(CODE, {"code": codes[3]})

    assert (first.status_code, second.status_code) == (302, 403)
    assert RecoveryCode.objects.filter(user=user, used_at=None).count() == 9


def test_it_keeps_no_recovery_code_in_clear() -> None:
    user, other = UserFactory(), UserFactory()
    _device, codes = enrolled(user)
    enrolled(other)

    assert not [code for code in codes if code in str(list(RecoveryCode.objects.values()))]
    with pytest.raises(CodeRefused):
        code_check(user=other, text=codes[0])


@pytest.mark.django_db(transaction=True)
def test_it_opens_for_one_of_many_who_use_the_same_code_at_once() -> None:
    user = UserFactory()
    _device, codes = enrolled(user)

    def attempt(_number: int) -> bool:
        try:
            code_check(user=user, text=codes[0])
        except CodeRefused:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(attempt, range(6))) == 1


def test_it_goes_nowhere_else_after_the_code() -> None:
    user = UserFactory()
    device, _codes = enrolled(user)

    answer = logged_in(user).post(f"{CODE}?next=https://evil.example/", {"code": code_of(device)})

    assert answer["Location"] == "/"


def test_it_gives_the_session_a_new_key() -> None:
    user = UserFactory()
    device, _codes = enrolled(user)
    client = logged_in(user)
    before = client.session.session_key

    client.post(CODE, {"code": code_of(device)})

    assert client.session.session_key != before


class TestEnrolment:
    def test_it_shows_a_qr_code_and_the_key_to_type(self) -> None:
        client = logged_in(UserFactory())

        page, picture = client.get("/security/enrol/"), client.get("/security/qr.svg")

        assert enrolment_of(User.objects.get()).key
        assert picture["Content-Type"] == "image/svg+xml"
        assert "no-store" in picture["Cache-Control"]
        assert "no-store" in page["Cache-Control"]
        assert picture.content.startswith(b'<svg xmlns="http://www.w3.org/2000/svg"')

    def test_it_counts_only_once_a_code_was_typed(self) -> None:
        user = UserFactory()
        client = logged_in(user)
        client.get("/security/enrol/")

        wrong = client.post("/security/enrol/", {"code": "000000"})

        assert wrong.status_code == 403
        assert logged_in(user).get("/videos/").status_code == 200

    def test_it_shows_ten_codes_and_ends_the_other_sessions(self) -> None:
        user = UserFactory()
        here, elsewhere = logged_in(user), logged_in(user)
        here.get("/security/enrol/")

        shown = here.post("/security/enrol/", {"code": code_of(enrolment_of(user))})

        assert shown.content.decode().count("<li><code>") == 10
        assert "no-store" in shown["Cache-Control"]
        assert here.get("/videos/").status_code == 200
        assert elsewhere.get("/videos/")["Location"].startswith("/login/")

    def test_it_replaces_a_phone_only_for_whoever_gave_both_factors(self) -> None:
        user = UserFactory()
        device, codes = enrolled(user)
        half, whole = logged_in(user), logged_in(user)
        whole.post(CODE, {"code": code_of(device)})

        assert half.get("/security/qr.svg").status_code in {302, 403}
        assert half.post("/security/enrol/", {"code": "1"})["Location"].startswith(CODE)
        whole.post("/security/enrol/", {"code": code_of(enrolment_of(user))})

        assert not TOTPDevice.objects.filter(pk=device.pk).exists()
        with pytest.raises(CodeRefused):
            code_check(user=user, text=codes[0])

    def test_it_makes_new_recovery_codes_in_place_of_the_old_ones(self) -> None:
        user = UserFactory()
        device, codes = enrolled(user)
        client = logged_in(user)
        client.post(CODE, {"code": codes[0]})

        made = client.post("/security/codes/")

        assert made.content.decode().count("<li><code>") == 10
        assert RecoveryCode.objects.filter(used_at=None).count() == 10
        with pytest.raises(CodeRefused):
            code_check(user=user, text=codes[1])

    def test_it_can_be_removed_by_a_cm_but_not_by_an_administrator(self) -> None:
        for user, left in ((UserFactory(), False), (AdminFactory(), True)):
            _device, codes = enrolled(user)
            client = logged_in(user)
            client.post(CODE, {"code": codes[0]})

            client.post("/security/remove/")

            assert TOTPDevice.objects.filter(user=user).exists() == left


class TestAdministrators:
    def test_it_opens_the_json_only_with_both_factors(self) -> None:
        user = AdminFactory()
        device, _codes = enrolled(user)
        client = logged_in(user)
        assert client.get(JSON).status_code == 403

        client.post(CODE, {"code": code_of(device)})

        assert client.get(JSON).status_code == 200
        assert not is_verified_admin(user)

    def test_it_makes_them_set_up_a_phone_where_it_is_required(self, settings: Any) -> None:
        settings.REQUIRE_MFA = True
        user, cm = AdminFactory(), UserFactory()
        client = logged_in(user)

        assert client.get("/admin/")["Location"].startswith(SECURITY)
        assert client.get("/videos/")["Location"].startswith(SECURITY)
        assert client.get("/security/enrol/").status_code == 200
        client.post("/security/enrol/", {"code": code_of(enrolment_of(user))})
        assert client.get("/admin/").status_code == 200
        assert logged_in(cm).get("/videos/").status_code == 200

    def test_it_lets_another_administrator_forget_a_lost_phone(self) -> None:
        lost, client = UserFactory(), Client()
        enrolled(lost)
        half = logged_in(lost)
        client.force_login(AdminFactory(language="en"))

        client.post(
            reverse("admin:accounts_user_changelist"),
            {"action": "forget_phone", "_selected_action": [lost.pk], "confirmed": "yes"},
        )

        assert not TOTPDevice.objects.filter(user=lost).exists()
        assert half.get("/videos/")["Location"].startswith("/login/")
        assert logged_in(lost).get("/videos/").status_code == 200

    def test_it_shows_nobody_s_key_in_the_admin(self) -> None:
        client = Client()
        client.force_login(AdminFactory())

        assert client.get("/admin/otp_totp/totpdevice/").status_code == 404

    def test_it_can_be_reset_from_the_terminal(self) -> None:
        user = AdminFactory()
        enrolled(user)

        call_command("mfa_reset", user.username)

        assert not TOTPDevice.objects.exists()
        with pytest.raises(CommandError, match="has no second factor"):
            call_command("mfa_reset", user.username)
        with pytest.raises(CommandError, match="nobody"):
            call_command("mfa_reset", "nobody")
