"""Log lines, by structlog: readable ones at home, JSON with OpenTelemetry's names in production.

The event name is the message and stays constant; data travel in `extra=` and become fields. What is bound to the
work at hand (`subiteya.lib.tracing.bound`) and its trace are on every line; `redaction` is the net under all of it.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

import structlog
from structlog.contextvars import get_contextvars
from structlog.typing import EventDict, WrappedLogger

from subiteya.lib.redaction import redact, redacted, redacted_item
from subiteya.lib.tracing import current_span_id, current_trace_id

#: What a bare record carries; everything else came through `extra=`.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "_logger", "_name"}
#: structlog's own entries beside the fields.
_META = {"event", "_record", "_from_structlog", "exc_info", "stack_info"}


def _gather(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The line's fields: what is bound, what the caller gave (which wins), and the trace; redacted."""
    record: logging.LogRecord = event["_record"]
    given = {key: value for key, value in vars(record).items() if key not in _STANDARD}
    own = {key: value for key, value in event.items() if key not in _META}
    trace = {"trace_id": current_trace_id(), "span_id": current_span_id()}
    fields = {**trace, **get_contextvars(), **own, **given}
    # Before quoting could hide a secret from the net.
    event["fields"] = {key: redacted_item(key, value) for key, value in fields.items()}
    return event


def _json_line(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """One JSON object, with the field names of OpenTelemetry's log data model."""
    record: logging.LogRecord = event["_record"]
    line: dict[str, Any] = {
        "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds"),
        "severity_text": record.levelname,
        "body": str(event["event"]),
        "scope": record.name,
        "process.pid": record.process,
    }
    raised = _raised(event)
    if raised and raised[0]:
        line["exception.type"] = raised[0].__qualname__
        line["exception.stacktrace"] = _traceback(raised)
    return json.dumps({**event["fields"], **redacted(line)}, ensure_ascii=False)


def _console_line(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """`time LEVEL logger message key=value … trace_id=…`, in local time, with any traceback below."""
    record: logging.LogRecord = event["_record"]
    fields = event["fields"]
    fields |= {name: fields.pop(name) for name in ("trace_id", "span_id")}  # to the end of the line
    pairs = " ".join(f"{key}={_console_value(value)}" for key, value in fields.items() if value != "")
    moment = datetime.fromtimestamp(record.created).isoformat(" ", "milliseconds")  # noqa: DTZ006
    lines = [f"{moment} {record.levelname:<7} {record.name} {event['event']} {pairs}".rstrip()]
    if raised := _raised(event):
        lines.append(_traceback(raised))
    if event.get("stack_info"):
        lines.append(str(event["stack_info"]))
    return redact("\n".join(lines))


def _raised(event: EventDict) -> Any:
    raised = event.get("exc_info")
    if raised is True:  # structlog's own loggers say so in the handler of an exception
        return sys.exc_info()
    if isinstance(raised, BaseException):
        return type(raised), raised, raised.__traceback__
    return raised


def _traceback(raised: Any) -> str:
    return "".join(traceback.format_exception(*raised)).rstrip("\n")


def _console_value(value: Any) -> str:
    text = str(value)
    # A value from outside must not be able to forge a line or a field.
    plain = text.isprintable() and not set(text) & set(" \"'=")
    return text if plain else json.dumps(text, ensure_ascii=False)


class ConsoleFormatter(structlog.stdlib.ProcessorFormatter):
    """For a person."""

    def __init__(self) -> None:
        super().__init__(processors=[_gather, _console_line])


class JsonFormatter(structlog.stdlib.ProcessorFormatter):
    """For a machine."""

    def __init__(self) -> None:
        super().__init__(processors=[_gather, _json_line])


def logging_config(form: str, level: str) -> dict[str, Any]:
    """Django's LOGGING: everything to stderr, as `form` ("console" or "json") says, from `level` up.

    structlog's own loggers are sent the same way.
    """
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    formatter = JsonFormatter if form == "json" else ConsoleFormatter
    quiet = {"level": "WARNING"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": formatter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"handlers": [], "propagate": True},  # not Django's own handlers as well
            "django.server": {"handlers": [], "propagate": True},
            "gunicorn.error": {"handlers": [], "propagate": True},
            "gunicorn.access": {"handlers": [], "propagate": True},
            # The libraries' own running commentary; ours says the same once, with fields.
            "rq.worker": {"level": "ERROR"},
            "rq.job": quiet,
            "rq.queue": quiet,
            "werkzeug": quiet,
            "urllib3": quiet,
            "botocore": quiet,
            "boto3": quiet,
            "s3transfer": quiet,
            "faker": quiet,
        },
    }
