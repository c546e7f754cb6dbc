"""Signatures of webhooks, and contents of any shape."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest
from hypothesis import given
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
