"""Secrets of the embedded default: made on first use, kept in one file that only its owner can read."""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet


def local_secrets(path: Path) -> dict[str, str]:
    """Read the secrets in `path`, making them first if there is no such file.

    Several processes may start at once: the file appears whole (link of a finished file), and the first wins.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _create(path)
    values: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return values


def _create(path: Path) -> None:
    fresh = {
        "secret_key": secrets.token_urlsafe(50),
        "field_encryption_key": Fernet.generate_key().decode(),
        "sandbox_client_secret": secrets.token_urlsafe(32),
    }
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".secrets-")  # mkstemp makes it 0600
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(fresh, file)
    try:
        Path(path).hardlink_to(name)
    except FileExistsError:
        pass
    finally:
        Path(name).unlink()
