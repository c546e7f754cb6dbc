"""Whose address a request has: what strangers write into headers is believed from nobody but our proxies."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory

from subiteya.lib import env
from subiteya.lib.addresses import client_address, neighbourhood

PROXIES = ["127.0.0.1", "10.0.0.0/8", "fd00::/8"]


def address(peer: str, forwarded: str | None = None) -> str:
    request = RequestFactory().get("/", REMOTE_ADDR=peer)
    if forwarded is not None:
        request.META["HTTP_X_FORWARDED_FOR"] = forwarded
    return client_address(request)


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "expected"),
    [
        ([], "203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ([], "127.0.0.1", "198.51.100.1", "127.0.0.1"),
        (PROXIES, "203.0.113.9", "198.51.100.1", "203.0.113.9"),
        (PROXIES, "127.0.0.1", "198.51.100.1", "198.51.100.1"),
        (PROXIES, "127.0.0.1", "1.2.3.4, 198.51.100.1, 10.1.1.1", "198.51.100.1"),
        (PROXIES, "127.0.0.1", "10.2.2.2, 10.1.1.1", "10.2.2.2"),
        (PROXIES, "127.0.0.1", "198.51.100.1, rubbish", "127.0.0.1"),
        (PROXIES, "127.0.0.1", "", "127.0.0.1"),
        (PROXIES, "127.0.0.1", None, "127.0.0.1"),
        (PROXIES, "127.0.0.1", "198.51.100.1:4711", "198.51.100.1"),
        (PROXIES, "fd00::1", "[2001:db8::7]:4711", "2001:db8::7"),
        (PROXIES, "fd00::1", "2001:db8::7", "2001:db8::7"),
        (PROXIES, "::ffff:127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ([*PROXIES, "unix"], "", "198.51.100.1", "198.51.100.1"),
        (PROXIES, "", "198.51.100.1", ""),
    ],
)
def test_it_believes_only_our_proxies(
    settings: Any, proxies: list[str], peer: str, forwarded: str | None, expected: str
) -> None:
    settings.TRUSTED_PROXIES = proxies

    assert address(peer, forwarded) == expected


def test_it_takes_a_customer_s_whole_ipv6_network_for_one_place() -> None:
    assert neighbourhood("2001:db8:1:2:3::4") == "2001:db8:1:2::/64"
    assert neighbourhood("198.51.100.1") == "198.51.100.1"
    assert neighbourhood("") == ""


def test_it_refuses_a_list_that_it_cannot_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBITEYA_TRUSTED_PROXIES", "10.0.0.0/8, proxy.example")

    with pytest.raises(env.BadSetting, match="SUBITEYA_TRUSTED_PROXIES must hold addresses"):
        env.networks("SUBITEYA_TRUSTED_PROXIES")
