"""What an account has allowed the app: codes, access tokens, refresh tokens. Only their hashes are kept."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Any

from subiteya.tiktok.sandbox import hooks, ids
from subiteya.tiktok.sandbox.accounts import Account, account_of
from subiteya.tiktok.sandbox.errors import OAuthRefused
from subiteya.tiktok.sandbox.store import Row
from subiteya.tiktok.sandbox.world import World

SCOPES = (
    "user.info.basic",
    "user.info.profile",
    "user.info.stats",
    "video.publish",
    "video.upload",
    "video.list",
)
#: Why an authorisation went (`webhooks-events`, authorization.removed).
BY_PERSON, ACCOUNT_BANNED, BY_DEVELOPER = 1, 4, 5
_CHALLENGES = {"hex": re.compile(r"[0-9a-f]{64}"), "base64url": re.compile(r"[A-Za-z0-9_-]{43}")}
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


@dataclass(frozen=True)
class Caller:
    """Who an access token speaks for."""

    account: Account
    scopes: frozenset[str]
    token_hash: str


def challenge_kind(world: World, challenge: str) -> str:
    """The writing of a PKCE challenge, `hex` or `base64url`; empty when this sandbox does not take it."""
    wanted = world.settings.pkce
    kinds = _CHALLENGES if wanted == "any" else {wanted: _CHALLENGES[wanted]}
    return next((kind for kind, shape in kinds.items() if shape.fullmatch(challenge)), "")


def issue_code(world: World, *, username: str, scopes: list[str], redirect_uri: str, challenge: str) -> str:
    """A code that buys tokens once, within `code_seconds`."""
    code = ids.new_code()
    row = {
        "hash": ids.hashed(code),
        "username": username,
        "scopes": ",".join(scopes),
        "redirect_uri": redirect_uri,
        "challenge": challenge,
        "expires_at": world.now() + world.settings.code_seconds,
    }
    world.store.insert("codes", row)
    return code


def exchange_code(world: World, *, code: str, redirect_uri: str, verifier: str) -> dict[str, Any]:
    """The token answer for `code`. Whatever comes of it, the code is spent. Raises OAuthRefused."""
    row = world.store.one("SELECT * FROM codes WHERE hash = ?", ids.hashed(code))
    spent = world.store.run("UPDATE codes SET used = 1 WHERE hash = ? AND used = 0", ids.hashed(code))
    if not row or not spent or row["expires_at"] <= world.now():
        raise OAuthRefused("invalid_grant", "Authorization code is unknown, used or expired.")
    if row["redirect_uri"] != redirect_uri:
        raise OAuthRefused("invalid_grant", "redirect_uri differs from the one the code was asked with.")
    if row["challenge"] and not _verifies(world, row["challenge"], verifier):
        raise OAuthRefused("invalid_request", "Code verifier or code challenge is invalid.")
    return mint(world, row["username"], row["scopes"].split(","))


def mint(
    world: World,
    username: str,
    scopes: list[str],
    *,
    expires_in: int | None = None,
    refresh_expires_in: int | None = None,
) -> dict[str, Any]:
    """A new grant with its first pair of tokens, as the token endpoint answers it. Lives in seconds."""
    account = account_of(world, username)
    if account is None:
        raise OAuthRefused("invalid_grant", "The account no longer exists.")
    row = {"username": username, "scopes": ",".join(scopes), "created": world.now()}
    settings = world.settings
    access_life = settings.access_token_seconds if expires_in is None else expires_in
    refresh_life = settings.refresh_token_seconds if refresh_expires_in is None else refresh_expires_in
    with world.store.tx():
        grant_id = world.store.insert("grants", row)
        access = _issue(world, "access", grant_id, access_life)
        refresh = _issue(world, "refresh", grant_id, refresh_life)
    return {
        "open_id": account.open_id,
        "scope": ",".join(scopes),
        "access_token": access,
        "expires_in": access_life,
        "refresh_token": refresh,
        "refresh_expires_in": refresh_life,
        "token_type": "Bearer",
    }


def refresh(world: World, refresh_token: str) -> dict[str, Any]:
    """A new access token; with rotation also a new refresh token, and then the old one is dead. Raises OAuthRefused.

    Of two refreshes at once one wins and the other gets `invalid_grant`.
    """
    settings = world.settings
    with world.store.tx():
        old = _live(world, "refresh", refresh_token)
        account = account_of(world, old["username"]) if old else None
        if old is None or account is None:
            raise OAuthRefused("invalid_grant", "Refresh token is invalid, expired or was already used.")
        new, life = refresh_token, int(old["expires_at"] - world.now())
        if settings.refresh == "rotate":
            world.store.run("UPDATE tokens SET dead = 1 WHERE hash = ?", old["hash"])
            life = settings.refresh_token_seconds
            new = _issue(world, "refresh", old["grant_id"], life)
        access = _issue(world, "access", old["grant_id"], settings.access_token_seconds)
    return {
        "open_id": account.open_id,
        "scope": old["scopes"],
        "access_token": access,
        "expires_in": settings.access_token_seconds,
        "refresh_token": "" if settings.refresh == "empty" else new,
        "refresh_expires_in": life,
        "token_type": "Bearer",
    }


def revoke_token(world: World, token: str) -> None:
    """End the authorisation that `token` (of either kind) belongs to. Raises OAuthRefused."""
    row = _live(world, "access", token) or _live(world, "refresh", token)
    if row is None:
        raise OAuthRefused("invalid_request", "The token is not valid.")
    remove_authorization(world, row["username"], reason=BY_DEVELOPER)


def caller_of(world: World, access_token: str) -> Caller | None:
    """Who calls, or None when the token is unknown, expired or revoked."""
    row = _live(world, "access", access_token)
    account = account_of(world, row["username"]) if row else None
    if row is None or account is None:
        return None
    return Caller(account, frozenset(row["scopes"].split(",")), row["hash"])


def owner_of(world: World, secret: str) -> str:
    """The username behind a code or token, dead or alive; empty when unknown. For faults and the call list only."""
    row = world.store.one(
        "SELECT username FROM tokens JOIN grants ON grants.id = grant_id WHERE hash = ?"
        " UNION SELECT username FROM codes WHERE hash = ?",
        ids.hashed(secret),
        ids.hashed(secret),
    )
    return row["username"] if row else ""


def remove_authorization(world: World, username: str, *, reason: int) -> int:
    """Revoke all grants of `username`: tokens die, unfinished posts fail with auth_removed, the webhook goes out."""
    with world.store.tx():
        revoked = world.store.run("UPDATE grants SET revoked = 1 WHERE username = ? AND NOT revoked", username)
        world.store.run(
            "UPDATE publishes SET status = 'FAILED', fail_reason = 'auth_removed', settled_at = ?"
            " WHERE username = ? AND status = 'PROCESSING_UPLOAD'",
            world.now(),
            username,
        )
        if revoked:
            hooks.enqueue(world, username, "authorization.removed", {"reason": reason})
    return revoked


def expire_access(world: World, username: str) -> int:
    """Every access token of `username` is expired from now on; refresh tokens live."""
    return world.store.run(
        "UPDATE tokens SET expires_at = ? WHERE kind = 'access' AND expires_at > ?"
        " AND grant_id IN (SELECT id FROM grants WHERE username = ?)",
        world.now(),
        world.now(),
        username,
    )


def _live(world: World, kind: str, token: str) -> Row | None:
    return world.store.one(
        "SELECT tokens.*, grants.username, grants.scopes FROM tokens JOIN grants ON grants.id = grant_id"
        " WHERE hash = ? AND kind = ? AND NOT dead AND NOT revoked AND expires_at > ?",
        ids.hashed(token),
        kind,
        world.now(),
    )


def _issue(world: World, kind: str, grant_id: int, life: int) -> str:
    token = ids.new_token("act" if kind == "access" else "rft")
    row = {"hash": ids.hashed(token), "kind": kind, "grant_id": grant_id, "expires_at": world.now() + life}
    world.store.insert("tokens", row)
    return token


def _verifies(world: World, challenge: str, verifier: str) -> bool:
    if not _VERIFIER.fullmatch(verifier):
        return False
    digest = hashlib.sha256(verifier.encode())
    if challenge_kind(world, challenge) == "hex":
        return hmac.compare_digest(digest.hexdigest(), challenge)
    written = base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
    return hmac.compare_digest(written, challenge)
