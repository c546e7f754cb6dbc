"""Each covered act, done as people do it, leaves exactly one entry: who, what, on what, from where, in which trace."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.contrib import admin
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_otp_webauthn.models import WebAuthnCredential

from accounts.models import TikTokAccount, User
from accounts.models_sessions import PersonSession
from accounts.roles import Role
from accounts.services.passwords import reset_link
from audit.catalogue import Action
from audit.models import AuditEntry
from audit.services.recording import DETAILS_MAX, audit_record
from audit.services.sealing import audit_seal
from monitoring.services.keys import key_make
from publishing.services.batches import AccountChoice, batch_submit
from publishing.states import CircuitState, PostMode, SubtitleChoice, VideoStatus
from subiteya.lib.crypto import key_id
from tests.accounts.authenticator import Authenticator
from tests.accounts.doors import logged_in
from tests.accounts.test_second_factor import PASSWORD, code_of, enrolled
from tests.accounts.trips import decide
from tests.factories import (
    AdminFactory,
    AssetFactory,
    EditedAssetFactory,
    TikTokAccountFactory,
    UserFactory,
    VideoFactory,
)

pytestmark = pytest.mark.django_db
ADDRESS, AGENT = "203.0.113.7", "Ana's browser"
WHERE: dict[str, Any] = {"REMOTE_ADDR": ADDRESS, "headers": {"user-agent": AGENT}}


@pytest.fixture
def ana() -> User:
    return UserFactory(username="ana", language="en")


@pytest.fixture
def account(ana: User) -> TikTokAccount:
    return TikTokAccountFactory(username="panaderia", managers=[ana])


def client_of(user: User | None = None) -> Client:
    client = Client(**WHERE)
    if user:
        client.force_login(user)
    return client


def only(action: Action) -> AuditEntry:
    """The one entry of this act."""
    return AuditEntry.objects.get(action=action)


def check(entry: AuditEntry, actor: User | None, on: Any) -> None:
    """By whom, on what, from where, in which trace."""
    assert (entry.actor_id, entry.actor_name) == ((actor.pk, actor.username) if actor else (None, "anonymous"))
    assert (entry.address, entry.agent) == (ADDRESS, AGENT)
    assert len(entry.trace_id) == 32
    if on is None:
        assert (entry.object_type, entry.object_id) == ("", "")
    elif isinstance(on, str):
        assert (entry.object_type, entry.object_id) == ("report", on)
    else:
        assert (entry.object_type, entry.object_id) == (on._meta.label_lower, str(on.pk))
        assert entry.object_text


class TestSessions:
    def test_it_records_a_log_in_and_a_log_out(self, ana: User) -> None:
        client = client_of()
        client.post("/login/", {"username": "ana", "password": PASSWORD})
        check(only(Action.SESSION_LOGIN), ana, ana)
        client.post("/logout/")
        check(only(Action.SESSION_LOGOUT), ana, ana)

    def test_it_records_a_refusal_without_what_was_typed(self, ana: User) -> None:
        client_of().post("/login/", {"username": "ana", "password": "PLANTED-password"})
        check(only(Action.SESSION_LOGIN_FAILED), None, ana)
        client_of().post("/login/", {"username": "PLANTED-in-the-wrong-field", "password": "x"})
        entry = AuditEntry.objects.latest("pk")
        check(entry, None, None)
        assert entry.details == {"unknown_name": True}
        assert "PLANTED" not in everything()

    def test_it_records_the_admins_own_log_in(self) -> None:
        boss = AdminFactory()
        client_of().post("/admin/login/", {"username": boss.username, "password": PASSWORD})
        check(only(Action.SESSION_LOGIN), boss, boss)

    def test_it_records_a_log_out_once_and_as_nothing_else(self, ana: User) -> None:
        client = logged_in(ana)
        client.post("/logout/")
        assert not PersonSession.objects.exists()
        assert not AuditEntry.objects.filter(action=Action.SESSION_REVOKED).exists()

    def test_it_records_a_session_that_its_person_ended(self, ana: User) -> None:
        client, elsewhere = logged_in(ana, **WHERE), logged_in(ana)
        row = PersonSession.objects.earliest("pk")
        elsewhere.post(reverse("accounts:session_end", args=[PersonSession.objects.latest("pk").pk]))
        assert only(Action.SESSION_REVOKED).details == {"sessions": 1}
        logged_in(ana), logged_in(ana)
        client.post(reverse("accounts:sessions_end_others"))
        entry = AuditEntry.objects.filter(action=Action.SESSION_REVOKED).latest("pk")
        check(entry, ana, ana)
        assert entry.details == {"sessions": 2}
        assert list(PersonSession.objects.all()) == [row]
        client.post(reverse("accounts:sessions_end_others"))
        assert AuditEntry.objects.filter(action=Action.SESSION_REVOKED).count() == 2, "there was none left"

    def test_it_records_the_sessions_that_an_administrator_ended(self, ana: User) -> None:
        boss = AdminFactory()
        logged_in(ana), logged_in(ana)
        rows = {"action": "end", "_selected_action": [PersonSession.objects.filter(user=ana).latest("pk").pk]}
        client_of(boss).post(reverse("admin:accounts_personsession_changelist"), rows)
        check(only(Action.SESSION_REVOKED), boss, ana)
        people = {"action": "end_sessions", "_selected_action": [ana.pk], "confirmed": "1"}
        client_of(boss).post(reverse("admin:accounts_user_changelist"), people)
        entry = AuditEntry.objects.filter(action=Action.SESSION_REVOKED).latest("pk")
        check(entry, boss, ana)
        assert entry.details == {"sessions": 1}

    def test_it_records_proofs_and_what_was_none(self, ana: User) -> None:
        client = logged_in(ana, **WHERE)
        client.post(reverse("accounts:prove"), {"password": "PLANTED-word"})
        check(only(Action.SESSION_CONFIRM_FAILED), ana, ana)
        client.post(reverse("accounts:prove"), {"password": PASSWORD})
        check(only(Action.SESSION_CONFIRMED), ana, ana)
        assert "PLANTED" not in everything()

    def test_it_records_that_somebody_has_to_wait(self, ana: User) -> None:
        client = client_of()
        for _turn in range(6):
            client.post("/login/", {"username": "ana", "password": "wrong"})
        check(only(Action.SESSION_LOGIN_THROTTLED), None, ana)

    def test_it_keeps_no_name_that_nobody_has_of_who_has_to_wait(self) -> None:
        client = client_of()
        for _turn in range(6):
            client.post("/login/", {"username": "PLANTED-word", "password": "wrong"})
        entry = only(Action.SESSION_LOGIN_THROTTLED)
        check(entry, None, None)
        assert entry.details == {"unknown_name": True}
        assert "PLANTED" not in everything()


class TestPasswords:
    def test_it_records_ones_own_new_password(self, ana: User) -> None:
        words = {"old_password": PASSWORD, "new_password1": "PLANTED-word-1", "new_password2": "PLANTED-word-1"}
        client = logged_in(ana, **WHERE)
        client.post(reverse("accounts:password_change"), words | {"old_password": "wrong"})
        assert not AuditEntry.objects.filter(action=Action.PASSWORD_CHANGED).exists()
        assert client.post(reverse("accounts:password_change"), words).status_code == 302
        entry = only(Action.PASSWORD_CHANGED)
        check(entry, ana, ana)
        assert entry.details == {}
        assert "PLANTED" not in everything()

    def test_it_records_a_new_password_by_mail(self, ana: User) -> None:
        client, words = client_of(), {"new_password1": "PLANTED-word-1", "new_password2": "PLANTED-word-1"}
        link = reset_link(ana)
        page = client.get(link[link.index("/password/") :], follow=True)
        assert client.post(page.request["PATH_INFO"], words).status_code == 302
        entry = only(Action.PASSWORD_CHANGED)
        check(entry, None, ana)
        assert entry.details == {"by": "mail"}
        assert "PLANTED" not in everything()
        assert link.partition("key=")[2] not in everything()

    def test_it_leaves_the_administration_no_other_way(self) -> None:
        client = client_of(AdminFactory())
        for ask in (client.get, client.post):
            assert ask("/admin/password_change/")["Location"] == reverse("accounts:password_change")


def everything() -> str:
    return json.dumps(list(AuditEntry.objects.values()), default=str)


class TestSecondFactor:
    def test_it_records_the_setting_up(self, ana: User) -> None:
        client = client_of(ana)
        client.get("/security/phone/")
        from accounts.services.second_factor import enrolment_of

        client.post(reverse("accounts:enrol"), {"code": code_of(enrolment_of(ana))})
        for action in (Action.MFA_ENROLLED, Action.MFA_CODES_MADE, Action.MFA_VERIFIED):
            check(only(action), ana, ana)

    def test_it_records_a_wrong_code_and_a_right_one(self, ana: User) -> None:
        device, codes = enrolled(ana)
        seen = AuditEntry.objects.latest("pk").pk
        client = client_of()
        client.post("/login/", {"username": "ana", "password": PASSWORD})
        client.post("/login/code/", {"code": "not a code"})
        check(only(Action.MFA_FAILED), ana, ana)
        client.post("/login/code/", {"code": codes[0]})
        late = AuditEntry.objects.filter(pk__gt=seen)
        assert late.filter(action=Action.MFA_FAILED).count() + late.filter(action=Action.MFA_VERIFIED).count() == 2
        assert not [code for code in codes if code in everything()]

    def test_it_records_passkeys(self, ana: User, settings: Any) -> None:
        settings.PASSKEYS, settings.OTP_WEBAUTHN_RP_ID = True, "localhost"
        settings.OTP_WEBAUTHN_ALLOWED_ORIGINS = ["http://localhost:8000"]
        phone, _codes = enrolled(ana)
        client, key = logged_in(ana, **WHERE), Authenticator()
        client.post("/login/code/", {"code": code_of(phone)})

        def ask(name: str, body: Any = None) -> Any:
            page = reverse(f"accounts:passkey_{name}")
            return client.post(page, json.dumps(body or {}), content_type="application/json")

        def last(action: Action) -> AuditEntry:
            entry = AuditEntry.objects.filter(action=action).latest("pk")
            check(entry, ana, ana)
            return entry

        ask("add", {"credential": key.made(ask("begin").json()["challenge"]), "name": "laptop"})
        assert last(Action.MFA_ENROLLED).details == {"passkey": "laptop"}
        assert not AuditEntry.objects.filter(action=Action.SESSION_CONFIRMED).exists()
        ask("verify", {"credential": key.signed(ask("ask").json()["challenge"])})  # as a proof
        assert last(Action.MFA_VERIFIED).details == {"passkey": "laptop"}
        assert last(Action.SESSION_CONFIRMED).details == {"passkey": "laptop"}
        ask("verify", {"credential": key.signed("AAAA")})
        assert last(Action.MFA_FAILED).details == {"passkey": True}
        pk = WebAuthnCredential.objects.get().pk
        client.post(reverse("accounts:passkey_remove", args=[pk]))
        assert last(Action.MFA_REMOVED).details == {"passkey": pk}

    def test_it_records_that_one_took_it_away_oneself(self, ana: User) -> None:
        from accounts.services.second_factor import second_factor_remove
        from audit.origin import requested

        enrolled(ana)
        request = Client().get("/login/").wsgi_request
        request.user = ana
        with requested(request):
            second_factor_remove(user=ana)
        assert only(Action.MFA_REMOVED).actor_id == ana.pk

    def test_it_records_that_an_administrator_did(self, ana: User) -> None:
        enrolled(ana)
        boss = AdminFactory()
        fields = {"action": "forget_phone", "_selected_action": [ana.pk], "confirmed": "1"}
        client_of(boss).post(reverse("admin:accounts_user_changelist"), fields)
        check(only(Action.MFA_RESET), boss, ana)

    def test_it_records_the_command_and_who_ran_it(self, ana: User, monkeypatch: Any) -> None:
        enrolled(ana)
        monkeypatch.setattr(sys, "argv", ["/srv/manage.py", "mfa_reset", "ana"])
        call_command("mfa_reset", "ana")
        entry = only(Action.MFA_RESET)
        assert (entry.actor_id, entry.actor_name, entry.address) == (None, "command:mfa_reset", "")
        assert "@" in entry.agent


def form_of(client: Client, page: str) -> dict[str, Any]:
    """What the browser would send of an admin's form, untouched."""
    answer = client.get(page)
    fields: dict[str, Any] = {}
    forms = [answer.context["adminform"].form]
    for inline in answer.context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    for form in forms:
        for bound in form:
            value = bound.value()
            if value is None or value is False:
                continue
            parts = bound.subwidgets if hasattr(bound.field.widget, "decompress") else None
            if parts is not None:
                values = bound.field.widget.decompress(value)
                fields |= {f"{bound.html_name}_{n}": v for n, v in enumerate(values) if v is not None}
            else:
                fields[bound.html_name] = [getattr(item, "pk", item) for item in value] if isinstance(
                    value, (list, tuple)
                ) else value  # fmt: skip
    return fields


class TestPeople:
    def test_it_records_a_role_with_before_and_after(self, ana: User) -> None:
        boss = AdminFactory()
        client, page = client_of(boss), reverse("admin:accounts_user_change", args=[ana.pk])
        answer = client.post(page, form_of(client, page) | {"role": "auditor"})
        assert answer.status_code == 302
        entry = only(Action.ROLE_CHANGED)
        check(entry, boss, ana)
        powers = {"is_staff": False, "is_superuser": False}
        assert entry.details == {
            "before": {"role": "community_manager", **powers}, "after": {"role": "auditor", **powers},
        }  # fmt: skip
        check(only(Action.PERSON_CHANGED), boss, ana)

    def test_it_records_who_was_closed(self, ana: User) -> None:
        boss = AdminFactory()
        client, page = client_of(boss), reverse("admin:accounts_user_change", args=[ana.pk])
        fields = form_of(client, page)
        del fields["is_active"]
        assert client.post(page, fields).status_code == 302
        entry = only(Action.ROLE_CHANGED)
        check(entry, boss, ana)
        assert entry.details == {"before": {"is_active": True}, "after": {"is_active": False}}

    def test_it_records_a_password_that_an_administrator_set(self, ana: User) -> None:
        boss = AdminFactory()
        fields = {"usable_password": "true", "password1": "PLANTED-word-1", "password2": "PLANTED-word-1",
                  "set-password": "1"}  # fmt: skip
        page = reverse("admin:auth_user_password_change", args=[ana.pk])
        assert client_of(boss).post(page, fields).status_code == 302
        entry = only(Action.PASSWORD_CHANGED)
        check(entry, boss, ana)
        assert entry.details == {"by": "administrator"}
        assert "PLANTED" not in everything()

    def test_it_records_a_new_person_and_a_deleted_one(self) -> None:
        boss = AdminFactory()
        client = client_of(boss)
        page = reverse("admin:accounts_user_add")
        fields = {"username": "carla", "usable_password": "true", "password1": "PLANTED-word-1", "password2":
                  "PLANTED-word-1"}  # fmt: skip
        inline = {f"TikTokAccount_managers-{name}": 0 for name in ("TOTAL_FORMS", "INITIAL_FORMS")}
        assert client.post(page, fields | inline).status_code == 302
        carla = User.objects.get(username="carla")
        check(only(Action.PERSON_CREATED), boss, carla)
        client.post(reverse("admin:accounts_user_delete", args=[carla.pk]), {"post": "yes"})
        entry = only(Action.PERSON_DELETED)
        assert (entry.object_text, entry.object_id) == ("carla", str(carla.pk))
        assert "PLANTED" not in everything()

    def test_it_records_who_is_in_charge(self, ana: User, account: TikTokAccount) -> None:
        boss, bruno = AdminFactory(), UserFactory(username="bruno")
        client, page = client_of(boss), reverse("admin:accounts_tiktokaccount_change", args=[account.pk])
        assert client.post(page, form_of(client, page) | {"managers": [bruno.pk]}).status_code == 302
        entry = only(Action.CHARGE_CHANGED)
        check(entry, boss, account)
        assert entry.details == {"before": {"managers": ["ana"]}, "after": {"managers": ["bruno"]}}


class TestTokens:
    def test_it_records_a_connection_and_its_end(self, ana: User, tiktok: Any) -> None:
        tiktok.sandbox.add_account("panaderia")
        client = client_of(ana)
        client.get(decide(client.post("/accounts/connect/")["Location"], "panaderia"))
        account = TikTokAccount.objects.get()
        check(only(Action.TOKEN_CONNECTED), ana, account)
        client.post(reverse("accounts:account_disconnect", args=[account.pk]))
        entry = only(Action.TOKEN_DISCONNECTED)
        check(entry, ana, account)
        assert entry.details["reason"] == "by_person"
        assert "act." not in everything() and "rft." not in everything()

    def test_it_records_an_import(self, connect: Callable[..., TikTokAccount], monkeypatch: Any) -> None:
        monkeypatch.setattr(sys, "argv", ["manage.py", "account_import", "--json", "-"])
        account = connect("cafe")
        entry = only(Action.TOKEN_IMPORTED)
        assert (entry.actor_name, entry.object_id) == ("command:account_import", str(account.pk))


class TestPublishing:
    def test_it_records_each_video_of_a_submission(self, ana: User, account: TikTokAccount) -> None:
        fields = {
            "submission_key": "k", "source": AssetFactory(created_by=ana).pk, "caption": "Pan", "mode": "direct",
            "subtitles": "none", "when": "now", "accounts": [account.pk],
            f"{account.pk}-privacy_level": "PUBLIC_TO_EVERYONE",
        }  # fmt: skip
        answer = client_of(ana).post("/new/", fields, headers={"Accept": "application/json"})
        assert answer.status_code < 400, answer.content
        client_of(ana).post("/new/", fields, headers={"Accept": "application/json"})  # a double click
        video = account.videos.get()
        entry = only(Action.VIDEO_PUBLISHED)
        check(entry, ana, video)
        assert entry.details["account"] == "@panaderia"
        assert entry.trace_id == video.trace_id

    @pytest.mark.parametrize(
        ("status", "address", "fields", "action"),
        [
            (VideoStatus.FAILED_UPLOAD, "video_retry", {}, Action.VIDEO_RETRIED),
            (VideoStatus.SCHEDULED, "video_cancel", {}, Action.VIDEO_CANCELLED),
            (VideoStatus.SCHEDULED, "video_hold", {}, Action.VIDEO_HELD),
            (VideoStatus.UNCONFIRMED, "video_resolve", {"posted": "no"}, Action.VIDEO_RESOLVED),
        ],
    )
    def test_it_records_what_a_person_does_to_a_video(
        self, ana: User, account: TikTokAccount, status: str, address: str, fields: dict[str, str], action: Action
    ) -> None:
        video = VideoFactory(
            account=account, status=status, edited=EditedAssetFactory(), reason_code="unavailable",
            scheduled_at=timezone.now() + timedelta(days=1),
        )  # fmt: skip
        client_of(ana).post(reverse(f"publishing:{address}", args=[video.pk]), fields)
        check(only(action), ana, video)

    def test_it_records_holding_releasing_and_undoing_many(self, ana: User, account: TikTokAccount) -> None:
        videos = [
            VideoFactory(account=account, status=VideoStatus.SCHEDULED, edited=EditedAssetFactory(),
                         scheduled_at=timezone.now() + timedelta(days=1))
            for _each in range(2)
        ]  # fmt: skip
        client = client_of(ana)
        keys = ",".join(str(video.pk) for video in videos)
        client.post("/acts/do/", {"kind": "hold", "videos": keys, "key": "k"})
        held = AuditEntry.objects.filter(action=Action.VIDEO_HELD)
        assert sorted(held.values_list("object_id", flat=True)) == sorted(str(video.pk) for video in videos)
        client.post(reverse("publishing:act_undo", args=[ana.acts.get().pk]))
        assert AuditEntry.objects.filter(action=Action.VIDEO_UNDONE, actor=ana).count() == 2

    @pytest.mark.parametrize(
        ("before", "act", "action"),
        [
            (CircuitState.CLOSED, "isolate", Action.CIRCUIT_ISOLATED),
            (CircuitState.ISOLATED, "release", Action.CIRCUIT_RELEASED),
            (CircuitState.OPEN, "reset", Action.CIRCUIT_RESET),
            (CircuitState.OPEN, "probe", Action.CIRCUIT_PROBED),
        ],
    )
    def test_it_records_what_a_person_does_to_a_circuit(
        self, ana: User, account: TikTokAccount, before: str, act: str, action: Action
    ) -> None:
        from publishing.models import AccountCircuit

        code = "by_person" if before == CircuitState.ISOLATED else ""
        AccountCircuit.objects.create(account=account, state=before, isolated_code=code, open_until=timezone.now())
        address = reverse("publishing:circuit_act", args=[account.pk, act])
        client_of(ana).post(address, {"reason": "the client asked, access_token=PLANTED"})
        entry = only(action)
        check(entry, ana, account)
        assert entry.details["reason"] == "the client asked, access_token=[redacted]"

    @pytest.mark.parametrize(
        ("address", "fields", "action"),
        [("video_approve", {}, Action.VIDEO_APPROVED),
         ("video_send_back", {"reason": "the logo is old"}, Action.VIDEO_SENT_BACK)],
    )  # fmt: skip
    def test_it_records_what_an_approver_answers(
        self, ana: User, account: TikTokAccount, address: str, fields: dict[str, str], action: Action
    ) -> None:
        luz = UserFactory(username="luz", role=Role.APPROVER)
        TikTokAccount.objects.update(needs_approval=True)
        account.refresh_from_db()
        account.managers.add(luz)
        batch = batch_submit(
            user=ana, source=AssetFactory(created_by=ana), caption="Pan", mode=PostMode.INBOX,
            choices=[AccountChoice(account=account)], subtitles=SubtitleChoice.NONE, submission_key="key",
        )  # fmt: skip
        video = batch.videos.get()
        page = reverse(f"publishing:{address}", args=[video.pk])
        client_of(ana).post(page, fields)
        assert not AuditEntry.objects.filter(action=action).exists(), "she may not"
        client_of(luz).post(page, fields)
        entry = only(action)
        check(entry, luz, video)
        assert entry.details.get("reason") == fields.get("reason")
        client_of(luz).post(page, fields)
        only(action)


class TestExportsAndKeys:
    def test_it_records_a_rotation_of_keys_without_them(
        self, connect: Callable[..., TikTokAccount], settings: Any, monkeypatch: Any
    ) -> None:
        connect("cafe")
        old, new = settings.FIELD_ENCRYPTION_KEYS[0], Fernet.generate_key().decode()
        settings.FIELD_ENCRYPTION_KEYS = [new, old]
        monkeypatch.setattr(sys, "argv", ["manage.py", "rotate_keys"])
        call_command("rotate_keys", stdout=StringIO(), stderr=StringIO())
        entry = only(Action.KEYS_ROTATED)
        assert (entry.actor_name, entry.object_type, entry.object_id) == ("command:rotate_keys", "key", key_id(new))
        assert entry.details["accounts.OAuthToken.access_token"] == {"moved": 1, "left": 0}
        assert not [key for key in (old, new) if key in everything()]

    @pytest.mark.parametrize("report", ["subtitles", "hashtags"])
    def test_it_records_a_file_that_was_taken_away(self, ana: User, report: str) -> None:
        assert client_of(ana).get(reverse(f"insights:{report}_csv"), {"sector": ""}).status_code == 200
        check(only(Action.EXPORT_CSV), ana, report)

    def test_it_records_a_key_without_the_key(self) -> None:
        boss = AdminFactory()
        client = client_of(boss)
        shown = client.post(reverse("admin:monitoring_apikey_add"), {"name": "Grafana", "scope": "monitor"})
        from monitoring.models import ApiKey

        key = ApiKey.objects.get()
        check(only(Action.KEY_MINTED), boss, key)
        assert shown.context["text"] not in everything()
        fields = {"action": "revoke", "_selected_action": [key.pk], "confirmed": "1"}
        client.post(reverse("admin:monitoring_apikey_changelist"), fields)
        check(only(Action.KEY_REVOKED), boss, key)

    def test_it_does_not_record_what_was_done_before(self) -> None:
        from monitoring.models import KeyScope
        from monitoring.services.keys import key_revoke

        key, _text = key_make(name="x", scope=KeyScope.METRICS)
        assert [key_revoke(key=key), key_revoke(key=key)] == [True, False]
        assert only(Action.KEY_REVOKED).actor_name == "system"


class TestEntries:
    def test_it_bounds_and_redacts_the_details(self) -> None:
        details = {
            "refresh_token": "rft.PLANTED-token", "text": "Bearer PLANTED-token", "nul": "a\x00b", "half": "\ud800",
            "many": ["x" * 900] * 900, "share": 0.1,
        }  # fmt: skip
        audit_record(action=Action.EXPORT_CSV, on=("report", "x" * 900), details=details)
        audit_seal()
        from audit.services.checking import audit_check

        assert audit_check().broken is None
        entry = AuditEntry.objects.get()
        assert len(json.dumps(entry.details)) <= DETAILS_MAX
        assert "PLANTED" not in everything()
        assert entry.details["cut"] is True

    def test_it_is_shown_to_administrators_and_links_to_its_trace(self, ana: User) -> None:
        entry = audit_record(action=Action.VIDEO_RETRIED, on=ana, actor=ana)
        boss = client_of(AdminFactory(language="en"))
        page = reverse("admin:audit_auditentry_changelist")
        listed = boss.get(page, {"q": "ana"}).content.decode()
        assert "Video retried" in listed
        logged = AuditEntry.objects.create(
            at=entry.at, actor_name="x", action=entry.action, trace_id="a" * 32, key_id="k", signature="s"
        )
        opened = boss.get(reverse("admin:audit_auditentry_change", args=[logged.pk])).content.decode()
        assert f'href="/admin/monitoring/span/?q={"a" * 32}"' in opened
        assert client_of(ana).get(page).status_code == 302

    def test_it_offers_nothing_but_looking(self) -> None:
        registered = admin.site._registry[AuditEntry]
        request = Client().get("/login/").wsgi_request
        request.user = AdminFactory()
        allowed = (registered.has_add_permission(request), registered.has_change_permission(request),
                   registered.has_delete_permission(request))  # fmt: skip
        assert allowed == (False, False, False)
        assert registered.has_view_permission(request)
        assert not registered.get_actions(request)
