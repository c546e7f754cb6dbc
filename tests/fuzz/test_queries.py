"""Whatever stands in an address, the lists open: a filter or a cursor that makes no sense is left out."""

from __future__ import annotations

import pytest
from django.http import QueryDict
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from publishing.forms import VideoFilterForm
from publishing.selectors.filters import videos_matching
from tests.factories import UserFactory
from tests.publishing.views.conftest import logged_in

pytestmark = pytest.mark.django_db
modest = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
NAMES = ["family", "status", "cause", "account", "batch", "on", "since", "until", "q", "before"]
TEXTS = st.text(st.characters(codec="utf-8"), max_size=40) | st.integers().map(str) | st.sampled_from(
    ["attention", "posted", "created", "today", "0001-01-01", "9999-12-31", "2026-02-30", "9" * 30, "%", "_", "\\"]
)  # fmt: skip


@pytest.fixture
def person():
    return UserFactory()


@modest
@given(asked=st.dictionaries(st.sampled_from(NAMES), TEXTS))
@example(asked={"since": "0001-01-01", "until": "9999-12-31", "before": "9" * 18, "q": "\x00"})
def test_it_filters_by_anything(person, asked):
    query = QueryDict(mutable=True)
    query.update(asked)
    list(videos_matching(person, VideoFilterForm.read(query))[:5])


@settings(modest, max_examples=15)
@given(asked=st.dictionaries(st.sampled_from([*NAMES, "page", "from", "all", "file", "accounts"]), TEXTS))
def test_it_opens_the_lists_with_anything(person, asked):
    client = logged_in(person)
    for address in ("/videos/", "/new/", "/creator-info/"):
        assert client.get(address, asked).status_code in {200, 404}, (address, asked)
