"""Webhooks: signed, in order, tried again, harmless."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

import pytest
import time_machine

from tests.processes import free_port, wait_for
from tests.tiktok.sandbox.app import App, video
from tests.tiktok.sandbox.receiver import Receiver


def hooked(serving: Any, receiver: Receiver, **settings: Any) -> App:
    app: App = serving(webhook_url=receiver.url, **settings)
    return app


def test_it_signs_what_it_sends(serving: Any, receiver: Receiver) -> None:
    app = hooked(serving, receiver)
    open_id = app.sandbox.add_account("luna")["open_id"]

    publish_id = app.publish(app.token())

    complete, public = receiver.events(2)
    headers, body = receiver.got[0]
    stamp, signed = (part.partition("=")[2] for part in headers["TikTok-Signature"].split(","))
    secret = app.sandbox.settings.client_secret.encode()
    assert signed == hmac.new(secret, f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    assert abs(int(stamp) - time.time()) < 10
    assert complete.keys() == {"client_key", "event", "create_time", "user_openid", "content"}
    assert (complete["client_key"], complete["user_openid"]) == (app.sandbox.settings.client_key, open_id)
    assert complete["event"] == "post.publish.complete"
    assert json.loads(complete["content"]) == {"publish_id": publish_id, "publish_type": "DIRECT_PUBLISH"}
    assert public["event"] == "post.publish.publicly_available"
    assert json.loads(public["content"])["post_id"] == app.entry(publish_id)["post_id"]


def test_it_tells_of_shares_failures_and_removals(serving: Any, receiver: Receiver) -> None:
    app = hooked(serving, receiver)
    token = app.account()
    app.share(token)
    receiver.events(1)
    app.publish(token, b"no video")
    receiver.events(2)
    hidden = app.publish(token, privacy_level="SELF_ONLY")
    receiver.events(3)
    app.api("POST", f"publishes/{hidden}/remove")

    events = receiver.events(4)

    assert [event["event"] for event in events] == [
        "post.publish.inbox_delivered",
        "post.publish.failed",
        "post.publish.complete",
        "post.publish.no_longer_publicaly_available",
    ]
    assert json.loads(events[0]["content"])["publish_type"] == "INBOX_SHARE"
    assert json.loads(events[1]["content"])["reason"] == "file_format_check_failed"


@pytest.mark.parametrize(("by_person", "reason"), [(True, 1), (False, 5)])
def test_it_tells_once_that_an_authorisation_went(
    serving: Any, receiver: Receiver, by_person: bool, reason: int
) -> None:
    app = hooked(serving, receiver)
    token = app.account()

    for _ in range(2):
        if by_person:
            app.sandbox.fault("revoke_account", username="luna")
        else:
            app.form("/v2/oauth/revoke/", token=token)

    event = receiver.events(1)[0]
    assert (event["event"], json.loads(event["content"])) == ("authorization.removed", {"reason": reason})
    assert len(app.sandbox.events()) == 1


def test_it_tells_of_a_public_post_when_moderation_ends(serving: Any, receiver: Receiver) -> None:
    app = hooked(serving, receiver, moderation_seconds=100)
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        app.publish(app.account())
        assert receiver.events(1)[0]["event"] == "post.publish.complete"
        clock.shift(101)
        assert receiver.events(2)[1]["create_time"] == 1_800_000_100


def test_it_tries_again_with_growing_pauses(serving: Any, receiver: Receiver) -> None:
    app = hooked(serving, receiver)
    receiver.refusals = 3
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        app.publish(app.account(), privacy_level="SELF_ONLY")
        for attempt, pause in enumerate((1, 5, 30), start=1):
            receiver.events(attempt)
            wait_for(lambda: app.sandbox.events()[0]["error"])
            clock.shift(pause - 0.5)
            time.sleep(0.25)
            assert len(receiver.got) == attempt
            clock.shift(0.5)
        receiver.events(4)
        wait_for(lambda: app.sandbox.events()[0]["delivered_at"])

    assert len({body for _, body in receiver.got}) == 1
    assert app.sandbox.events()[0]["error"] == ""


def test_it_gives_up_in_the_end(serving: Any, receiver: Receiver) -> None:
    app = hooked(serving, receiver)
    receiver.refusals = 100
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        app.publish(app.account(), privacy_level="SELF_ONLY")
        for attempt in range(1, 7):
            receiver.events(attempt)
            clock.shift(600)
        wait_for(lambda: app.sandbox.events()[0]["attempts"] == 6)
        clock.shift(86_400)
        time.sleep(0.3)

    event = app.sandbox.events()[0]
    assert (event["next_at"], event["delivered_at"], event["error"]) == (None, None, "HTTP 500")
    assert len(receiver.got) == 6


def test_it_works_on_when_nobody_takes_its_webhooks(serving: Any) -> None:
    app = serving(webhook_url=f"http://127.0.0.1:{free_port()}/")
    token = app.account()

    publish_id = app.publish(token)

    wait_for(lambda: all(event["error"] == "ConnectionError" for event in app.sandbox.events()))
    assert app.status(token, publish_id)["status"] == "PUBLISH_COMPLETE"


def test_it_sends_after_a_restart_what_it_had_not_sent(serving: Any, receiver: Receiver) -> None:
    app = hooked(serving, receiver)
    app.sandbox.stop()
    app.publish(app.account(), video(500), privacy_level="SELF_ONLY")
    app.sandbox.ledger()
    assert receiver.got == []

    hooked(serving, receiver)

    assert receiver.events(1)[0]["event"] == "post.publish.complete"


def test_it_sends_nothing_without_an_address(app: App) -> None:
    app.publish(app.account())

    assert app.entry(app.sandbox.ledger()[0]["publish_id"])["posted"]
    assert app.sandbox.events() == []
