"""Typed, strict readers of the environment.

Every reader takes `NAME`, or the file whose path is in `NAME_FILE` (Docker and systemd secrets).
A missing or bad value raises `BadSetting` with one sentence that names the setting.
"""

from __future__ import annotations

import os
import zoneinfo
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

TRUE = frozenset({"1", "true", "yes", "on"})
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
FALSE = frozenset({"0", "false", "no", "off", ""})


class BadSetting(ImproperlyConfigured):
    """A setting is missing or cannot be read; the message is one sentence for the operator."""


def text(name: str, default: str | None = None) -> str:
    """The setting `name`, stripped; `default` when it is absent or empty; required when that is None."""
    value = _raw(name)
    if value:
        return value
    if default is None:
        raise BadSetting(f"{name} is required: set it, or {name}_FILE, in the environment.")
    return default


def flag(name: str, default: bool) -> bool:
    """A yes or no; anything but 1/0, true/false, yes/no, on/off is refused."""
    value = _raw(name).lower()
    if not value:
        return default
    if value in TRUE or value in FALSE:
        return value in TRUE
    raise BadSetting(f"{name} must be true or false, not {value!r}.")


def number(name: str, default: int, *, low: int = 0, high: int = 2**53) -> int:
    """A whole number between `low` and `high`, both included."""
    value = _raw(name)
    if not value:
        return default
    try:
        result = int(value)
    except ValueError:
        raise BadSetting(f"{name} must be a whole number, not {value!r}.") from None
    if not low <= result <= high:
        raise BadSetting(f"{name} must be between {low} and {high}, not {result}.")
    return result


def share(name: str, default: float) -> float:
    """A number above 0 and at most 1."""
    value = _raw(name)
    if not value:
        return default
    try:
        result = float(value)
    except ValueError:
        raise BadSetting(f"{name} must be a number, not {value!r}.") from None
    if not 0 < result <= 1:
        raise BadSetting(f"{name} must be above 0 and at most 1, not {value}.")
    return result


def names(name: str, default: str = "") -> list[str]:
    """A comma-separated list without empty items."""
    return [item.strip() for item in text(name, default).split(",") if item.strip()]


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    """One of `allowed`."""
    value = text(name, default)
    if value not in allowed:
        raise BadSetting(f"{name} must be one of {', '.join(allowed)}, not {value!r}.")
    return value


def folder(name: str, default: Path) -> Path:
    """An absolute folder path; the folder itself is made where it is used."""
    return Path(text(name, str(default))).expanduser().resolve()


def url(name: str, default: str | None = None, *, schemes: tuple[str, ...] = ("http", "https")) -> str:
    """An address with one of `schemes`, without a closing slash; a refusal does not quote it (passwords)."""
    value = text(name, default).rstrip("/")
    try:
        parts = urlsplit(value)
        port_is_number = parts.port is None or parts.port >= 0
    except ValueError:
        port_is_number = False
    if not port_is_number or parts.scheme not in schemes or not (parts.netloc or parts.path):
        starts = " or ".join(f"{scheme}://" for scheme in schemes)
        raise BadSetting(f"{name} must be an address that starts with {starts}.")
    return value


def safe_url(name: str, default: str | None = None) -> str:
    """An address that others cannot listen on: https, or http on this machine."""
    value = url(name, default)
    parts = urlsplit(value)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise BadSetting(f"{name} must start with https://; http:// is for this machine only.")
    return value


def zone(name: str, default: str) -> str:
    """An IANA time zone."""
    value = text(name, default)
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise BadSetting(f"{name} must be a time zone such as {default}, not {value!r}.") from None
    return value


def fernet_keys(name: str, default: str | None = None) -> list[str]:
    """A comma-separated list of at least one Fernet key; a refusal does not quote them."""
    keys = [key.strip() for key in text(name, default).split(",") if key.strip()]
    try:
        for key in keys:
            Fernet(key)
    except ValueError:
        keys = []
    if not keys:
        raise BadSetting(
            f"{name} must hold Fernet keys: make one with "
            '`python -c "from cryptography.fernet import Fernet as F; print(F.generate_key().decode())"`.'
        )
    return keys


def networks(name: str, default: str = "") -> list[str]:
    """Addresses and networks (10.0.0.0/8) separated by commas; `unix` stands for a unix socket."""
    found = names(name, default)
    for item in found:
        try:
            if item != "unix":
                ip_network(item, strict=False)
        except ValueError:
            raise BadSetting(f"{name} must hold addresses or networks such as 10.0.0.0/8, not {item!r}.") from None
    return found


def is_address(host: str) -> bool:
    """Whether the host of an address is a number instead of a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _raw(name: str) -> str:
    path = os.environ.get(f"{name}_FILE")
    if not path:
        return os.environ.get(name, "").strip()
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise BadSetting(f"{name}_FILE cannot be read: {why} ({path}).") from None
