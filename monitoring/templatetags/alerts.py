"""`{% open_alerts %}`: the panel of what goes on now, for any page that extends the frame."""

from __future__ import annotations

from typing import Any

from django import template

from monitoring.selectors.alerts import alerts_open

register = template.Library()


@register.inclusion_tag("monitoring/_alerts.html", takes_context=True)
def open_alerts(context: template.Context) -> dict[str, Any]:
    request = context["request"]
    return {"rows": alerts_open(request.user), "request": request, "LANGUAGE_CODE": context.get("LANGUAGE_CODE")}
