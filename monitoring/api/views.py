"""The monitor's JSON, for Grafana, Metabase and scripts."""

from __future__ import annotations

from typing import Any

from csp.decorators import csp_update
from django.utils.decorators import method_decorator
from drf_spectacular.utils import OpenApiResponse, extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from monitoring.api.authentication import KeyAuthentication
from monitoring.api.examples import DOCUMENT, PROBLEMS
from monitoring.api.permissions import ReadsTheMonitor, ThirtyAMinute
from monitoring.api.serializers import DocumentSerializer, MetricsQuery
from monitoring.selectors.document import metrics_document
from subiteya.lib.ratelimits import Usage

#: Seconds for which an answer may be used again by whoever asked.
MAX_AGE = 10


class MonitorView(APIView):
    """Read by keys and verified administrators, thirty times a minute; says in its headers how many are left."""

    authentication_classes = [KeyAuthentication, SessionAuthentication]
    permission_classes = [ReadsTheMonitor]
    throttle_classes = [ThirtyAMinute]

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        answer = super().finalize_response(request, response, *args, **kwargs)
        usage: Usage | None = getattr(request, "usage", None)
        if usage:
            answer["RateLimit-Limit"] = str(usage.limit)
            answer["RateLimit-Remaining"] = str(usage.remaining)
            answer["RateLimit-Reset"] = str(usage.seconds)
        return answer


class MetricsView(MonitorView):
    """Everything that is worth a panel, in one document."""

    @extend_schema(
        summary="The monitor's document",
        description=(
            "Counts, throughput, failures, durations, capacity and token life in one flat document. "
            "`ETag` changes only when something happened: a client that sends it back gets 304. "
            "`expires_in` is in seconds from `generatedAt`."
        ),
        parameters=[MetricsQuery],
        responses={
            200: DocumentSerializer,
            304: OpenApiResponse(description="nothing happened since the ETag that was sent"),
            400: OpenApiResponse(description="`days` is no number from 1 to 90"),
            401: OpenApiResponse(description="nobody, or a key that opens nothing"),
            403: OpenApiResponse(description="a person who may not read it"),
            429: OpenApiResponse(description="the 31st request of a minute; `Retry-After` says when"),
        },
        examples=[DOCUMENT, *PROBLEMS],
    )
    def get(self, request: Request) -> Response:
        query = MetricsQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        document = metrics_document(query.validated_data["days"])
        headers = {"ETag": document.etag, "Cache-Control": f"private, max-age={MAX_AGE}"}
        if document.etag in _tags(request.headers.get("If-None-Match", "")):
            return Response(status=304, headers=headers)
        return Response(document.body, headers=headers)


def _tags(header: str) -> list[str]:
    return [tag.strip().removeprefix("W/") for tag in header.split(",")]


class SchemaView(SpectacularAPIView):
    """The API's description (OpenAPI 3), for the same readers."""

    authentication_classes = MonitorView.authentication_classes
    permission_classes = MonitorView.permission_classes
    throttle_classes = MonitorView.throttle_classes


@method_decorator(csp_update({"img-src": "data:"}), name="dispatch")
class DocsView(SpectacularSwaggerSplitView):
    """The description, to read and to try. Its reader draws its icons from its own style sheet."""

    template_name = "monitoring/api_docs.html"
    authentication_classes = MonitorView.authentication_classes
    permission_classes = MonitorView.permission_classes
    throttle_classes = MonitorView.throttle_classes
