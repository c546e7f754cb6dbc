"""One setting makes our own clocks faster."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from publishing.pace import paced


def test_it_is_our_usual_pace_by_default() -> None:
    assert paced(timedelta(seconds=90)) == timedelta(seconds=90)


@pytest.mark.parametrize(("span", "scaled"), [(20.0, 2.0), (timedelta(minutes=5), timedelta(seconds=30))])
def test_it_makes_every_span_shorter(settings: Any, span: Any, scaled: Any) -> None:
    settings.TIME_SCALE = 0.1

    assert paced(span) == scaled
