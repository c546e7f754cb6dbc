"""TikTok's clients, built from the settings: the sandbox and the real TikTok differ only in addresses."""

from __future__ import annotations

from django.conf import settings

from subiteya.tiktok import OAuthClient, TikTokClient

USER_AGENT = "SubiteYa/0.1"


def oauth_client() -> OAuthClient:
    """A client for the token endpoint."""
    return OAuthClient(
        client_key=settings.TIKTOK_CLIENT_KEY,
        client_secret=settings.TIKTOK_CLIENT_SECRET,
        api_base=settings.TIKTOK_API_BASE,
    )


def client_with(access_token: str) -> TikTokClient:
    """A client that speaks for whoever `access_token` belongs to."""
    return TikTokClient(
        access_token=access_token,
        api_base=settings.TIKTOK_API_BASE,
        upload_hosts=settings.TIKTOK_UPLOAD_HOSTS,
        allow_http=settings.TIKTOK_SANDBOX,
        user_agent=USER_AGENT,
    )
