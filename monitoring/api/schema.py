"""How the API's description names our keys."""

from __future__ import annotations

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # it registers itself
    """A bearer token that reads the monitor, minted in the admin."""

    target_class = "monitoring.api.authentication.KeyAuthentication"
    name = "ApiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A key of the admin's *API keys*."}


class AlertKeyScheme(KeyScheme):  # type: ignore[no-untyped-call]
    """A bearer token that delivers alerts, and opens nothing else."""

    target_class = "monitoring.api.authentication.AlertKeyAuthentication"
    name = "AlertKey"
