"""`POST /api/monitor/alertmanager`: Alertmanager's webhook."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers as s
from rest_framework import status
from rest_framework.parsers import JSONParser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from monitoring.api.authentication import AlertKeyAuthentication
from monitoring.api.permissions import AlertsAMinute
from monitoring.models import ApiKey
from monitoring.services.alertmanager import Notice, notices_record

MOST_BYTES = 1_000_000
MOST_ALERTS = 500


class Words(s.DictField):
    """Names and short texts."""

    child = s.CharField(max_length=2000, allow_blank=True, trim_whitespace=False)


class AlertSerializer(s.Serializer[object]):
    status = s.ChoiceField(["firing", "resolved"])
    fingerprint = s.CharField(max_length=64)
    labels = Words()
    annotations = Words(required=False, default=dict)
    startsAt = s.DateTimeField(default_timezone=UTC)
    endsAt = s.DateTimeField(default_timezone=UTC, required=False)

    def validate_labels(self, labels: dict[str, str]) -> dict[str, str]:
        if not labels.get("alertname"):
            raise s.ValidationError("The label `alertname` is missing.")
        return labels

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["status"] == "resolved" and attrs.get("endsAt", attrs["startsAt"]) < attrs["startsAt"]:
            raise s.ValidationError("It cannot end before it began.")
        return attrs


class MessageSerializer(s.Serializer[object]):
    """The body of Alertmanager's webhook, version 4; what is not named here is ignored."""

    version = s.ChoiceField(["4"])
    alerts = AlertSerializer(many=True)

    def validate_alerts(self, alerts: list[Any]) -> list[Any]:
        if len(alerts) > MOST_ALERTS:
            raise s.ValidationError(f"{MOST_ALERTS} alerts are the most in one message.")
        return alerts


class DeliversAlerts(BasePermission):
    """Only a program with a key of this scope."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.auth, ApiKey)


class AlertmanagerView(APIView):
    """Alerts that Prometheus found are shown beside our own."""

    authentication_classes = [AlertKeyAuthentication]
    permission_classes = [DeliversAlerts]
    parser_classes = [JSONParser]
    throttle_classes = [AlertsAMinute]

    @extend_schema(
        summary="Alertmanager's webhook",
        request=MessageSerializer,
        responses={
            204: OpenApiResponse(description="written down; the same message again changes nothing"),
            400: OpenApiResponse(description="no message of Alertmanager's; says what is wrong with it"),
            401: OpenApiResponse(description="no key, or one that may not deliver alerts"),
            413: OpenApiResponse(description="more than a megabyte"),
            429: OpenApiResponse(description="the 601st request of a minute; `Retry-After` says when"),
        },
    )
    def post(self, request: Request) -> Response:
        if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES:
            detail = f"{MOST_BYTES} bytes are the most in one message."
            return Response({"detail": detail}, status=status.HTTP_413_REQUEST_ENTITY_TOO_LARGE)
        message = MessageSerializer(data=request.data)
        message.is_valid(raise_exception=True)
        notices_record([_notice(alert) for alert in message.validated_data["alerts"]])
        return Response(status=status.HTTP_204_NO_CONTENT)


def _notice(alert: dict[str, Any]) -> Notice:
    ends: datetime | None = alert.get("endsAt") or alert["startsAt"]
    return Notice(
        fingerprint=alert["fingerprint"], labels=alert["labels"], annotations=alert["annotations"],
        starts=alert["startsAt"], ends=ends if alert["status"] == "resolved" else None,
    )  # fmt: skip
