"""Faults that wait for their call, are counted down, and go."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from subiteya.tiktok.sandbox import grants
from subiteya.tiktok.sandbox.accounts import account_of, all_accounts
from subiteya.tiktok.sandbox.fault_kinds import ANY, KINDS, NOW, POST, POSTING
from subiteya.tiktok.sandbox.store import Row
from subiteya.tiktok.sandbox.world import World

MAX_SECONDS = 3600


@dataclass(frozen=True)
class Fault:
    """One scripted fault. Empty `username`: any account; `part` None: any part; `remaining` None: until removed."""

    id: int
    kind: str
    endpoint: str
    username: str
    part: int | None
    remaining: int | None
    #: Matching calls that are still let through first.
    skip: int
    params: dict[str, Any]


def add_fault(
    world: World,
    kind: str,
    *,
    endpoint: str = "",
    username: str = "",
    part: int | None = None,
    times: int | None = 1,
    skip: int = 0,
    **params: Any,
) -> Fault:
    """Script a fault; one for the endpoint `now` strikes at once and keeps the id 0. Raises ValueError."""
    shape = KINDS.get(kind)
    if shape is None:
        raise ValueError(f"kind: one of {', '.join(KINDS)}")
    endpoint = endpoint or shape.endpoints[0]
    if endpoint not in shape.endpoints:
        raise ValueError(f"endpoint: {kind} takes {', '.join(shape.endpoints)}")
    if username and account_of(world, username) is None:
        raise ValueError(f"username: there is no account {username!r}")
    _check_count("times", times, low=1)
    _check_count("part", part, low=0)
    _check_count("skip", skip, low=0)
    fault = Fault(0, kind, endpoint, username, part, times, skip, _params(shape.params, params))
    if endpoint == NOW:
        _strike_now(world, fault)
        return fault
    return _stored(world, fault)


def all_faults(world: World) -> list[Fault]:
    """Faults that still wait, oldest first."""
    return [_fault(row) for row in world.store.all("SELECT * FROM faults ORDER BY id")]


def remove_fault(world: World, fault_id: int) -> bool:
    """Take a fault back; False when it is already gone."""
    return world.store.run("DELETE FROM faults WHERE id = ?", fault_id) == 1


def remove_faults(world: World) -> int:
    """Take all faults back; how many there were."""
    return world.store.run("DELETE FROM faults")


def take_fault(world: World, endpoint: str, username: str, part: int | None = None) -> Fault | None:
    """The oldest fault that waits for this call, counted down by one."""
    group = "posting" if endpoint in POSTING else endpoint
    every = ANY if endpoint != POST else POST
    with world.store.tx():
        rows = world.store.all(
            "SELECT * FROM faults WHERE endpoint IN (?, ?, ?) AND username IN ('', ?)"
            " AND (part IS NULL OR part = ?) ORDER BY id",
            endpoint,
            group,
            every,
            username,
            part,
        )
        for row in rows:
            if row["skip"]:
                world.store.run("UPDATE faults SET skip = skip - 1 WHERE id = ?", row["id"])
                continue
            _count_down(world, row)
            return _fault(row)
    return None


def strike_account(world: World, fault: Fault, username: str) -> None:
    """Do what `expire_token` and `revoke_account` do, to one account."""
    if fault.kind == "expire_token":
        grants.expire_access(world, username)
    elif fault.kind == "revoke_account":
        grants.remove_authorization(world, username, reason=fault.params["reason"])


def _strike_now(world: World, fault: Fault) -> None:
    names = [fault.username] if fault.username else [account.username for account in all_accounts(world)]
    for name in names:
        strike_account(world, fault, name)


def _count_down(world: World, row: Row) -> None:
    if row["remaining"] == 1:
        world.store.run("DELETE FROM faults WHERE id = ?", row["id"])
    else:
        world.store.run("UPDATE faults SET remaining = remaining - 1 WHERE id = ?", row["id"])  # NULL stays NULL


def _stored(world: World, fault: Fault) -> Fault:
    row = {
        "kind": fault.kind,
        "endpoint": fault.endpoint,
        "username": fault.username,
        "part": fault.part,
        "remaining": fault.remaining,
        "skip": fault.skip,
        "params": json.dumps(fault.params),
        "created": world.now(),
    }
    return replace(fault, id=world.store.insert("faults", row))


def _params(defaults: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    unknown = sorted(given.keys() - defaults.keys())
    if unknown:
        raise ValueError(f"{unknown[0]}: not a parameter of this fault")
    for name, value in given.items():
        _check_param(name, defaults[name], value)
    return defaults | given


def _check_param(name: str, default: Any, value: Any) -> None:
    if isinstance(default, str):
        fits = isinstance(value, str) and 0 < len(value) <= 100
    else:
        fits = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
    if name == "seconds":
        fits = fits and value <= MAX_SECONDS
    if name == "http_status":
        fits = fits and type(value) is int and 200 <= value <= 599
    if name == "bytes_per_second":
        fits = fits and value >= 1
    if not fits:
        raise ValueError(f"{name}: {value!r} does not fit")


def _check_count(name: str, value: int | None, *, low: int) -> None:
    if value is None and name != "skip":
        return
    if type(value) is not int or value < low:
        raise ValueError(f"{name}: a whole number from {low} on")


def _fault(row: Row) -> Fault:
    names = ("id", "kind", "endpoint", "username", "part", "remaining", "skip")
    return Fault(**{name: row[name] for name in names}, params=json.loads(row["params"]))
