"""Nothing that can be read holds a token or an upload address: no text, no repr, no log, no hidden cause."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from subiteya.tiktok import (
    InitAnswer,
    OAuthClient,
    PostInfo,
    TikTokClient,
    TikTokError,
    TokenAnswer,
    chunk_plan,
    new_pkce,
)
from tests.tiktok.canned import answering, envelope

TOKEN, REFRESH, CODE, SECRET, UPLOAD = "act.planted1", "rft.planted2", "planted3", "planted4", "planted5"
PLANTED = (TOKEN, REFRESH, CODE, SECRET, UPLOAD)
SIZE = 100
#: What TikTok answers to everything; the server puts what it was told in the place of TOLD.
ANSWERS = [
    (401, envelope(code="access_token_invalid", message="TOLD", log_id="TOLD")),
    (400, envelope(code="TOLD", message="no TOLD")),
    (200, envelope({"publish_id": "x" * 65, "upload_url": UPLOAD, "status": "TOLD", "privacy_level_options": "TOLD"})),
    (200, envelope({"publish_id": "p", "upload_url": UPLOAD})),
    (400, {"error": "invalid_grant", "error_description": "TOLD", "log_id": "TOLD"}),
    (400, {"error": "TOLD"}),
    (400, {"error": {"code": "TOLD", "message": "no TOLD"}}),
    (200, b"<html>"),
    (302, b""),
    (403, b""),
    (416, b""),
    (429, b""),
    (500, b""),
]


@pytest.fixture
def heard() -> Iterator[list[str]]:
    """Every log record of the process, from the lowest level up, as text."""
    said: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(f"{record.name} {record.getMessage()} {record.__dict__}")

    root, ear = logging.getLogger(), Ear(0)
    level = root.level
    root.addHandler(ear)
    root.setLevel(0)
    yield said
    root.removeHandler(ear)
    root.setLevel(level)


def everything_in(error: BaseException | None) -> Iterator[str]:
    """Texts of an error and of all that hangs on it, shown or not."""
    while error is not None:
        yield f"{error!r} {error} {error.__dict__}"
        yield "".join(traceback.format_exception(error))
        error = error.__cause__ or error.__context__


def calls(url: str, file: Path) -> list[Callable[[], object]]:
    """Every call of the library, with planted secrets, at `url`."""
    client = TikTokClient(access_token=TOKEN, api_base=url, upload_hosts=("127.0.0.1",), allow_http=True)
    oauth = OAuthClient(client_key="key", client_secret=SECRET, api_base=url)
    post, plan = PostInfo(privacy_level="SELF_ONLY"), chunk_plan(SIZE)

    def put(address: str, path: Path = file) -> object:
        return client.upload_chunk(address, path, first=0, last=SIZE - 1, video_size=SIZE, content_type="video/mp4")

    return [
        client.creator_info,
        lambda: client.video_init(post, plan),
        lambda: client.inbox_init(plan),
        lambda: client.status_fetch("p"),
        client.user_info,
        client.video_list,
        lambda: client.video_query(["1"]),
        lambda: put(f"{url}/{UPLOAD}?upload_token={UPLOAD}"),
        lambda: put(f"{url}/{UPLOAD}", file.with_name("gone")),
        lambda: put(f"https://[{UPLOAD}/"),
        lambda: put(f"https://{UPLOAD}\u2100/"),
        lambda: put(f"https://{UPLOAD}@127.0.0.1/"),
        lambda: oauth.exchange_code(code=CODE, redirect_uri="http://127.0.0.1/", code_verifier=SECRET),
        lambda: oauth.refresh(REFRESH),
        lambda: oauth.revoke(TOKEN),
    ]


def outcomes(url: str, file: Path) -> Iterator[str]:
    """What every call shows, by its answer or by its error."""
    for call in calls(url, file):
        try:
            yield repr(call())
        except TikTokError as error:
            yield from everything_in(error)


def leaks(said: list[str]) -> list[tuple[str, str]]:
    return [(secret, text) for text in said for secret in PLANTED if secret in text]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "v.mp4"
    path.write_bytes(bytes(SIZE))
    return path


@pytest.mark.parametrize(("status", "body"), ANSWERS)
def test_it_never_shows_a_secret_whatever_tiktok_answers(heard, file, status, body):
    with answering(status, body, Location=f"/{UPLOAD}") as tiktok:
        said = list(outcomes(tiktok.url, file))
    assert len(said) >= len(calls("http://127.0.0.1:9", file))
    assert any("tiktok_called" in line for line in heard)
    assert leaks(said + heard) == []


def test_it_never_shows_a_secret_when_nobody_answers(heard, file):
    with answering(200) as gone:
        pass
    assert leaks(list(outcomes(gone.url, file)) + heard) == []


def test_it_masks_secrets_in_what_it_hands_out():
    tokens = {"open_id": "o", "scope": "s", "access_token": TOKEN, "expires_in": 1, "refresh_token": REFRESH}
    pkce = new_pkce()
    shown = [
        repr(TokenAnswer.from_json(tokens | {"refresh_expires_in": 1})),
        repr(InitAnswer(publish_id="p", upload_url=UPLOAD)),
        repr(TikTokClient(access_token=TOKEN, api_base="https://x", upload_hosts=())),
        repr(OAuthClient(client_key="key", client_secret=SECRET, api_base="https://x")),
    ]
    assert leaks(shown) == []
    assert pkce.verifier not in repr(pkce)
