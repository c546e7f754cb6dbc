"""TikTok's authorise page, as a person answers it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import requests

SITE = "http://127.0.0.1:8000"


def decide(address: str, username: str, action: str = "authorize", scope: str | None = None) -> str:
    """What the person does on TikTok's page; the path with which TikTok sends the browser back."""
    query = parse_qs(urlsplit(address).query)
    scopes = query["scope"][0].split(",") if scope is None else [scope]
    form = {"action": action, "username": username, "scope": scopes}
    answer = requests.post(address, data=form, allow_redirects=False, timeout=5)
    back = urlsplit(answer.headers["Location"])
    assert f"{back.scheme}://{back.netloc}{back.path}" == f"{SITE}/accounts/callback/"
    return f"{back.path}?{back.query}"
