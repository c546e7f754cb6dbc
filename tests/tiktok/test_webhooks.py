"""Signatures of webhooks, and contents of any shape."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subiteya.tiktok import WebhookInvalid, parse_webhook, verify_webhook

SECRET, NOW = "secret", 1_700_000_000
BODY = json.dumps(
    {"event": "post.publish.complete", "create_time": NOW, "user_openid": "o", "content": '{"publish_id":"p"}'}
).encode()


def sign(body=BODY, at=NOW, secret=SECRET):
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},s={digest}"


def test_it_accepts_what_tiktok_signed_with_any_of_our_secrets():
    verify_webhook(sign(), BODY, secrets=["new", SECRET], now=NOW + 299)


@pytest.mark.parametrize(
    ("header", "body", "now", "code"),
    [
        ("", BODY, NOW, "no_signature"),
        ("t=1", BODY, NOW, "no_signature"),
        ("t=abc,s=00", BODY, NOW, "no_signature"),
        (f"t={NOW},t={NOW},s=00", BODY, NOW, "no_signature"),
        (f"t={NOW},s=ñ", BODY, NOW, "forged"),
        (f"t={NOW},s=\ud83d", BODY, NOW, "forged"),
        (f"t={'9' * 5000},s=00", BODY, NOW, "no_signature"),
        ("t=²,s=00", BODY, NOW, "no_signature"),
        (sign(), BODY + b" ", NOW, "forged"),
        (sign(secret="other"), BODY, NOW, "forged"),
        (sign(), BODY, NOW + 301, "stale"),
        (sign(), BODY, NOW - 301, "stale"),
    ],
)
def test_it_refuses_anything_else(header, body, now, code):
    with pytest.raises(WebhookInvalid, match=code):
        verify_webhook(header, body, secrets=[SECRET], now=now)


def test_it_refuses_everything_without_a_secret():
    with pytest.raises(WebhookInvalid):
        verify_webhook(sign(secret=""), BODY, secrets=[""], now=NOW)


def test_it_unpacks_the_json_inside_the_string():
    event = parse_webhook(BODY)
    assert (event.event, event.publish_id, event.user_openid) == ("post.publish.complete", "p", "o")


def test_it_takes_a_tolerance():
    verify_webhook(sign(), BODY, secrets=[SECRET], now=NOW + 900, tolerance=900)
    with pytest.raises(WebhookInvalid, match="stale"):
        verify_webhook(sign(), BODY, secrets=[SECRET], now=NOW + 11, tolerance=10)


def webhook(content=None, **fields) -> bytes:
    data = {"event": "e", "content": json.dumps(content) if content is not None else None} | fields
    return json.dumps(data).encode()


def test_it_reads_every_field_and_tells_reason_zero_from_none():
    event = parse_webhook(webhook({"publish_id": "p", "post_id": 7, "reason": 0}, create_time="5", user_openid="o"))
    assert (event.publish_id, event.post_id, event.reason, event.create_time) == ("p", "7", "0", 5)
    assert parse_webhook(webhook({"publish_id": "p"})).reason == ""


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"[" * 50_000, webhook([]), webhook(5), webhook(event=""), webhook(event=None)]
)
def test_it_refuses_what_is_no_event(body):
    with pytest.raises(WebhookInvalid, match="unreadable"):
        parse_webhook(body)


@settings(max_examples=60)
@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(lambda v: json.dumps(v).encode())
)
def test_it_answers_any_body_with_an_event_or_a_refusal(body):
    try:
        event = parse_webhook(body)
    except WebhookInvalid as invalid:
        assert invalid.code == "unreadable"
    else:
        assert event.event
