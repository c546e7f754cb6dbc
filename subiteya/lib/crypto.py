"""A text field encrypted at rest with a list of keys (MultiFernet: the first encrypts, all decrypt)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models


class DecryptionFailed(Exception):
    """No configured key opens a stored secret: a key was removed too early, or the text was altered."""


@lru_cache(maxsize=4)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def encrypt(plain: str) -> str:
    """Encrypt with the first of `FIELD_ENCRYPTION_KEYS`."""
    return _box(tuple(settings.FIELD_ENCRYPTION_KEYS)).encrypt(plain.encode()).decode()


def decrypt(stored: str) -> str:
    """Decrypt with any of the keys; raise DecryptionFailed without quoting the text."""
    try:
        return _box(tuple(settings.FIELD_ENCRYPTION_KEYS)).decrypt(stored.encode()).decode()
    except InvalidToken:
        raise DecryptionFailed("no key in FIELD_ENCRYPTION_KEYS opens this value") from None


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """Holds a secret: encrypted in the database, plain in Python, empty string kept as it is."""

    def get_prep_value(self, value: Any) -> Any:
        plain = super().get_prep_value(value)
        return encrypt(plain) if plain else plain

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return decrypt(value) if value else value
