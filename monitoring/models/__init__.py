"""What happened, kept for people and for Prometheus: counters, failures, spans, alerts, keys."""

from monitoring.models.alerts import Alert, AlertDelivery, AlertSource, PendingAlert, Severity
from monitoring.models.calls import TikTokFailure
from monitoring.models.counters import CounterDelta, CounterTotal, DailyPeak
from monitoring.models.deliveries import Delivery, DeliveryChannel
from monitoring.models.keys import ApiKey, KeyScope
from monitoring.models.spans import Span, SpanKind, SpanStatus
from monitoring.models.summaries import SummaryDelta, SummaryTotal

__all__ = [
    "Alert",
    "AlertDelivery",
    "AlertSource",
    "ApiKey",
    "CounterDelta",
    "CounterTotal",
    "DailyPeak",
    "Delivery",
    "DeliveryChannel",
    "KeyScope",
    "PendingAlert",
    "Severity",
    "Span",
    "SpanKind",
    "SpanStatus",
    "SummaryDelta",
    "SummaryTotal",
    "TikTokFailure",
]
