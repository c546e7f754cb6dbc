"""Who asks: a program with a key. People come with their session."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from monitoring.models import ApiKey, KeyScope
from monitoring.services.keys import bearer, key_find, key_used


class KeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer sy_…`. A key that is wrong, revoked or for something else is 401, never somebody else."""

    scopes: tuple[KeyScope, ...] = (KeyScope.MONITOR,)

    def authenticate(self, request: Request) -> tuple[AnonymousUser, ApiKey] | None:
        token = bearer(request.headers.get("Authorization", ""))
        if not token:
            return None
        key = key_find(token, *self.scopes)
        if key is None:
            raise AuthenticationFailed("This key is unknown, revoked, or not for this.")
        key_used(key)
        return AnonymousUser(), key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="monitor"'


class AlertKeyAuthentication(KeyAuthentication):
    """Keys that deliver Alertmanager's alerts."""

    scopes = (KeyScope.ALERTS,)
