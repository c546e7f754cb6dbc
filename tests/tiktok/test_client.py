"""The JSON calls: against the sandbox, and against answers that no sane server gives."""

from __future__ import annotations

import json

import pytest

from subiteya.tiktok import (
    AccountBanned,
    BadAnswer,
    ContentRefused,
    PostInfo,
    QuotaReached,
    RateLimited,
    ScopeMissing,
    TikTokClient,
    TikTokStatus,
    TikTokUnavailable,
    TokenInvalid,
    UnknownRefusal,
    chunk_plan,
)
from subiteya.tiktok.http import ANSWER_MAX
from tests.tiktok.canned import answering, envelope

SIZE = 20_000
CREATOR = {"privacy_level_options": ["SELF_ONLY"]}


@pytest.fixture
def client(sandbox) -> TikTokClient:
    sandbox.add_account("panaderia")
    return client_at(sandbox.url, sandbox.mint_tokens("panaderia")["access_token"])


def client_at(url: str, access_token: str = "act.planted", **options) -> TikTokClient:
    return TikTokClient(
        access_token=access_token, api_base=url, upload_hosts=("127.0.0.1",), allow_http=True, **options
    )


def publish(client: TikTokClient, tmp_path, **post) -> str:
    file = tmp_path / "v.mp4"
    file.write_bytes((b"\x00\x00\x00\x20ftypisom" + bytes(SIZE))[:SIZE])
    init = client.video_init(PostInfo(**{"privacy_level": "SELF_ONLY"} | post), chunk_plan(SIZE))
    client.upload_chunk(
        init.upload_url, file, first=0, last=SIZE - 1, video_size=SIZE, content_type="video/mp4"
    )  # fmt: skip
    return init.publish_id


def test_it_asks_what_the_creator_may_post(client):
    info = client.creator_info()
    assert info.creator_username == "panaderia"
    assert "SELF_ONLY" in info.privacy_level_options
    assert info.max_video_post_duration_sec > 0


def test_it_publishes_and_reads_the_status(client, tmp_path):
    status = client.status_fetch(publish(client, tmp_path, title="Hola"))
    assert status.status == TikTokStatus.PUBLISH_COMPLETE
    assert status.log_id


def test_it_reads_who_the_token_belongs_to(client):
    assert client.user_info().username == "panaderia"


@pytest.mark.parametrize("shape", ["list", "single"])
def test_it_reads_the_counts_of_what_was_published(client, sandbox, tmp_path, shape):
    sandbox.configure(post_id_shape=shape)
    publish_id = publish(client, tmp_path, title="Pan", privacy_level="PUBLIC_TO_EVERYONE")
    (post_id,) = client.status_fetch(publish_id).post_ids
    (video,) = client.video_query([post_id])
    page = client.video_list()
    assert (video.id, video.title) == (post_id, "Pan")
    assert [item.id for item in page.videos] == [post_id]
    assert page.has_more is False


def test_it_uploads_to_the_inbox_without_a_post_info():
    with answering(200, envelope({"publish_id": "p", "upload_url": "https://x"})) as tiktok:
        client_at(tiktok.url).inbox_init(chunk_plan(94_000_000))
    assert json.loads(tiktok.seen[0][3]) == {
        "source_info": {
            "source": "FILE_UPLOAD", "video_size": 94_000_000, "chunk_size": 31_333_333, "total_chunk_count": 3,
        }
    }  # fmt: skip


def test_it_speaks_for_the_owner_of_the_token():
    with answering(200, envelope(CREATOR)) as tiktok:
        client_at(tiktok.url, user_agent="Tests/1").creator_info()
    method, path, headers, _body = tiktok.seen[0]
    assert (method, path) == ("POST", "/v2/post/publish/creator_info/query/")
    assert headers["Authorization"] == "Bearer act.planted"
    assert headers["Content-Type"] == "application/json; charset=UTF-8"
    assert headers["User-Agent"] == "Tests/1"


@pytest.mark.parametrize(
    ("http_status", "code", "kind"),
    [
        (429, "rate_limit_exceeded", RateLimited),
        (401, "access_token_invalid", TokenInvalid),
        (401, "scope_not_authorized", ScopeMissing),
        (403, "spam_risk_too_many_posts", QuotaReached),
        (403, "reached_active_user_cap", QuotaReached),
        (403, "spam_risk_user_banned_from_posting", AccountBanned),
        (400, "invalid_params", ContentRefused),
        (200, "invalid_params", ContentRefused),
        (500, "internal_error", TikTokUnavailable),
        (503, "something_new", TikTokUnavailable),
        (400, "something_new", UnknownRefusal),
    ],
)
def test_it_raises_the_error_of_the_code(client, sandbox, http_status, code, kind):
    sandbox.fault("refuse", "creator_info", http_status=http_status, code=code)
    with pytest.raises(kind) as raised:
        client.creator_info()
    assert type(raised.value) is kind
    assert (raised.value.code, raised.value.status) == (code, http_status)
    assert raised.value.log_id


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"", BadAnswer),
        (200, b"<html>Welcome to the hotel</html>", BadAnswer),
        (200, b"[]", BadAnswer),
        (200, b"[" * 100_000, BadAnswer),
        (200, b'{"n": ' + b"9" * 10_000 + b"}", BadAnswer),
        (200, b"\xff\xfe\x00", BadAnswer),
        (200, b" " * (ANSWER_MAX + 1), BadAnswer),
        (200, {"data": CREATOR}, BadAnswer),
        (200, {"data": CREATOR, "error": "ok"}, BadAnswer),
        (200, envelope(), BadAnswer),
        (200, envelope({"privacy_level_options": "SELF_ONLY"}), BadAnswer),
        (302, envelope(CREATOR), BadAnswer),
        (404, envelope(CREATOR), BadAnswer),
        (500, envelope(CREATOR), TikTokUnavailable),
        (502, b"<html>", TikTokUnavailable),
        (429, b"<html>", RateLimited),
        (429, envelope(CREATOR), RateLimited),
    ],
)
def test_it_takes_no_answer_for_success_that_does_not_say_so(status, body, kind):
    with answering(status, body, Location="/elsewhere") as tiktok, pytest.raises(kind) as raised:
        client_at(tiktok.url).creator_info()
    assert type(raised.value) is kind
    assert len(tiktok.seen) == 1


def test_it_keeps_the_log_id_of_an_answer_that_lacks_a_field():
    with answering(200, envelope({"upload_url": "https://x"})) as tiktok, pytest.raises(BadAnswer) as raised:
        client_at(tiktok.url).inbox_init(chunk_plan(SIZE))
    assert raised.value.log_id == "L1"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("42", 42), ("0", 0), ("9" * 400, 86_400), ("-1", None), ("²", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None)],
)
@pytest.mark.parametrize("body", [b"<html>", envelope(code="rate_limit_exceeded")])
def test_it_reads_how_long_to_wait(header, seconds, body):
    with answering(429, body, Retry_After=header) as tiktok, pytest.raises(RateLimited) as raised:
        client_at(tiktok.url).creator_info()
    assert raised.value.retry_after == seconds


@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
def test_it_calls_a_cut_line_unavailable(client, sandbox, kind):
    sandbox.fault(kind, "status")
    with pytest.raises(TikTokUnavailable):
        client.status_fetch("v_pub_file~1")


def test_it_calls_a_closed_port_unavailable():
    with answering(200) as gone:
        pass
    with pytest.raises(TikTokUnavailable):
        client_at(gone.url).creator_info()


def test_it_gives_up_on_a_silent_server(sandbox):
    sandbox.fault("stall", "creator_info", seconds=30)
    with pytest.raises(TikTokUnavailable, match="ConnectionError|ReadTimeout"):
        client_at(sandbox.url, timeout=(1, 0.2)).creator_info()


def test_it_ignores_the_proxy_of_the_environment(client, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert client.creator_info().creator_username == "panaderia"


def test_it_sends_the_token_over_https_only():
    with pytest.raises(ValueError, match="https"):
        TikTokClient(access_token="act.planted", api_base="http://open.tiktokapis.com", upload_hosts=())
