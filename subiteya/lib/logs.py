"""Log lines: one console format, one JSON format with OpenTelemetry's names, and a last net under secrets.

The event name is the message and stays constant; data travel in `extra=` and become fields.
"""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

from subiteya.lib.tracing import current_trace_id

#: What a bare record carries; everything else came through `extra=`.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "trace_id"}
_NAMED_SECRET = r"upload_token|access_token|refresh_token|client_secret|code_verifier|password|secret_key"  # noqa: S105
_SECRETS = re.compile(
    r"(?P<bearer>\bBearer\s+)[\w.~+/=!*-]+"
    rf"|(?P<named>\b(?:{_NAMED_SECRET})[\"']?\s*[=:]\s*[\"']?)[^\s\"'&,;}})]+"
    r"|(?P<query>[?&]code=)[^\s\"'&]+"
    r"|\b(?:act|rft|clt)\.[\w!*.~-]{6,}"
    r"|\bgAAAA[\w-]{20,}={0,2}"
)


def redact(text: str) -> str:
    """`text` with TikTok tokens, bearer headers, upload addresses' tokens and encrypted values blotted out.

    The last net, not the first: nothing should log these at all.
    """
    return _SECRETS.sub(_blot, text)


def _blot(match: re.Match[str]) -> str:
    return f"{match['bearer'] or match['named'] or match['query'] or ''}[redacted]"


class TraceFilter(logging.Filter):
    """Adds the trace id at hand, unless the caller named one in `extra=`."""

    def filter(self, record: logging.LogRecord) -> bool:
        if not hasattr(record, "trace_id"):
            record.trace_id = current_trace_id()
        return True


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """What came through `extra=`, redacted before quoting could hide a secret from the net."""
    given = {key: value for key, value in vars(record).items() if key not in _STANDARD}
    return {key: _redacted_item(key, value) for key, value in given.items()}


class ConsoleFormatter(logging.Formatter):
    """`time LEVEL logger message key=value … trace_id=…`, in local time, with any traceback below."""

    default_msec_format = "%s.%03d"

    def format(self, record: logging.LogRecord) -> str:
        fields = {**_fields(record), "trace_id": getattr(record, "trace_id", "")}
        pairs = " ".join(f"{key}={_console_value(value)}" for key, value in fields.items() if value != "")
        head = f"{self.formatTime(record)} {record.levelname:<7} {record.name} {record.getMessage()}"
        lines = [f"{head} {pairs}".rstrip()]
        if record.exc_info:
            lines.append(self.formatException(record.exc_info))
        if record.stack_info:
            lines.append(self.formatStack(record.stack_info))
        return redact("\n".join(lines))


def _console_value(value: Any) -> str:
    text = str(value)
    # A value from outside must not be able to forge a line or a field.
    plain = text.isprintable() and not set(text) & set(" \"'=")
    return text if plain else json.dumps(text, ensure_ascii=False)


class JsonFormatter(logging.Formatter):
    """One JSON object a line, with the field names of OpenTelemetry's log data model."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds"),
            "severity_text": record.levelname,
            "body": record.getMessage(),
            "trace_id": getattr(record, "trace_id", ""),
            "scope": record.name,
            "process.pid": record.process,
        }
        if record.exc_info and record.exc_info[0]:
            line["exception.type"] = record.exc_info[0].__qualname__
            line["exception.stacktrace"] = self.formatException(record.exc_info)
        return json.dumps({**_fields(record), **_redacted(line)}, ensure_ascii=False)


def _redacted(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _redacted_item(str(key), item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_redacted(item) for item in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return redact(str(value))


def _redacted_item(key: str, value: Any) -> Any:
    return "[redacted]" if re.fullmatch(_NAMED_SECRET, key) else _redacted(value)


def logging_config(form: str, level: str) -> dict[str, Any]:
    """Django's LOGGING: everything to stderr, as `form` ("console" or "json") says, from `level` up."""
    formatter = JsonFormatter if form == "json" else ConsoleFormatter
    quiet = {"level": "WARNING"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"trace": {"()": TraceFilter}},
        "formatters": {"line": {"()": formatter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["trace"]}},
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
