"""Addresses of the monitor, mounted at the top."""

from django.urls import path

from monitoring.api import views as api
from monitoring.api.alertmanager import AlertmanagerView
from monitoring.views import alerts, audit, board, prometheus, today, traces

app_name = "monitoring"
urlpatterns = [
    path("", today.today, name="today"),
    path("today/live/", today.today_live, name="today_live"),
    path("metrics", prometheus.metrics, name="prometheus"),
    path("videos/<int:pk>/trace/", traces.video_trace, name="video_trace"),
    path("api/monitor/metrics", api.MetricsView.as_view(), name="metrics"),
    path("api/monitor/alertmanager", AlertmanagerView.as_view(), name="alertmanager"),
    path("monitor/", board.board, name="board"),
    path("monitor/live/", board.board_live, name="board_live"),
    path("monitor/audit/", audit.audit, name="audit"),
    path("monitor/alerts/", alerts.alerts, name="alerts"),
    path("monitor/runbooks/<slug:name>/", alerts.runbook, name="runbook"),
    path("api/schema/", api.SchemaView.as_view(), name="schema"),
    path("api/docs/", api.DocsView.as_view(url_name="monitoring:schema"), name="docs"),
]
