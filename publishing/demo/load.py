"""Loading the demo: safe to run again, it adds what is missing and nothing twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext

from accounts.models import TikTokAccount, User
from accounts.roles import Role
from accounts.services.connections import account_import
from publishing.demo import rows
from publishing.demo.cast import ADMINISTRATOR, BRANDS, LOOKS, PEOPLE, Brand, Person
from publishing.demo.files import SAMPLE, demo_files
from publishing.demo.history import month
from publishing.demo.stand_in import StandIn
from publishing.models import AccountBrand, BrandPattern, Video
from publishing.signals import demo_loaded

#: TikTok takes some fifteen posts a day from an account; a day of demos must not run into that.
DAILY_POST_CAP = 500


class DemoRefused(Exception):
    """The demo does not belong here; str() is a sentence."""


@dataclass(frozen=True)
class Loaded:
    """What there is now; `written` is the number of videos of history that this run added."""

    accounts: int
    videos: int
    written: int


def demo_load(stand_in: StandIn) -> Loaded:
    """Bring people, brands, connected accounts and a month of history. Raises DemoRefused, StandInFailed."""
    _require_demo()
    people = {person.username: _person(person) for person in PEOPLE}
    patterns = {name: _pattern(name) for name in LOOKS}
    accounts = {brand.username: _account(brand, stand_in, people) for brand in BRANDS}
    for brand in BRANDS:
        AccountBrand.objects.get_or_create(account=accounts[brand.username], defaults={"pattern": patterns[brand.look]})
    written = 0 if rows.is_written() else _write(people, accounts, stand_in.url)
    _follow(stand_in.url)
    stand_in.posts(rows.posts())
    if written:
        demo_loaded.send(None)
    return Loaded(accounts=len(accounts), videos=Video.objects.count(), written=written)


def _require_demo() -> None:
    if not settings.TIKTOK_SANDBOX:
        raise DemoRefused(
            gettext("The demo's accounts and passwords are for TikTok's sandbox only, and TIKTOK_SANDBOX is off.")
        )
    if not SAMPLE.is_file():
        raise DemoRefused(gettext("The demo's video is not there (%(path)s).") % {"path": SAMPLE})


def _person(person: Person) -> User:
    """Only a new one gets the demo's password: nobody's own is overwritten."""
    known = User.objects.filter(username=person.username).first()
    return known or User.objects.create_user(
        person.username,
        email=f"{person.username}@agencia.example",
        password=person.password,
        first_name=person.first_name,
        last_name=person.last_name,
        language="es",
        role=Role.ADMINISTRATOR if person.is_admin else Role.COMMUNITY_MANAGER,
        is_staff=person.is_admin,
        is_superuser=person.is_admin,
    )


def _pattern(name: str) -> BrandPattern:
    pattern, _made = BrandPattern.objects.get_or_create(name=name, defaults=LOOKS[name])
    return pattern


def _account(brand: Brand, stand_in: StandIn, people: Mapping[str, User]) -> TikTokAccount:
    there = stand_in.account(
        brand.username, nickname=brand.name, bio_description=brand.bio, daily_post_cap=DAILY_POST_CAP
    )
    # A sandbox that was emptied makes the same account under another open_id.
    TikTokAccount.objects.filter(username=brand.username).update(open_id=there["open_id"])
    account, _new = account_import(
        answer=stand_in.tokens(brand.username),
        username=brand.username,
        sector_name=brand.sector,
        actor=people[ADMINISTRATOR],
        managers=[people[brand.manager]],
        display_name=brand.name,
        time_zone=brand.zone,
    )
    return account


def _write(people: Mapping[str, User], accounts: Mapping[str, TikTokAccount], site: str) -> int:
    files = demo_files(people["ana"])
    stage = rows.Stage(people=people, accounts=accounts, files=files, site=site)
    return rows.write(month(timezone.now(), len(files)), stage)


def _follow(site: str) -> None:
    """Links into a sandbox that listens elsewhere today follow it there."""
    names = [brand.username for brand in BRANDS]
    moved = Video.objects.filter(account__username__in=names).exclude(post_url="")
    moved = moved.exclude(post_url__startswith=f"{site}/").select_related("account")
    for video in moved:
        tail = f"/video/{video.post_id}" if video.post_id else ""
        Video.objects.filter(pk=video.pk).update(post_url=f"{site}/@{video.account.username}{tail}")
