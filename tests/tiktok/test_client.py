"""The client against the sandbox: types, errors, hosts, and no secret in anything that can be read."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from subiteya.tiktok import (
    KNOWN_CODES,
    KNOWN_FAIL_REASONS,
    AccountBanned,
    BadAnswer,
    ContentRefused,
    FailureClass,
    HostNotAllowed,
    InvalidGrant,
    OAuthClient,
    OAuthError,
    PostInfo,
    QuotaReached,
    RangeMismatch,
    RateLimited,
    ScopeMissing,
    TikTokClient,
    TikTokStatus,
    TikTokUnavailable,
    TokenAnswer,
    TokenInvalid,
    UnknownRefusal,
    UploadExpired,
    UploadGone,
    UploadRejected,
    chunk_plan,
    classify_fail_reason,
    new_pkce,
    utf16_len,
)
from subiteya.tiktok.client import FileSlice, chunk_timeout
from subiteya.tiktok.errors import CODES, error_for
from subiteya.tiktok.types import PublishStatus

SIZE = 20_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "v.mp4"
    path.write_bytes((b"\x00\x00\x00\x20ftypisom" + bytes(SIZE))[:SIZE])
    return path


@pytest.fixture
def tokens(sandbox) -> dict:
    sandbox.add_account("panaderia")
    return sandbox.mint_tokens("panaderia")


@pytest.fixture
def client(sandbox, tokens) -> TikTokClient:
    return client_with(sandbox, tokens["access_token"])


def client_with(sandbox, access_token, hosts=None):
    hosts = hosts if hosts is not None else (sandbox.url.removeprefix("http://"),)
    return TikTokClient(access_token=access_token, api_base=sandbox.url, upload_hosts=hosts, allow_http=True)


def start(client, **post):
    return client.video_init(PostInfo(privacy_level="SELF_ONLY", **post), chunk_plan(SIZE))


def send(client, init, file, **fields):
    options = {"first": 0, "last": SIZE - 1, "video_size": SIZE, "content_type": "video/mp4"} | fields
    return client.upload_chunk(init.upload_url, file, **options)


def test_it_asks_what_the_creator_may_post(client):
    info = client.creator_info()
    assert info.creator_username == "panaderia"
    assert "SELF_ONLY" in info.privacy_level_options
    assert info.max_video_post_duration_sec > 0


def test_it_publishes_and_reads_the_status(client, file, sandbox):
    init = start(client, title="Hola")
    assert send(client, init, file).status == 201
    assert client.status_fetch(init.publish_id).status == TikTokStatus.PUBLISH_COMPLETE
    assert client.user_info().username == "panaderia"


def test_it_uploads_to_the_inbox(client, file):
    init = client.inbox_init(chunk_plan(SIZE))
    send(client, init, file)
    assert client.status_fetch(init.publish_id).status == TikTokStatus.SEND_TO_USER_INBOX


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
    assert raised.value.code == code
    assert raised.value.log_id


def test_it_reads_how_long_to_wait(client, sandbox):
    sandbox.fault("refuse", "init", http_status=429, code="rate_limit_exceeded", retry_after=42)
    with pytest.raises(RateLimited) as raised:
        start(client)
    assert raised.value.retry_after == 42


@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
def test_it_calls_a_cut_line_unavailable(client, sandbox, kind):
    sandbox.fault(kind, "status")
    with pytest.raises(TikTokUnavailable):
        client.status_fetch("v_pub_file~1")


def test_it_tells_the_refusals_of_a_part_apart(client, sandbox, file):
    init = start(client)
    with pytest.raises(UploadRejected):
        client.upload_chunk(init.upload_url, file, first=0, last=99, video_size=100, content_type="text/plain")
    send(client, init, file)
    with pytest.raises((RangeMismatch, UploadGone, UploadExpired)):
        send(client, init, file)
    expired = start(client)
    sandbox.fault("expire_url", "chunk")
    with pytest.raises(UploadExpired):
        send(client, expired, file)
    with pytest.raises(UploadGone):
        client.upload_chunk(
            init.upload_url[:-6] + "abcdef", file, first=0, last=SIZE - 1, video_size=SIZE, content_type="video/mp4"
        )


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("https://evil.example/upload", (".tiktokapis.com",)),
        ("https://tiktokapis.com.evil.example/x", (".tiktokapis.com",)),
        ("https://eviltiktokapis.com/x", (".tiktokapis.com",)),
        ("https://open-upload.tiktokapis.com@evil.example/x", (".tiktokapis.com",)),
        ("ftp://open-upload.tiktokapis.com/x", (".tiktokapis.com",)),
        ("https://127.0.0.1:9/x", ("127.0.0.1:8",)),
    ],
)
def test_it_sends_parts_only_to_allowed_hosts(sandbox, file, url, hosts):
    with pytest.raises(HostNotAllowed):
        client_with(sandbox, "act.x", hosts)._check_host(url)


@pytest.mark.parametrize(
    "url", ["https://open-upload.tiktokapis.com/a", "https://upload.us.tiktokapis.com/video/?upload_id=1"]
)
def test_it_allows_every_host_below_tiktoks(sandbox, url):
    client_with(sandbox, "act.x", (".tiktokapis.com",))._check_host(url)


def test_it_never_uploads_over_plain_http_to_the_real_tiktok():
    client = TikTokClient(access_token="act.x", api_base="https://x", upload_hosts=(".tiktokapis.com",))
    with pytest.raises(HostNotAllowed):
        client._check_host("http://open-upload.tiktokapis.com/a")


def test_it_sends_exactly_the_slice(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(bytes(range(256)) * 8192)
    heard: list[int] = []
    part = FileSlice(path, 100, 1_500_099, heard.append)
    assert b"".join(part) == path.read_bytes()[100:1_500_100]
    assert len(part) == 1_500_000 == heard[-1]


def test_it_refuses_to_send_a_file_that_became_shorter(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"1234")
    with pytest.raises(TikTokUnavailable):
        list(FileSlice(path, 0, 9, None))


def test_it_gives_a_large_part_more_time():
    assert chunk_timeout(64_000_000) > chunk_timeout(5_000_000) > 30


def oauth(sandbox):
    settings = sandbox.settings
    return OAuthClient(client_key=settings.client_key, client_secret=settings.client_secret, api_base=sandbox.url)


def test_it_refreshes_and_learns_the_new_refresh_token(sandbox, tokens):
    answer = oauth(sandbox).refresh(tokens["refresh_token"])
    assert answer.refresh_token not in {"", tokens["refresh_token"]}
    with pytest.raises(InvalidGrant):
        oauth(sandbox).refresh(tokens["refresh_token"])


def test_it_revokes(sandbox, tokens, client):
    oauth(sandbox).revoke(tokens["access_token"])
    with pytest.raises(TokenInvalid):
        client.creator_info()


def test_it_tells_bad_keys_from_bad_grants(sandbox, tokens):
    wrong = OAuthClient(client_key="wrong", client_secret="wrong", api_base=sandbox.url)
    with pytest.raises(OAuthError) as raised:
        wrong.refresh(tokens["refresh_token"])
    assert not isinstance(raised.value, InvalidGrant)


def test_it_makes_both_forms_of_challenge():
    assert len(new_pkce("hex").challenge) == 64
    assert len(new_pkce().challenge) == 43


@pytest.mark.parametrize(
    ("data", "ids"),
    [
        ({"publicaly_available_post_id": ["1", 2]}, ("1", "2")),
        ({"publicaly_available_post_id": 7}, ("7",)),
        ({"publicly_available_post_id": ["9"]}, ("9",)),
        ({"publicaly_available_post_id": []}, ()),
        ({}, ()),
    ],
)
def test_it_reads_the_post_id_in_every_shape_that_was_seen(data, ids):
    assert PublishStatus.from_json({"status": "PUBLISH_COMPLETE"} | data, "log").post_ids == ids


def test_it_refuses_a_status_that_it_does_not_know():
    with pytest.raises(BadAnswer):
        PublishStatus.from_json({"status": "DANCING"}, "log")


@pytest.mark.parametrize("field", ["open_id", "access_token", "expires_in", "scope"])
def test_it_names_the_field_that_a_token_answer_lacks(tokens, field):
    with pytest.raises(BadAnswer, match=field):
        TokenAnswer.from_json({name: value for name, value in tokens.items() if name != field})


@pytest.mark.parametrize(("text", "units"), [("abc", 3), ("ñ", 1), ("😀", 2), ("👩‍🍳", 5)])
def test_it_counts_as_tiktok_does(text, units):
    assert utf16_len(text) == units


def test_it_refuses_a_title_that_is_too_long():
    with pytest.raises(ValueError, match="2200"):
        PostInfo(privacy_level="SELF_ONLY", title="😀" * 1101)


def test_it_classifies_every_code_and_reason_it_knows():
    assert {error_for(code).breaker for code in KNOWN_CODES} == set(FailureClass)
    assert set(CODES) == KNOWN_CODES
    assert classify_fail_reason("never_seen").retryable is False
    assert {reason for reason in KNOWN_FAIL_REASONS if classify_fail_reason(reason).retryable} == {
        "internal", "video_pull_failed", "spam_risk_too_many_posts", "spam_risk_too_many_pending_share",
    }  # fmt: skip


def test_it_never_shows_a_secret(sandbox, tokens, client, file, caplog):
    caplog.set_level(logging.DEBUG)
    said: list[str] = []
    init = start(client)
    said += [repr(init), repr(TokenAnswer.from_json(tokens)), repr(client), repr(new_pkce())]
    for kind in ("drop_before", "expire_url"):
        sandbox.fault(kind, "chunk")
        with pytest.raises((TikTokUnavailable, UploadExpired)) as raised:
            send(client, init, file)
        said += [repr(raised.value), str(raised.value), repr(raised.value.__cause__)]
    for code in ("access_token_invalid", "rate_limit_exceeded"):
        sandbox.fault("refuse", "creator_info", http_status=401, code=code)
        with pytest.raises((TokenInvalid, RateLimited)) as refused:
            client.creator_info()
        said += [repr(refused.value), str(refused.value)]
    said += [
        record.getMessage() + str(record.__dict__)
        for record in caplog.records
        if record.name.startswith("subiteya.tiktok.") and "sandbox" not in record.name
    ]
    secrets = [tokens["access_token"], tokens["refresh_token"], init.upload_url, init.upload_url.rsplit("/", 1)[1]]
    assert not [secret for secret in secrets if any(secret in text for text in said)]
