"""The API as a whole: every view says who may ask, how often, and what it answers."""

from __future__ import annotations

import inspect

import pytest
from django.conf import settings
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.views import APIView

from monitoring.api.permissions import ReadsTheMonitor, ThirtyAMinute
from tests.publishing.views.test_scope import addresses, get_resolver

#: They show the description, and are not in it.
DESCRIBING = (SpectacularAPIView, SpectacularSwaggerView)


def api_views() -> dict[str, type[APIView]]:
    """The class behind every address that Django REST framework answers."""
    found = {}
    for name, route in addresses():
        path = "/" + route.replace("<int:pk>", "1").replace("<slug:name>", "x").replace("<str:token>", "x")
        view = getattr(get_resolver().resolve(path).func, "cls", None)
        if inspect.isclass(view) and issubclass(view, APIView):
            found[f"{name} /{route}"] = view
    return found


def test_it_asks_each_view_for_authentication_permission_and_a_throttle() -> None:
    views = api_views()

    assert len(views) >= 4
    for name, view in views.items():
        assert view.authentication_classes, name
        assert view.permission_classes, name
        assert view.throttle_classes, name
        assert all(issubclass(throttle, ThirtyAMinute) for throttle in view.throttle_classes), name
        allowed = {permission.__name__ for permission in view.permission_classes}
        assert not allowed & {"AllowAny", "IsAuthenticatedOrReadOnly"}, name


def test_it_describes_every_view_and_method(recwarn: pytest.WarningsRecorder) -> None:
    described = SchemaGenerator().get_schema(request=None, public=True)["paths"]

    for name, view in api_views().items():
        if issubclass(view, DESCRIBING):
            continue
        operations = described[name.split()[1]]
        methods = {method for method in ("get", "post", "put", "patch", "delete") if hasattr(view, method)}
        assert set(operations) == methods, name
        for operation in operations.values():
            assert operation["security"], name
            assert {"401", "429"} <= operation["responses"].keys(), name
    assert not recwarn.list


def test_it_denies_a_view_that_says_nothing() -> None:
    framework = settings.REST_FRAMEWORK

    assert framework["DEFAULT_PERMISSION_CLASSES"] == [f"{ReadsTheMonitor.__module__}.{ReadsTheMonitor.__name__}"]
    assert framework["DEFAULT_THROTTLE_CLASSES"] == [f"{ThirtyAMinute.__module__}.{ThirtyAMinute.__name__}"]
    assert framework["DEFAULT_AUTHENTICATION_CLASSES"]


@pytest.mark.django_db
def test_it_answers_nobody_without_a_key() -> None:
    for name, view in api_views().items():
        path = name.split()[1]
        method = "post" if hasattr(view, "post") else "get"
        assert getattr(Client(), method)(path).status_code in {401, 403}, name
