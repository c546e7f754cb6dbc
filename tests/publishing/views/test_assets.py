"""Taking a file in over HTTP, and giving it back."""

from __future__ import annotations

import json
import tracemalloc
from io import BytesIO, IOBase, RawIOBase
from urllib.parse import quote

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.handlers.wsgi import WSGIRequest
from django.test import Client

from accounts.models import User
from publishing.models import Asset, AssetStatus
from publishing.services.ingest import asset_probe
from publishing.views.assets import asset_upload
from publishing.views.media import byte_range
from tests.factories import AssetFactory
from tests.publishing.views.conftest import logged_in

pytestmark = pytest.mark.django_db


def upload(client: Client, data: bytes, name: str = "video.mp4", content_type: str = "video/mp4", **headers: str):
    named = {"X-File-Name": quote(name), "Accept": "application/json"} | headers
    return client.post("/assets/", data, content_type=content_type, headers=named)


def test_it_takes_a_raw_body_and_tells_what_it_is(as_ana, clip):
    response = upload(as_ana, clip.read_bytes(), "año nuevo.mp4")
    assert response.status_code == 201
    answer = response.json()
    assert (answer["status"], answer["name"]) == ("pending", "año nuevo.mp4")
    asset_probe(asset=Asset.objects.get(pk=answer["id"]))
    ready = as_ana.get(answer["detail_url"]).json()
    assert (ready["status"], ready["width"], ready["height"], ready["has_audio"]) == ("ready", 540, 960, True)
    assert ready["duration_ms"] == pytest.approx(1000, abs=100)


def test_it_stores_the_same_content_once(as_ana, as_bruno, clip):
    first = upload(as_ana, clip.read_bytes()).json()
    second = upload(as_bruno, clip.read_bytes(), "otro.mp4").json()
    assert first["id"] == second["id"]
    assert as_bruno.get(second["detail_url"]).status_code == 200


class Zeros(RawIOBase):
    """A body of `size` bytes that exists nowhere whole."""

    def __init__(self, size: int) -> None:
        self.left = size

    def read(self, size: int = -1, /) -> bytes:
        size = min(self.left, size if size >= 0 else self.left)
        self.left -= size
        return bytes(size)


def send(user: User, body: IOBase, declared: int):
    """The view as a server calls it, with a body that is read from a socket."""
    environ = {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": "video/mp4",
        "CONTENT_LENGTH": str(declared),
        "wsgi.input": body,
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
    }
    request = WSGIRequest(environ)
    request.user = user
    return asset_upload(request)


def test_it_streams_a_large_body_without_holding_it(ana):
    size = 60_000_000
    tracemalloc.start()
    response = send(ana, Zeros(size), size)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert response.status_code == 201
    assert Asset.objects.get().size == size
    assert peak < 12_000_000


def test_it_says_why_a_file_is_refused(ana, as_ana, settings):
    settings.MAX_FILE_BYTES = 1000
    large = upload(as_ana, b"x" * 1001)
    assert (large.status_code, large.json()["code"]) == (413, "too_large")
    assert "1" in large.json()["error"]
    empty = send(ana, BytesIO(), 0)
    assert (empty.status_code, json.loads(empty.content)["code"]) == (422, "empty_file")
    assert upload(as_ana, b"").status_code == 411  # the test client announces no length for nothing
    form = upload(as_ana, b"a=b", content_type="application/x-www-form-urlencoded")
    assert form.status_code == 415
    assert not Asset.objects.exists()


def test_it_refuses_a_body_that_was_cut(ana):
    response = send(ana, BytesIO(b"only this"), 5000)
    assert (response.status_code, json.loads(response.content)["code"]) == (422, "size_mismatch")
    assert not Asset.objects.exists()


def test_it_refuses_what_is_no_video_once_it_was_looked_at(as_ana):
    answer = upload(as_ana, b"this is only a text", "notas.mp4").json()
    asset_probe(asset=Asset.objects.get(pk=answer["id"]))
    refused = as_ana.get(answer["detail_url"]).json()
    assert refused["status"] == "refused"
    assert len(refused["error"]) > 20


def test_it_wants_the_csrf_token(ana, clip):
    response = upload(logged_in(ana, enforce_csrf_checks=True), clip.read_bytes())
    assert response.status_code == 403
    assert not Asset.objects.exists()


def test_it_tells_a_script_that_the_session_ended(clip):
    response = upload(Client(), clip.read_bytes())
    assert response.status_code == 401
    assert response.json()["error"]


@pytest.fixture
def stored(ana) -> Asset:
    key = default_storage.save("source/stored.mp4", ContentFile(bytes(range(256)) * 4))
    return AssetFactory(created_by=ana, storage_key=key, size=1024)


def body(response) -> bytes:
    return b"".join(response.streaming_content)


def test_it_serves_the_whole_file_and_parts_of_it(as_ana, stored):
    address = f"/assets/{stored.pk}/media/"
    whole = as_ana.get(address)
    assert (whole.status_code, len(body(whole)), whole["Content-Type"]) == (200, 1024, "video/mp4")
    assert (whole["Accept-Ranges"], whole["X-Content-Type-Options"]) == ("bytes", "nosniff")
    assert whole["Content-Disposition"] == f'attachment; filename="subiteya-{stored.pk}.mp4"'
    assert whole["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert whole["Cross-Origin-Resource-Policy"] == "same-origin"
    part = as_ana.get(address, headers={"Range": "bytes=256-259"})
    assert (part.status_code, part["Content-Range"]) == (206, "bytes 256-259/1024")
    assert body(part) == bytes([0, 1, 2, 3])
    beyond = as_ana.get(address, headers={"Range": "bytes=5000-"})
    assert (beyond.status_code, beyond["Content-Range"]) == (416, "bytes */1024")
    kept = as_ana.get(address, {"download": 1})
    assert kept["Content-Disposition"].startswith("attachment;")
    assert body(kept)


def test_it_sends_no_body_for_head_and_the_whole_for_a_stale_range(as_ana, stored):
    address = f"/assets/{stored.pk}/media/"
    head = as_ana.head(address)
    assert (head.status_code, head["Content-Length"]) == (200, "1024")
    stale = as_ana.get(address, headers={"Range": "bytes=0-1", "If-Range": '"another"'})
    assert (stale.status_code, len(body(stale))) == (200, 1024)
    fresh = as_ana.get(address, headers={"Range": "bytes=0-1", "If-Range": f'"{stored.sha256}"'})
    assert (fresh.status_code, len(body(fresh))) == (206, 2)
    dated = as_ana.get(address, headers={"Range": "bytes=0-1", "If-Range": "Sun, 29 Nov 2026 08:00:00 GMT"})
    assert (dated.status_code, len(body(dated))) == (200, 1024)
    assert as_ana.head(address, headers={"Range": "bytes=0-1"}).status_code == 200
    several = as_ana.get(address, headers={"Range": "bytes=0-1,4-5"})
    assert (several.status_code, len(body(several))) == (200, 1024)


def test_it_says_the_type_that_it_found_not_that_of_the_name(as_ana, ana):
    key = default_storage.save("source/page.mp4", ContentFile(b"<script>alert(1)</script>"))
    unchecked = AssetFactory(created_by=ana, storage_key=key, size=25, probe={}, status=AssetStatus.PENDING)
    answer = as_ana.get(f"/assets/{unchecked.pk}/media/")
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("application/octet-stream", "nosniff")
    assert answer["Content-Disposition"].endswith('.bin"')
    film = AssetFactory(created_by=ana, storage_key=key + "x", size=25, probe={"container": "webm"})
    default_storage.save(film.storage_key, ContentFile(b"x" * 25))
    assert as_ana.get(f"/assets/{film.pk}/media/")["Content-Type"] == "video/webm"


def test_it_gives_nobody_elses_file(as_bruno, stored):
    assert as_bruno.get(f"/assets/{stored.pk}/media/").status_code == 404
    assert as_bruno.get(f"/assets/{stored.pk}/frame.jpg").status_code == 404


def test_it_decodes_nothing_that_was_not_checked(as_ana, clip):
    answer = upload(as_ana, clip.read_bytes()).json()
    assert as_ana.get(answer["frame_url"]).status_code == 404


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("", (0, 99)),
        ("bytes=0-0", (0, 0)),
        ("bytes=10-", (10, 99)),
        ("bytes=-10", (90, 99)),
        ("bytes=-1000", (0, 99)),
        ("bytes=50-4000", (50, 99)),
        ("bytes=100-", None),
        ("bytes=9-8", None),
        ("bytes=-0", None),
        ("bytes=0-1,5-6", (0, 99)),
        ("bytes=-", (0, 99)),
        ("bytes=", (0, 99)),
        ("bytes=1-2\n", (0, 99)),
        ("bytes=٣-٤", (0, 99)),
        ("BYTES= 10-19 ", (10, 19)),
        ("bytes=" + "9" * 19 + "-", (0, 99)),
        ("bytes=" + "9" * 18 + "-", None),
        ("lines=1-2", (0, 99)),
    ],
)
def test_it_reads_a_range(header, wanted):
    assert byte_range(header, 100) == wanted


def test_it_cuts_a_frame_of_the_video(as_ana, clip):
    pk = upload(as_ana, clip.read_bytes()).json()["id"]
    asset_probe(asset=Asset.objects.get(pk=pk))
    for ms in ("0", "500", "99999999", "nonsense", "-5"):
        frame = as_ana.get(f"/assets/{pk}/frame.jpg", {"ms": ms})
        assert (frame.status_code, frame["Content-Type"]) == (200, "image/jpeg"), ms
        assert frame.content.startswith(b"\xff\xd8")
        assert frame["Content-Disposition"].startswith("attachment;")
        assert frame["X-Content-Type-Options"] == "nosniff"
    assert as_ana.get(f"/assets/{pk}/frame.jpg?ms=0").content != as_ana.get(f"/assets/{pk}/frame.jpg?ms=700").content


def test_it_cuts_a_small_frame_for_a_row(as_ana, clip):
    pk = upload(as_ana, clip.read_bytes()).json()["id"]
    asset_probe(asset=Asset.objects.get(pk=pk))
    whole, small = (as_ana.get(f"/assets/{pk}/frame.jpg?ms=0{more}").content for more in ("", "&small"))
    assert len(small) < len(whole) / 3


def test_it_has_no_frame_of_a_refused_or_lost_file(ana, as_ana, stored):
    refused = AssetFactory(created_by=ana, status=AssetStatus.REFUSED)
    lost = AssetFactory(created_by=ana, storage_key="source/gone.mp4")
    for asset in (refused, lost, stored):
        assert as_ana.get(f"/assets/{asset.pk}/frame.jpg").status_code == 404
    assert as_ana.get(f"/assets/{lost.pk}/media/").status_code == 404
