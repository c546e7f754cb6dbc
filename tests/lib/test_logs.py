"""Log lines: their two shapes, the trace id, and the net under secrets."""

from __future__ import annotations

import base64
import json
import logging
import subprocess
import sys
from typing import Any

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from subiteya.lib.logs import ConsoleFormatter, JsonFormatter
from subiteya.lib.redaction import redact
from subiteya.lib.tracing import bound, current_span_id, span

TOKEN = "act.gXk1!4521.va"
UPLOAD_URL = "https://open-upload.tiktokapis.com/video/?upload_id=67&upload_token=Xza123-sec"


def record(message: str, *args: Any, exc_info: Any = None, **extra: Any) -> logging.LogRecord:
    logger = logging.getLogger("publishing.test")
    return logger.makeRecord(logger.name, logging.WARNING, "f.py", 1, message, args, exc_info, extra=extra)


def console(made: logging.LogRecord) -> str:
    return ConsoleFormatter().format(made)


def as_json(made: logging.LogRecord) -> dict[str, Any]:
    text = JsonFormatter().format(made)
    assert "\n" not in text
    return dict(json.loads(text))


def raised(message: str) -> Any:
    try:
        raise ValueError(message)
    except ValueError:
        return sys.exc_info()


def test_it_writes_a_console_line_with_its_fields_and_its_trace() -> None:
    with span("work", parent="a" * 32), bound(job_id=5):
        line = console(record("upload_part_sent", part=3, of=7))
        ids = f"trace_id={'a' * 32} span_id={current_span_id()}"

    assert line.endswith(f"WARNING publishing.test upload_part_sent job_id=5 part=3 of=7 {ids}")


def test_it_leaves_the_trace_out_where_there_is_none() -> None:
    assert "trace_id" not in console(record("worker_started"))


def test_it_writes_opentelemetry_names_in_json() -> None:
    with span("work", parent="b" * 32), bound(job_id=5, video_id=6, account_id=7):
        line = as_json(record("upload %s", "sent", part=3, ok=True, ratio=0.5, cause=None))
        span_id = current_span_id()

    assert line.pop("timestamp").endswith("+00:00")
    assert line.pop("process.pid") > 0
    assert line == {
        "severity_text": "WARNING",
        "body": "upload sent",
        "trace_id": "b" * 32,
        "span_id": span_id,
        "job_id": 5,
        "video_id": 6,
        "account_id": 7,
        "scope": "publishing.test",
        "part": 3,
        "ok": True,
        "ratio": 0.5,
        "cause": None,
    }


def test_it_forgets_what_was_bound() -> None:
    with span("work"), bound(job_id=5):
        pass

    line = as_json(record("later"))

    assert "job_id" not in line
    assert (line["trace_id"], line["span_id"]) == ("", "")


def test_it_lets_no_field_replace_the_record_s_own() -> None:
    line = as_json(record("event", timestamp="forged", body="forged"))

    assert line["body"] == "event"
    assert line["timestamp"] != "forged"


def test_it_keeps_the_trace_that_the_caller_names() -> None:
    assert as_json(record("http_request", trace_id="c" * 32))["trace_id"] == "c" * 32


def test_it_adds_the_traceback() -> None:
    made = record("job_errored", exc_info=raised("boom"))

    assert console(made).splitlines()[-1] == "ValueError: boom"
    assert as_json(made)["exception.type"] == "ValueError"
    assert as_json(made)["exception.stacktrace"].endswith("ValueError: boom")


def test_it_lets_no_value_forge_a_line_or_a_field() -> None:
    line = console(record("file_taken", file='x.mp4\n2026-01-01 INFO "ok" user=admin'))

    assert line.count("\n") == 0
    assert 'file="x.mp4\\n2026-01-01 INFO \\"ok\\" user=admin"' in line


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"Authorization: Bearer {TOKEN}", TOKEN),
        (f"token {TOKEN} refused", TOKEN),
        ("rft.Abc123!9.va was used twice", "rft.Abc123!9.va"),
        (f"PUT {UPLOAD_URL}", "Xza123-sec"),
        ('{"access_token": "plain-secret", "expires_in": 86400}', "plain-secret"),
        ("refresh_token=plain-secret&grant_type=refresh_token", "plain-secret"),
        ("client_secret: plain-secret", "plain-secret"),
        ("key sy_" + "aB3-_" * 8 + "xyz", "aB3-_"),
        ("otpauth://totp/SubiteYa:ana?secret=JBSWY3DPEHPK3PXP&issuer=SubiteYa", "JBSWY3DPEHPK3PXP"),
        ("Cookie: csrftoken=plain-secret; django_language=es; sessionid=other-secret", "-secret"),
        ("GET /accounts/callback/?code=plain-secret&state=1", "plain-secret"),
        ("GET /accounts/callback/?state=plain-secret", "plain-secret"),
        ("GET /connect/WzEsInBsYWluIl0:plain-secret_x/ 200", "plain-secret"),
        ("Cookie: __Host-sessionid=plain-secret; a=b", "plain-secret"),
        ("authorization: bearer plain-secret", "plain-secret"),
        ("Authorization: Basic cGxhaW4tc2VjcmV0", "cGxhaW4tc2VjcmV0"),
        ("EMAIL_HOST_PASSWORD=plain-secret", "plain-secret"),
        ("{'new_password1': 'plain-secret'}", "plain-secret"),
        ("FIELD_ENCRYPTION_KEYS=plain-secret", "plain-secret"),
        ("SUBITEYA_ALERT_WEBHOOK_SECRET: plain-secret", "plain-secret"),
        ("connection to postgres://subiteya:plain-secret@db:5432/x failed", "plain-secret"),
        ("row v1:3f0c92d1:" + Fernet(base64.urlsafe_b64encode(bytes(32))).encrypt_at_time(b"x", 0).decode(), "gAAAA"),
        ("stored " + Fernet(base64.urlsafe_b64encode(bytes(32))).encrypt_at_time(b"x", 0).decode(), "gAAAA"),
    ],
)
def test_it_redacts_secrets_in_messages_fields_and_tracebacks(text: str, secret: str) -> None:
    for made in (record("m %s", text), record("m", detail=text), record("m", exc_info=raised(text))):
        assert secret not in console(made)
        assert secret not in json.dumps(as_json(made))
        assert "[redacted]" in console(made)


def test_it_redacts_inside_nested_fields() -> None:
    line = as_json(record("m", answer={"access_token": "plain", "inner": [f"Bearer {TOKEN}", 3]}))

    assert line["answer"] == {"access_token": "[redacted]", "inner": ["Bearer [redacted]", 3]}


def test_it_leaves_ordinary_text_alone() -> None:
    text = "publish_id=v_pub_file~v2-1.123 log_id=2026 act 3 of 4, contract.pdf, code=spam_risk"
    text += " Act.objects.filter POST /accounts/connect/ 302 https://x.example:8000/a:b@c"

    assert redact(text) == text


@given(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=8))
def test_it_redacts_any_bearer_token(token: str) -> None:
    assert redact(f"Bearer {token}") == "Bearer [redacted]"


PROGRAM = """
import logging, logging.config
from subiteya.lib.logs import logging_config
import structlog
from subiteya.lib.tracing import bound, span
logging.config.dictConfig(logging_config("json", "INFO"))
with span("work", parent="d" * 32), bound(job_id=7):
    structlog.get_logger("publishing.native").info("native", upload_token="plain", text="Bearer planted")
    logging.getLogger("publishing.anything").info("event", extra={"pk": 1})
    logging.getLogger("publishing.anything").debug("detail")
    logging.getLogger("django.request").warning("not_found")
"""


def test_it_sends_each_line_once_to_stderr() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)

    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert done.stdout == ""
    assert [line["body"] for line in lines] == ["native", "event", "not_found"]
    assert {(line["trace_id"], line["job_id"]) for line in lines} == {("d" * 32, 7)}
    assert (lines[0]["upload_token"], lines[0]["text"]) == ("[redacted]", "Bearer [redacted]")
