"""An account chosen by its name, where there are too many for a list."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from accounts.models import TikTokAccount, User
from accounts.selectors import NAMED
from tests.factories import AdminFactory, TikTokAccountFactory, UserFactory, VideoFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def eva() -> User:
    return UserFactory(username="eva", language="en")


@pytest.fixture
def as_eva(eva: User) -> Client:
    client = Client()
    client.force_login(eva)
    return client


@pytest.fixture
def many(eva: User) -> list[TikTokAccount]:
    return [TikTokAccountFactory(username=f"cliente.{n:03}", managers=[eva]) for n in range(NAMED + 5)]


def page(client: Client, **query: object) -> str:
    response = client.get("/videos/", query)
    assert response.status_code == 200
    return response.content.decode()


def shown(html: str) -> set[int]:
    return {int(pk) for pk in re.findall(r'<li class="row" id="video-(\d+)"', html)}


def options(client: Client, who: str) -> list[str]:
    return re.findall(r'<option value="@([^"]+)"', client.get("/accounts/names/", {"who": who}).content.decode())


def test_it_is_a_plain_choice_while_there_are_few(as_eva, eva):
    luna = TikTokAccountFactory(username="luna", managers=[eva])
    html = page(as_eva, account=luna.pk)
    assert f'<option value="{luna.pk}" selected>@luna</option>' in html
    assert 'name="who"' not in html


def test_it_puts_no_option_per_account_into_the_page(as_eva, many):
    html = page(as_eva)
    assert 'name="who"' in html
    assert "cliente.001" not in html


def test_it_filters_by_the_name_without_a_script(as_eva, many):
    last = many[-1]
    video = VideoFactory(account=last)
    VideoFactory(account=many[0])
    for typed in (f"@{last.username}", f" {last.username.upper()} "):
        html = page(as_eva, who=typed)
        assert shown(html) == {video.pk}
        assert f'value="@{last.username}"' in html
        assert f'data-live="/videos/live/?account={last.pk}"' in html


def test_it_names_the_chosen_account_wherever_it_stands_in_the_alphabet(as_eva, many):
    html = page(as_eva, account=many[-1].pk)
    assert f"<span>@{many[-1].username}</span>" in html
    assert "another account" not in html


def test_it_says_that_no_account_is_called_so(as_eva, many):
    TikTokAccountFactory(username="ajena", managers=[UserFactory()])
    video = VideoFactory(account=many[0])
    html = page(as_eva, who="ajena")
    assert "No account in your charge is called “ajena”." in html
    assert shown(html) == {video.pk}


def test_it_offers_the_names_that_match_what_is_typed(as_eva, many, eva):
    TikTokAccountFactory(username="luna", display_name="Panadería Luna", managers=[eva])
    assert options(as_eva, "034") == ["cliente.034"]
    assert options(as_eva, "@LUN") == options(as_eva, "panader") == ["luna"]
    assert len(options(as_eva, "cliente")) == len(options(as_eva, "")) == NAMED
    assert options(as_eva, "a\0b") == []


def test_it_offers_only_accounts_in_charge(as_eva, many):
    TikTokAccountFactory(username="ajena", managers=[UserFactory()])
    assert options(as_eva, "ajena") == []
    administrator = Client()
    administrator.force_login(AdminFactory())
    assert options(administrator, "ajena") == ["ajena"]
