"""An administrator's browser, and its actions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from tests.factories import AdminFactory


@pytest.fixture
def administrator(db: None, client: Client) -> Client:
    client.force_login(AdminFactory(username="carla", language="en"))
    return client


def list_url(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


@pytest.fixture
def act(administrator: Client) -> Callable[..., Any]:
    """Choose rows in a list and start an action; `confirmed="yes"` is the page that asks first."""

    def act(action: str, *rows: Model, **answers: str) -> Any:
        data = {"action": action, "_selected_action": [str(row.pk) for row in rows], **answers}
        return administrator.post(list_url(type(rows[0])), data, follow=True)

    return act


def told(answer: Any) -> list[str]:
    """The messages on the page."""
    return [str(message) for message in answer.context["messages"]]
