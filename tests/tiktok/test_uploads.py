"""One part: where it may go, what is sent, and what the answer means."""

from __future__ import annotations

import hashlib
import tracemalloc
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subiteya.tiktok import (
    BadAnswer,
    ChunkAnswer,
    HostNotAllowed,
    LocalFailure,
    RangeMismatch,
    RateLimited,
    TikTokClient,
    TikTokUnavailable,
    UploadExpired,
    UploadGone,
    UploadRejected,
    chunk_plan,
)
from subiteya.tiktok.uploads import (
    BLOCK,
    SLOWEST_BYTES_PER_SECOND,
    FileSlice,
    check_upload_url,
    chunk_timeout,
    upload_timeout,
)
from tests.tiktok.canned import answering

SIZE = 20_000
TIKTOK = (".tiktokapis.com",)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "v.mp4"
    path.write_bytes((b"\x00\x00\x00\x20ftypisom" + bytes(range(256)) * 80)[:SIZE])
    return path


def send(url: str, file: Path, *, hosts: tuple[str, ...] = ("127.0.0.1",), allow_http: bool = True, **options):
    base = "http://127.0.0.1:9" if allow_http else "https://127.0.0.1:9"
    client = TikTokClient(access_token="act.planted", api_base=base, upload_hosts=hosts, allow_http=allow_http)
    fields = {"first": 0, "last": SIZE - 1, "video_size": SIZE, "content_type": "video/mp4"} | options
    return client.upload_chunk(url, file, **fields)


@contextmanager
def tiktok_elsewhere(url: str):
    """`{evil}` of the address is a server that would take what is sent to it."""
    with answering(201) as evil:
        yield evil, url.format(evil=evil.url.removeprefix("http://"))


@pytest.mark.parametrize(
    "url",
    [
        "http://{evil}/upload",
        "http://{evil}\\@open-upload.tiktokapis.com/upload",
        "http://{evil}\\.tiktokapis.com/upload",
        "http://open-upload.tiktokapis.com@{evil}/upload",
        "http://{evil}#@open-upload.tiktokapis.com/upload",
        "http://{evil}?.tiktokapis.com",
        "http:{evil}/.tiktokapis.com",
        " http://{evil}/.tiktokapis.com",
        "http://{evil}\t.tiktokapis.com",
        "http://{evil}\n.tiktokapis.com",
    ],
)
def test_it_sends_no_byte_to_a_host_that_is_not_allowed(file, url):
    with tiktok_elsewhere(url) as (evil, address):
        with pytest.raises(HostNotAllowed):
            send(address, file, hosts=TIKTOK)
        assert evil.seen == []


@pytest.mark.parametrize(
    "url",
    [
        "https://tiktokapis.com.evil.example/x",
        "https://eviltiktokapis.com/x",
        "https://tiktokapis.com/x",
        "https://open-upload.tiktokapis.com./x",
        "https://user@open-upload.tiktokapis.com/x",
        "http://open-upload.tiktokapis.com/x",
        "ftp://open-upload.tiktokapis.com/x",
        "//open-upload.tiktokapis.com/x",
        "https://[::1/x",
        "https://a\u2100planted.tiktokapis.com/x",
        "https://open-upload.tiktokapis.com/ñ",
        "",
    ],
)
def test_it_refuses_addresses_that_are_not_tiktoks_or_can_be_read_two_ways(url):
    with pytest.raises(HostNotAllowed) as raised:
        check_upload_url(url, hosts=TIKTOK, allow_http=False)
    assert "planted" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("https://open-upload.tiktokapis.com/a", TIKTOK),
        ("https://upload.us.tiktokapis.com/video/?upload_id=1&upload_token=a%2Fb-_~!*", TIKTOK),
        ("HTTPS://Open-Upload.TikTokAPIs.com:443/a", TIKTOK),
        ("https://127.0.0.1:8/x", ("127.0.0.1",)),
        ("https://127.0.0.1:8/x", ("127.0.0.1:8",)),
    ],
)
def test_it_allows_the_hosts_of_the_list(url, hosts):
    check_upload_url(url, hosts=hosts, allow_http=False)


def test_it_tells_ports_apart_where_the_list_names_one():
    with pytest.raises(HostNotAllowed):
        check_upload_url("https://127.0.0.1:9/x", hosts=("127.0.0.1:8",), allow_http=False)


def test_it_never_sends_video_in_the_clear_to_the_real_tiktok(file):
    with answering(201) as tiktok:
        with pytest.raises(HostNotAllowed):
            send(tiktok.url, file, allow_http=False)
        assert tiktok.seen == []


@pytest.mark.parametrize(("first", "last"), [(0, SIZE - 1), (0, 4_999), (5_000, 9_999), (15_000, SIZE - 1)])
def test_it_sends_exactly_the_part_and_not_the_token(file, first, last):
    with answering(206, Content_Range=f"bytes 0-{last + 1}/{SIZE}") as tiktok:
        answer = send(tiktok.url + "/u?id=1", file, first=first, last=last)
    method, path, headers, body = tiktok.seen[0]
    assert answer == ChunkAnswer(status=206, uploaded_bytes=last + 1)
    assert (method, path, body) == ("PUT", "/u?id=1", file.read_bytes()[first : last + 1])
    assert headers["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
    assert headers["Content-Length"] == str(last - first + 1)
    assert headers["Content-Type"] == "video/mp4"
    assert headers["Authorization"] is headers["Transfer-Encoding"] is None


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, BadAnswer),
        (204, BadAnswer),
        (302, UploadRejected),
        (307, UploadRejected),
        (400, UploadRejected),
        (403, UploadExpired),
        (404, UploadGone),
        (416, RangeMismatch),
        (429, RateLimited),
        (500, TikTokUnavailable),
        (503, TikTokUnavailable),
    ],
)
def test_it_tells_the_answers_to_a_part_apart(file, status, kind):
    headers = {"Location": "/elsewhere", "Retry_After": "9", "X_Tt_Logid": "L1"}
    with answering(status, **headers) as tiktok, pytest.raises(kind) as raised:
        send(tiktok.url, file)
    assert type(raised.value) is kind
    assert (raised.value.status, raised.value.log_id) == (status, "L1")
    assert len(tiktok.seen) == 1
    assert raised.value.retry_after == (9 if status == 429 else None)


@pytest.mark.parametrize(
    ("header", "uploaded"),
    [
        ("bytes 0-5000/20000", 5000),
        ("bytes 0-4999/20000", 4999),
        ("bytes */20000", None),
        ("x", None),
        ("9" * 9000, None),
    ],
)
def test_it_hands_on_the_progress_of_a_416_as_tiktok_wrote_it(file, header, uploaded):
    with answering(416, Content_Range=header) as tiktok, pytest.raises(RangeMismatch) as raised:
        send(tiktok.url, file)
    assert raised.value.uploaded_bytes == uploaded


def test_it_reads_the_answers_of_the_sandbox(sandbox, file):
    sandbox.add_account("panaderia")
    token = sandbox.mint_tokens("panaderia")["access_token"]
    hosts = (sandbox.url.removeprefix("http://"),)
    client = TikTokClient(access_token=token, api_base=sandbox.url, upload_hosts=hosts, allow_http=True)
    done, expired = client.inbox_init(chunk_plan(SIZE)), client.inbox_init(chunk_plan(SIZE))
    fields = {"first": 0, "last": SIZE - 1, "video_size": SIZE, "content_type": "video/mp4"}
    with pytest.raises(UploadRejected):
        client.upload_chunk(done.upload_url, file, **fields | {"content_type": "text/plain"})
    with pytest.raises(RangeMismatch) as raised:
        client.upload_chunk(done.upload_url, file, **fields | {"first": 100})
    assert raised.value.uploaded_bytes == 0
    assert client.upload_chunk(done.upload_url, file, **fields) == ChunkAnswer(status=201, uploaded_bytes=SIZE)
    assert sandbox.path_of(done.publish_id).read_bytes() == file.read_bytes()
    sandbox.fault("expire_url", "chunk")
    with pytest.raises(UploadExpired):
        client.upload_chunk(expired.upload_url, file, **fields)
    with pytest.raises(UploadGone):
        client.upload_chunk(expired.upload_url[:-6] + "abcdef", file, **fields)


def test_it_calls_a_cut_part_unavailable(sandbox, file):
    sandbox.add_account("panaderia")
    token = sandbox.mint_tokens("panaderia")["access_token"]
    client = TikTokClient(access_token=token, api_base=sandbox.url, upload_hosts=("127.0.0.1",), allow_http=True)
    init = client.inbox_init(chunk_plan(SIZE))
    for fault in ("drop_before", "drop_midway"):
        sandbox.fault(fault, "chunk")
        with pytest.raises(TikTokUnavailable):
            send(init.upload_url, file)
    assert send(init.upload_url, file).status == 201


def test_it_blames_a_missing_file_on_us_and_not_on_tiktok(file):
    with answering(201) as tiktok, pytest.raises(LocalFailure) as raised:
        send(tiktok.url, file.with_name("gone"))
    assert raised.value.code == "file_unreadable"


def test_it_blames_a_file_that_became_shorter_on_us(file):
    with answering(201) as tiktok, pytest.raises(LocalFailure) as raised:
        send(tiktok.url, file, last=SIZE, video_size=SIZE + 1)
    assert raised.value.code == "file_short"


def test_it_blames_a_listener_that_fails_on_us(file):
    def broken(_sent: int) -> None:
        raise OSError("no room")

    with answering(201) as tiktok, pytest.raises(LocalFailure):
        send(tiktok.url, file, on_bytes=broken)


def test_it_lets_a_listener_stop_the_part(file):
    class Stopped(Exception):
        pass

    def stop(_sent: int) -> None:
        raise Stopped

    with answering(201) as tiktok, pytest.raises(Stopped):
        send(tiktok.url, file, on_bytes=stop)


def test_it_hashes_what_it_really_sent(file):
    hasher = hashlib.sha256(b"before")
    with answering(201) as tiktok:
        send(tiktok.url, file, hasher=hasher)
    assert hasher.digest() == hashlib.sha256(b"before" + tiktok.seen[0][3]).digest()


@pytest.fixture(scope="module")
def blocks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("blocks") / "f"
    path.write_bytes(hashlib.sha256(b"x").digest() * (3 * BLOCK // 32) + b"tail")
    return path


@given(first=st.integers(0, 3 * BLOCK + 3), length=st.integers(1, 3 * BLOCK + 4))
def test_it_reads_exactly_the_slice_in_blocks(blocks, first, length):
    data = blocks.read_bytes()
    last = min(first + length, len(data)) - 1
    heard: list[int] = []
    part = FileSlice(blocks, first, last, on_bytes=heard.append)
    pieces = list(part)
    assert b"".join(pieces) == data[first : last + 1]
    assert max(map(len, pieces)) <= BLOCK
    assert len(part) == last - first + 1 == heard[-1]
    assert heard == sorted(heard)


def test_it_keeps_memory_flat(tmp_path):
    path = tmp_path / "big"
    with path.open("wb") as file:
        file.truncate(64_000_000)
    with answering(201, keep=False) as tiktok:
        tracemalloc.start()
        send(tiktok.url, path, last=63_999_999, video_size=64_000_000)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 6 * BLOCK


def test_it_gives_a_part_the_time_of_the_slowest_line():
    assert chunk_timeout(0) == 30
    assert chunk_timeout(64_000) == 31
    assert chunk_timeout(64_000_000, slowest=1_000_000) == 94


@pytest.mark.parametrize("size", [1, BLOCK, 64_000_000])
def test_it_does_not_give_up_on_a_block_that_the_slowest_line_can_take(size):
    write, read = upload_timeout(size)
    assert write * SLOWEST_BYTES_PER_SECOND > BLOCK
    assert read * SLOWEST_BYTES_PER_SECOND > size
