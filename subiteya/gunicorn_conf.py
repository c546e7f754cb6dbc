"""gunicorn's settings, from ours: `gunicorn -c python:subiteya.gunicorn_conf`."""

from __future__ import annotations

import logging
import os
import shutil
import sys
from datetime import timedelta
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from gunicorn.glogging import Logger

from subiteya.lib.addresses import address_in
from subiteya.lib.processes import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "subiteya.settings.prod")
from django.conf import settings  # noqa: E402

try:
    settings.WEB_PORT  # noqa: B018
except ImproperlyConfigured as error:
    sys.exit(f"error: {error}")


# The web processes put what django-prometheus measures into one folder, so that a scrape that one of them answers
# holds all of it. It begins empty: a counter that starts again is what Prometheus expects of a restart.
_measured = settings.VAR_DIR / "web-metrics"
shutil.rmtree(_measured, ignore_errors=True)
_measured.mkdir(mode=0o700, parents=True, exist_ok=True)
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(_measured)
from prometheus_client.multiprocess import mark_process_dead  # noqa: E402  # decides at its import


class AccessLogger(Logger):  # type: ignore[misc]
    """One line per request, without its query string: TikTok's answers carry codes in it."""

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> None:
        path = environ.get("PATH_INFO", "")
        routine = path in {"/healthz", "/metrics"} or path.startswith(f"/{settings.STATIC_URL.strip('/')}/")
        self.access_log.log(
            logging.DEBUG if routine else logging.INFO,
            "http_request",
            extra={
                "method": environ.get("REQUEST_METHOD", ""),
                "path": path,
                "status": str(resp.status).split(" ", 1)[0],
                "seconds": round(request_time.total_seconds(), 3),
                "bytes": getattr(resp, "sent", 0),
                "client": address_in(environ),
                "trace_id": next((value for name, value in resp.headers if name == "X-Trace-Id"), ""),
            },
        )


def post_fork(server: Any, worker: Any) -> None:
    """A web process must not outlive gunicorn's master: it would keep the port."""
    die_with_parent(worker.ppid)


def child_exit(server: Any, worker: Any) -> None:
    """Forget the gauges of a web process that is gone; its counters stay."""
    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


wsgi_app = "subiteya.wsgi"
bind = [
    f"[{settings.WEB_HOST}]:{settings.WEB_PORT}"
    if ":" in settings.WEB_HOST
    else f"{settings.WEB_HOST}:{settings.WEB_PORT}"
]
workers = settings.WEB_PROCESSES
# Threads: an upload of an hour occupies one of them, while the process goes on telling the master that it
# is alive. `timeout` therefore only ends a process that hangs as a whole.
worker_class = "gthread"
threads = settings.WEB_THREADS
timeout = 60
graceful_timeout = settings.WEB_STOP_SECONDS
keepalive = 15
control_socket_disable = True
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
logger_class = AccessLogger
logconfig_dict = settings.LOGGING
accesslog = "-"
