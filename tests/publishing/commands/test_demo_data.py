"""`manage.py demo_data`: everything once, whatever happens between two runs."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import requests
from django.contrib.auth import authenticate
from django.core.files.storage import default_storage

from accounts.models import AccountStatus, Sector, TikTokAccount, User
from publishing.demo.cast import BRANDS, PEOPLE
from publishing.demo.load import DemoRefused, Loaded, demo_load
from publishing.demo.stand_in import StandIn, StandInFailed
from publishing.models import AccountBrand, Asset, Batch, Job, JobEvent, UploadSession, Video, VideoEvent
from publishing.selectors.videos import timeline, video_progress, videos_for
from publishing.services.creators import creator_infos
from publishing.services.reconcile import reconcile_tick
from publishing.states import JOB_TERMINAL, VideoStatus
from subiteya.tiktok import CreatorInfo
from tests.processes import free_port

ROWS = (User, Sector, TikTokAccount, AccountBrand, Asset, Batch, Video, VideoEvent, Job, JobEvent, UploadSession)


def load(tiktok: SimpleNamespace) -> Loaded:
    return demo_load(StandIn(tiktok.url))


def counts() -> dict[str, int]:
    return {model.__name__: model.objects.count() for model in ROWS}


@pytest.mark.django_db
def test_it_loads_everything_once(tiktok):
    loaded = load(tiktok)
    before = counts()

    again = load(tiktok)

    assert (loaded.accounts, loaded.written, again.written) == (6, loaded.videos, 0)
    assert counts() == before
    assert (before["User"], before["Sector"], before["TikTokAccount"]) == (3, 3, 6)
    assert not Job.objects.exclude(status__in=sorted(JOB_TERMINAL)).exists()
    assert not any(reconcile_tick().values())
    check_people()
    check_links(tiktok)
    check_files()
    check_screens()


def check_people() -> None:
    for person in PEOPLE:
        user = authenticate(username=person.username, password=person.password)
        assert user is not None and user.is_superuser is person.is_admin and user.language == "es"
    for brand in BRANDS:
        account = TikTokAccount.objects.get(username=brand.username)
        assert [str(manager) for manager in account.managers.all()] == [brand.manager]
        assert account.time_zone == brand.zone
    assert AccountBrand.objects.values("pattern").distinct().count() == 3
    assert not AccountBrand.objects.filter(pattern__logo_enabled=True).exists()


def check_links(tiktok: SimpleNamespace) -> None:
    posted = Video.objects.filter(status=VideoStatus.POSTED).exclude(post_id="")
    for video in posted.order_by("pk")[:: posted.count() // 3]:
        assert video.post_url.startswith(tiktok.url)
        assert requests.get(video.post_url, timeout=5).status_code == 200


def check_files() -> None:
    assert all(default_storage.exists(asset.storage_key) for asset in Asset.objects.all())
    assert all(asset.duration_ms > 0 for asset in Asset.objects.all())


def check_screens() -> None:
    """What the pages show of it can be shown, and the times are those of the story."""
    for video in videos_for(User.objects.get(username="admin")):
        assert video_progress(video).label
        items = timeline(video)
        assert items[0].at == video.created_at
        assert abs((max(event.at for event in video.events.all()) - video.updated_at).total_seconds()) < 1


@pytest.mark.django_db
def test_it_mends_what_was_lost_between_two_runs_and_overwrites_nothing(tiktok):
    User.objects.create_user("ana", password="a password of her own")
    load(tiktok)
    before = counts()
    TikTokAccount.objects.filter(username=BRANDS[0].username).update(status=AccountStatus.DISCONNECTED)
    tiktok.sandbox.reset()  # the accounts come back under other open_ids
    Video.objects.filter(post_id__gt="").update(post_url="http://127.0.0.1:1/@gone/video/1")

    load(tiktok)

    assert counts() == before
    assert {account.open_id for account in TikTokAccount.objects.all()} == {
        tiktok.sandbox.add_account(brand.username)["open_id"] for brand in BRANDS
    }
    check_links(tiktok)
    assert authenticate(username="ana", password="a password of her own") is not None


def test_it_answers_a_script_and_its_accounts_may_post_all_day(run, tiktok):
    ran = run("demo_data", "--sandbox-url", tiktok.url, "--json")

    assert ran.code == 0
    assert ran.document == {"accounts": 6, "videos": Video.objects.count(), "written": Video.objects.count()}
    infos = creator_infos(accounts=list(TikTokAccount.objects.all()))
    assert [type(info) for info in infos.values()] == [CreatorInfo] * 6
    assert all(tiktok.sandbox.add_account(brand.username)["daily_post_cap"] > 100 for brand in BRANDS)


@pytest.mark.django_db
def test_it_refuses_to_touch_a_real_installation(settings, tiktok):
    settings.TIKTOK_SANDBOX = False

    with pytest.raises(DemoRefused):
        load(tiktok)

    assert not User.objects.exists()


def test_it_says_in_a_sentence_that_the_sandbox_is_not_there():
    nobody = f"http://127.0.0.1:{free_port()}"

    with pytest.raises(StandInFailed) as caught:
        StandIn(nobody, patience=0).account("panaderia")

    assert nobody in str(caught.value)


def test_it_does_not_take_something_else_for_the_sandbox(tiktok):
    with pytest.raises(StandInFailed):
        StandIn(f"{tiktok.url}/@nobody").account("panaderia")


def test_it_passes_on_what_the_sandbox_refused(tiktok):
    with pytest.raises(StandInFailed, match="username"):
        StandIn(tiktok.url).account("not a name")


def test_it_answers_a_refusal_with_a_document(run, tiktok, settings):
    settings.TIKTOK_SANDBOX = False

    ran = run("demo_data", "--sandbox-url", tiktok.url, "--json")

    assert (ran.code, ran.error["code"]) == (1, "not_a_demo")
