"""What people see: the authorise page, posts, profiles, the control page; in both languages."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import requests

from subiteya.tiktok.sandbox.fault_kinds import CALLS, KINDS
from subiteya.tiktok.sandbox.web import authorize, words
from tests.processes import ROOT
from tests.tiktok.sandbox.app import App, video

WEB = ROOT / "subiteya/tiktok/sandbox/web"
SPANISH = {"Accept-Language": "es-AR,es;q=0.9,en;q=0.5"}
ENGLISH = {"Accept-Language": "en-GB,en;q=0.9"}


def get(app: App, path: str, **more: Any) -> requests.Response:
    return requests.get(f"{app.sandbox.url}{path}", timeout=10, **more)


def page_paths(app: App) -> list[str]:
    publish_id = app.publish(app.account())
    app.sandbox.fault("stall", "init", seconds=1)
    post = app.entry(publish_id)["post_id"]
    link = app.link().removeprefix(app.sandbox.url)
    return [link, "/_sandbox/", f"/@luna/video/{post}", "/@luna", "/@nadie", "/v2/auth/authorize/"]


def test_it_says_on_every_page_that_it_is_not_tiktok(app: App) -> None:
    for path in page_paths(app):
        assert "SANDBOX: no es TikTok" in get(app, path, headers=SPANISH).text, path
        assert "SANDBOX: this is not TikTok" in get(app, path, headers=ENGLISH).text, path


def test_it_speaks_spanish_unless_asked_otherwise(app: App) -> None:
    assert '<html lang="es">' in get(app, "/_sandbox/").text
    assert '<html lang="es">' in get(app, "/_sandbox/", headers={"Accept-Language": "fr"}).text
    assert '<html lang="en">' in get(app, "/_sandbox/", headers=ENGLISH).text
    session = requests.Session()
    with session:
        asked = session.get(f"{app.sandbox.url}/_sandbox/?lang=en", headers=SPANISH, timeout=10)
        later = session.get(f"{app.sandbox.url}/_sandbox/", headers=SPANISH, timeout=10)
    assert '<html lang="en">' in asked.text and '<html lang="en">' in later.text


def test_it_has_no_inline_script_or_style_and_forbids_them(app: App) -> None:
    for path in page_paths(app):
        answer = get(app, path)
        assert not re.search(r"<style|style=|<script(?! src=)|\son\w+=", answer.text), path
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("name", ["sandbox.css", "live.js", "icon.svg"])
def test_it_serves_its_own_files(app: App, name: str) -> None:
    assert get(app, f"/_sandbox/static/{name}").status_code == 200


def test_it_translates_every_sentence_of_its_pages() -> None:
    templates = "".join(path.read_text() for path in Path(WEB / "templates").iterdir())
    said = set(re.findall(r"""\bt\("([^"]+)"|\bt\('([^']+)'""", templates))
    sentences = {first or second for first, second in said} | set(authorize.SCOPE_WORDS.values())
    sentences |= set(re.findall(r'(?<!")"([A-Z][^"]+\.)"(?!")', (WEB / "site.py").read_text()))

    assert sorted(s for s in sentences if s not in words.SPANISH) == []


def test_it_explains_every_fault_in_both_languages(app: App) -> None:
    spanish, english = (unescape(get(app, "/_sandbox/", headers=headers).text) for headers in (SPANISH, ENGLISH))

    for kind in KINDS.values():
        assert kind.es in spanish and kind.en in english
        assert kind.es.endswith(".") and kind.en.endswith(".")
        assert set(kind.endpoints) <= {*CALLS, "*", "now", "post", "posting"}


def test_it_shows_the_accounts_and_scopes_to_choose(app: App) -> None:
    app.sandbox.add_account("luna", nickname="Panadería <Luna>", is_private=True)

    page = requests.get(app.link(scope="user.info.basic,video.publish"), headers=SPANISH, timeout=10).text

    assert "SubiteYa quiere conectarse con una cuenta de TikTok" in page
    assert "Panadería &lt;Luna&gt;" in page and "@luna" in page
    assert 'src="/_sandbox/avatar/luna.svg"' in page
    assert re.findall(r'name="scope" value="([^"]+)"', page) == ["user.info.basic", "video.publish"]
    assert "Publicar videos en tu perfil" in page


def test_it_plays_an_uploaded_video_in_pieces(app: App) -> None:
    data = video(5000)
    post = app.entry(app.publish(app.account(), data, title="Uno <b>#a</b>\ndos"))["post_url"]

    page = requests.get(post, timeout=10)
    whole = requests.get(f"{post}/media", timeout=10)
    piece = requests.get(f"{post}/media", headers={"Range": "bytes=1000-1999"}, timeout=10)
    beyond = requests.get(f"{post}/media", headers={"Range": "bytes=9000-"}, timeout=10)

    assert "<video" in page.text and "Uno &lt;b&gt;#a&lt;/b&gt;\ndos" in page.text
    assert (whole.content, whole.headers["Content-Type"]) == (data, "video/mp4")
    assert (piece.status_code, piece.content) == (206, data[1000:2000])
    assert piece.headers["Content-Range"] == "bytes 1000-1999/5000"
    assert beyond.status_code == 416


def test_it_shows_the_same_counts_as_the_api(app: App) -> None:
    app.sandbox.add_account("luna")
    post = {"username": "luna", "post_id": "42", "create_time": 1_700_000_000, "title": "Vieja"}
    app.sandbox.register_posts([post | {"view_count": 12_345, "like_count": 678}])

    page = get(app, "/@luna/video/42").text

    assert 'data-count="12345"' in page and "12,3 K" in page
    assert 'data-count="678"' in page


def test_it_shows_a_placeholder_without_bytes(app: App) -> None:
    app.sandbox.add_account("luna")
    app.sandbox.register_posts([{"username": "luna", "post_id": "42", "create_time": 1_700_000_000}])

    page = get(app, "/@luna/video/42")

    assert page.status_code == 200
    assert "<video" not in page.text and "/_sandbox/cover/42.svg" in page.text
    assert "El sandbox no guarda el video de esta publicación." in page.text
    assert get(app, "/@luna/video/42/media").status_code == 404
    assert get(app, "/_sandbox/cover/42.svg").headers["Content-Type"].startswith("image/svg+xml")


@pytest.mark.parametrize("path", ["/@luna/video/404", "/@otra/video/{post}", "/@nadie", "/@luna/video/{removed}"])
def test_it_has_a_page_for_what_is_not_there(app: App, path: str) -> None:
    token = app.account("luna")
    app.account("otra")
    first, second = app.publish(token), app.publish(token)
    app.api("POST", f"publishes/{second}/remove")

    answer = get(app, path.format(post=app.entry(first)["post_id"], removed=app.entry(second)["post_id"]))

    assert answer.status_code == 404
    assert "Acá no hay nada" in answer.text


def test_it_says_who_can_see_a_post(serving: Any) -> None:
    app = serving(moderation_seconds=3600)
    token = app.account()
    hidden = app.entry(app.publish(token, privacy_level="SELF_ONLY"))["post_url"]
    waiting = app.entry(app.publish(token))["post_url"]

    assert "la ve solamente la propia cuenta" in requests.get(hidden, timeout=10).text
    assert "En moderación" in requests.get(waiting, timeout=10).text


def test_it_lists_the_posts_of_a_profile(app: App) -> None:
    token = app.account(nickname="La Luna", bio_description="Pan y café")
    ids = [app.entry(app.publish(token, title=f"Video {n}"))["post_id"] for n in range(2)]

    page = get(app, "/@luna").text

    assert "La Luna" in page and "Pan y café" in page
    assert re.findall(r'href="/@luna/video/(\d+)"', page) == ids[::-1]


def test_it_sets_and_removes_faults_by_form(app: App) -> None:
    app.sandbox.add_account("luna")
    form = {"kind": "stall", "endpoint": "chunk", "username": "luna", "seconds": "2.5", "part": "1"}

    page = requests.post(f"{app.sandbox.url}/_sandbox/faults", data=form | {"times": "", "skip": "2"}, timeout=10).text

    fault = app.sandbox.faults()[0]
    assert "La falla quedó activa." in page and "hasta que la quites" in page and "deja pasar 2 antes" in page
    assert {name: fault[name] for name in ("kind", "endpoint", "username", "part", "remaining", "skip", "params")} == {
        "kind": "stall",
        "endpoint": "chunk",
        "username": "luna",
        "part": 1,
        "remaining": None,
        "skip": 2,
        "params": {"seconds": 2.5},
    }
    requests.post(f"{app.sandbox.url}/_sandbox/faults/remove", data={"id": fault["id"]}, timeout=10)
    assert app.sandbox.faults() == []


@pytest.mark.parametrize("kind", KINDS)
def test_it_has_a_form_that_works_for_every_kind(app: App, kind: str) -> None:
    page = get(app, "/_sandbox/").text
    form = next(f for f in re.findall(r"<form.*?</form>", page, re.DOTALL) if f'value="{kind}"' in f)
    fields = dict(re.findall(r'<input[^>]*name="(\w+)"[^>]*value="([^"]*)"', form))

    answer = requests.post(f"{app.sandbox.url}/_sandbox/faults", data=fields, timeout=10)

    assert "La falla quedó activa." in answer.text


@pytest.mark.parametrize(
    "form", [{"kind": "x"}, {"kind": "stall", "seconds": "mucho"}, {"kind": "drop_before", "times": "-1"}], ids=str
)
def test_it_says_what_did_not_fit(app: App, form: dict[str, str]) -> None:
    page = requests.post(f"{app.sandbox.url}/_sandbox/faults", data=form, timeout=10)

    assert page.status_code == 200
    assert "Eso no va:" in page.text
    assert app.sandbox.faults() == []


def test_it_changes_settings_by_form(app: App) -> None:
    form = {"audited": "false", "progress": "last_index", "processing_seconds": "1.5", "webhook_url": ""}

    page = requests.post(f"{app.sandbox.url}/_sandbox/settings", data=form, timeout=10).text

    assert "Guardado." in page and "app sin auditar" in page
    settings = app.sandbox.settings
    assert (settings.audited, settings.progress, settings.processing_seconds) == (False, "last_index", 1.5)
    bad = requests.post(f"{app.sandbox.url}/_sandbox/settings", data={"processing_seconds": "-1"}, timeout=10)
    assert "Eso no va:" in bad.text


def test_it_acts_on_publishes_and_starts_over_by_form(app: App) -> None:
    token = app.account()
    publish_id = app.publish(token)
    base = f"{app.sandbox.url}/_sandbox"

    assert f"/_sandbox/publishes/{publish_id}/remove" in get(app, "/_sandbox/").text
    requests.post(f"{base}/publishes/{publish_id}/fail", timeout=10)
    assert app.entry(publish_id)["status"] == "FAILED"
    requests.post(f"{base}/reset", data={"keep_accounts": "1"}, timeout=10)
    assert app.sandbox.ledger() == [] and app.creator_info(token).status_code == 200
    requests.post(f"{base}/reset", timeout=10)
    assert app.creator_info(token).status_code == 401


def test_it_refreshes_the_parts_that_its_script_asks_for(app: App) -> None:
    publish_id = app.publish(app.account())
    page, live = get(app, "/_sandbox/").text, get(app, "/_sandbox/live").text

    parts = re.findall(r'<div id="(live-\w+)" data-live>', live)

    assert parts == ["live-posts", "live-faults", "live-accounts", "live-calls"]
    assert sorted(parts) == sorted(re.findall(r'<div id="(live-\w+)" data-live>', page))
    assert publish_id in live or "Hola" in live
