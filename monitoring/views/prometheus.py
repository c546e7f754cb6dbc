"""`/metrics`, for Prometheus."""

from __future__ import annotations

import os

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector

from monitoring.metrics import registry
from monitoring.models import KeyScope
from monitoring.services.keys import bearer, key_find


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Our tables' metrics, then what django-prometheus measured in the web processes of this host.

    With a key that may scrape, else 401. 503 while the database does not answer: no numbers are better than old ones.
    """
    try:
        if key_find(bearer(request.headers.get("Authorization", "")), KeyScope.METRICS) is None:
            return _plain("A key that may scrape is needed.\n", 401, {"WWW-Authenticate": 'Bearer realm="metrics"'})
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        text = encode(_Both())
    except DatabaseError:
        return _plain("The database does not answer.\n", 503)
    return HttpResponse(text, content_type=content_type)


def _plain(text: str, status: int, headers: dict[str, str] | None = None) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8", headers=headers)


class _Both(CollectorRegistry):
    """Both registries as one: an OpenMetrics document ends only once."""

    def collect(self):  # type: ignore[no-untyped-def]  # noqa: ANN201
        yield from registry().collect()
        # django-rq measures a page that is not served here.
        yield from (family for family in _process_registry().collect() if not family.name.startswith("rq_"))


def _process_registry() -> CollectorRegistry:
    """gunicorn's processes share a folder of counters; a process alone has its own."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    shared = CollectorRegistry()
    MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
    return shared
