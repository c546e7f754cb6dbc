"""The button that copies the link for an account's owner."""

from __future__ import annotations

from typing import Any

from django import template

from accounts.models import TikTokAccount
from accounts.services.invitations import invitation_link

register = template.Library()


@register.inclusion_tag("accounts/_invitation_button.html")
def copy_invitation(account: TikTokAccount, css: str = "button--small") -> dict[str, Any]:
    """*Copy the link for the client*: whoever owns the account reconnects it without a log-in here."""
    return {"link": invitation_link(account), "css": css}
