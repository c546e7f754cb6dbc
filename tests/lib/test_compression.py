"""Pages travel compressed, but not to a browser that another site sent."""

from __future__ import annotations

import gzip

import pytest
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse

from subiteya.lib.compression import CompressionMiddleware

PAGE = "<p>mañana</p>" * 100


@pytest.fixture
def answer(rf):
    def answer(response, **headers):
        request = rf.get("/videos/", headers={"Accept-Encoding": "gzip, br", **headers})
        return CompressionMiddleware(lambda _request: response)(request)

    return answer


def test_it_compresses_pages_and_json(answer):
    page = answer(HttpResponse(PAGE))
    assert page["Content-Encoding"] == "gzip"
    assert gzip.decompress(page.content).decode() == PAGE
    assert int(page["Content-Length"]) == len(page.content) < len(PAGE) / 4
    assert "Accept-Encoding" in page["Vary"]
    assert answer(JsonResponse({"text": PAGE}))["Content-Encoding"] == "gzip"


@pytest.mark.parametrize("site", ["same-origin", "same-site", "none"])
def test_it_compresses_what_people_and_our_own_pages_ask_for(answer, site):
    assert answer(HttpResponse(PAGE), **{"Sec-Fetch-Site": site})["Content-Encoding"] == "gzip"


def test_it_lets_another_site_measure_nothing(answer):
    assert not answer(HttpResponse(PAGE), **{"Sec-Fetch-Site": "cross-site"}).has_header("Content-Encoding")


def test_it_leaves_files_and_streams_as_they_are(answer):
    for response in (
        HttpResponse(b"x" * 1000, content_type="image/jpeg"),
        StreamingHttpResponse([b"x" * 1000], content_type="text/html"),
        HttpResponse(status=304, headers={"ETag": '"v1"'}),
    ):
        assert not answer(response).has_header("Content-Encoding")
