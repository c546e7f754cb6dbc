"""Roles: what the database holds together, who may give them, and what an auditor meets."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.test import Client

from accounts.models import User
from accounts.roles import Role
from accounts.services.roles import RoleRefused, user_change_role
from accounts.signals import role_changed
from tests.factories import AdminFactory, UserFactory
from tests.publishing.views.conftest import *  # noqa: F403  # the story that has one of everything

pytestmark = pytest.mark.django_db

#: Where an auditor may press something: their own log-in, and the language.
OWN = re.compile(r"/(logout|language|login|security)/")
PAGES = (
    "/", "/videos/", "/videos/{video}/", "/accounts/", "/accounts/{account}/circuit/", "/brands/", "/setup/",
    "/monitor/", "/monitor/alerts/", "/monitor/audit/", "/notices/", "/reports/hashtags/", "/reports/subtitles/",
    "/videos/{red}/",
)  # fmt: skip


@pytest.mark.parametrize(
    "fields",
    [
        {"role": Role.ADMINISTRATOR, "is_staff": False},
        {"role": Role.AUDITOR, "is_staff": True},
        {"role": Role.APPROVER, "is_superuser": True},
        {"role": "king"},
    ],
)
def test_it_keeps_role_and_staff_together(fields: dict[str, Any]) -> None:
    user = UserFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=user.pk).update(**fields)


def test_it_makes_an_administrator_by_command() -> None:
    call_command("createsuperuser", username="jefa", email="jefa@agency.example", interactive=False)
    assert User.objects.get().role == Role.ADMINISTRATOR


def test_it_gives_a_role_tells_it_and_ends_the_sessions(django_capture_on_commit_callbacks: Any) -> None:
    user, boss, client, told = UserFactory(), AdminFactory(), Client(), []
    client.force_login(user)

    def note(old: str, new: str, **_rest: Any) -> None:
        told.append((old, new))

    role_changed.connect(note)
    with django_capture_on_commit_callbacks(execute=True):
        user_change_role(user=user, role=Role.ADMINISTRATOR, actor=boss)
    role_changed.disconnect(note)

    user.refresh_from_db()
    assert (user.is_staff, user.is_superuser, told) == (True, True, [("community_manager", "administrator")])
    assert client.get("/videos/").status_code == 302
    user_change_role(user=user, role=Role.AUDITOR, actor=boss)
    assert (user.is_staff, user.is_superuser) == (False, False)


def test_it_lets_nobody_change_their_own_role_and_keeps_the_last_administrator() -> None:
    boss = AdminFactory()
    for actor, code in ((boss, "own_role"), (None, "last_administrator")):
        with pytest.raises(RoleRefused) as refused:
            user_change_role(user=boss, role=Role.APPROVER, actor=actor)
        assert (refused.value.code, User.objects.get().role) == (code, Role.ADMINISTRATOR)


def test_it_gives_roles_in_the_administration_to_superusers_only() -> None:
    person, boss, helper = UserFactory(), AdminFactory(language="en"), AdminFactory(is_superuser=False)
    form = {
        "username": person.username, "language": "es", "is_active": "on", "role": "auditor",
        "TikTokAccount_managers-TOTAL_FORMS": 0, "TikTokAccount_managers-INITIAL_FORMS": 0,
    }  # fmt: skip
    client, address = Client(), f"/admin/accounts/user/{person.pk}/change/"
    client.force_login(boss)
    refused = client.post(address, form | {"is_superuser": "on"})
    assert "Only an administrator can have every permission." in refused.content.decode()
    assert client.post(address, form).status_code == 302
    person.refresh_from_db()
    assert person.role == Role.AUDITOR
    mine = client.post(f"/admin/accounts/user/{boss.pk}/change/", form | {"username": boss.username}, follow=True)
    assert "Nobody changes their own role" in mine.content.decode()
    boss.refresh_from_db()
    assert (boss.role, boss.is_superuser) == (Role.ADMINISTRATOR, True)

    from django.contrib.auth.models import Permission

    helper.user_permissions.set(Permission.objects.filter(content_type__app_label="accounts"))
    client.force_login(helper)
    client.post(address, form | {"role": "administrator", "is_superuser": "on"})
    person.refresh_from_db()
    assert (person.role, person.is_superuser) == (Role.AUDITOR, False)
    assert client.get(f"/admin/accounts/user/{boss.pk}/password/").status_code == 403


def test_it_lets_a_limited_administrator_reach_nobody_above_and_nobody_close_themselves() -> None:
    from django.contrib.auth.models import Group, Permission

    boss, helper, group = AdminFactory(), AdminFactory(is_superuser=False), Group.objects.create(name="helpers")
    helper.groups.add(group)
    helper.user_permissions.set(Permission.objects.filter(content_type__app_label__in=["accounts", "auth"]))
    client, people = Client(), "/admin/accounts/user/"
    client.force_login(helper)
    everything = [permission.pk for permission in Permission.objects.all()]
    own_group = f"/admin/auth/group/{group.pk}/change/"
    assert client.post(own_group, {"name": "helpers", "permissions": everything}).status_code == 403
    assert client.post("/admin/auth/group/add/", {"name": "more", "permissions": everything}).status_code == 403
    assert not group.permissions.exists()

    delete = {"action": "delete_selected", "_selected_action": [boss.pk], "post": "yes"}
    client.post(people, delete)
    for actor, person in ((helper, boss), (helper, helper), (boss, boss)):
        client.force_login(actor)
        assert client.post(f"{people}{person.pk}/delete/", {"post": "yes"}).status_code == 403
    client.post(people, delete)
    form = {
        "username": boss.username, "language": "es", "role": "administrator", "is_superuser": "on",
        "TikTokAccount_managers-TOTAL_FORMS": 0, "TikTokAccount_managers-INITIAL_FORMS": 0,
    }  # fmt: skip
    assert client.post(f"{people}{boss.pk}/change/", form).status_code == 302
    assert set(User.objects.filter(is_active=True)) == {boss, helper}


def test_it_shows_an_auditor_everything_and_no_button(story: SimpleNamespace) -> None:
    client = Client()
    client.force_login(UserFactory(role=Role.AUDITOR, language="en"))
    rows = {"video": story.uploading.pk, "account": story.account.pk, "red": story.videos["failed_edit"].pk}
    for page in PAGES:
        response = client.get(page.format(**rows))
        text = response.content.decode()
        assert response.status_code == 200, page
        pressed = re.findall(r'(?:action|formaction|hx-post)="([^"]*)"', text)
        assert [target for target in pressed if not OWN.match(target)] == [], page
        assert not re.findall(r'<form[^>]*method="post"(?![^>]*action=)', text), page
        assert "data-dialog=" not in text, page
        assert 'href="/new/' not in text, page
    assert "secretanita" in client.get("/videos/").content.decode()


def test_it_refuses_an_auditor_in_words(story: SimpleNamespace) -> None:
    client, sentence = Client(), "As an auditor you see everything and change nothing"
    client.force_login(UserFactory(role=Role.AUDITOR, language="en"))
    address = f"/videos/{story.videos['scheduled'].pk}/cancel/"
    for headers in ({}, {"HX-Request": "true"}, {"Accept": "application/json"}):
        refused = client.post(address, headers=headers)
        assert refused.status_code == 403
        assert sentence in refused.content.decode()
    story.videos["scheduled"].refresh_from_db()
    assert story.videos["scheduled"].status == "scheduled"


@pytest.mark.django_db(transaction=True)
def test_it_makes_roles_of_what_people_were_and_goes_back() -> None:
    try:
        before = MigrationExecutor(connection)
        before.migrate([("accounts", "0003_owners_trips")])
        old = before.loader.project_state([("accounts", "0003_owners_trips")]).apps.get_model("accounts", "User")
        for name, staff, power in (("cm", False, False), ("boss", True, True), ("odd", False, True)):
            old.objects.create(username=name, is_staff=staff, is_superuser=power)
    finally:  # not accounts alone: the way back took what other apps build on it
        call_command("migrate", verbosity=0)
    found = {user.username: (user.role, user.is_staff, user.is_superuser) for user in User.objects.all()}
    assert found == {
        "cm": ("community_manager", False, False),
        "boss": ("administrator", True, True),
        "odd": ("community_manager", False, False),
    }
