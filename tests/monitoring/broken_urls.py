"""An address that fails with a token in its hands."""

from typing import NoReturn

from django.http import HttpRequest
from django.urls import path

from accounts.models import OAuthToken
from subiteya.urls import urlpatterns as ours


def broken(_request: HttpRequest) -> NoReturn:
    token = OAuthToken.objects.latest("pk")
    raise ValueError(f"Bearer {token.access_token} {token.refresh_token}")


urlpatterns = [*ours, path("broken/", broken)]
