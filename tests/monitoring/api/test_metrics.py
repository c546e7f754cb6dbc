"""`GET /api/monitor/metrics`: who may, how often, what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils.translation import gettext_lazy

from monitoring.api.renderers import QuickJSONRenderer
from monitoring.api.serializers import DocumentSerializer
from monitoring.models import ApiKey, KeyScope
from monitoring.selectors.document import metrics_document
from monitoring.services.keys import key_make, key_revoke
from publishing.states import VideoStatus
from tests.factories import AdminFactory, UserFactory
from tests.monitoring.conftest import verified, with_key

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]
URL = "/api/monitor/metrics"
minutes = count()
WANTED = [
    "schemaVersion", "generatedAt", "videoStatus", "jobsByStatus", "jobsByType", "dailyThroughput",
    "accountsWithFailures", "recentFailures", "topicLeaders", "processedLast24h", "failedLast24h",
    "averageProcessingSeconds", "processingSeconds", "publish_success_rate", "active_jobs", "runtime", "tokens",
]  # fmt: skip


def logged_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def bearing(token: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {token}"})


def test_it_opens_to_a_verified_administrator_and_to_a_key(administrator: Client) -> None:
    assert administrator.get(URL).status_code == 200
    assert with_key().get(URL).status_code == 200


@pytest.mark.parametrize(
    ("client", "status"),
    [
        (Client, 401),
        (lambda: logged_in(UserFactory()), 403),
        (lambda: verified(UserFactory()), 403),
        (lambda: logged_in(AdminFactory()), 403),
        (lambda: bearing("sy_wrong"), 401),
        (lambda: bearing("act.wrong"), 401),
        (lambda: with_key(KeyScope.METRICS), 401),
    ],
    ids=["stranger", "cm", "cm with mfa", "administrator without mfa", "wrong key", "no key of ours", "scrape key"],
)
def test_it_is_closed_to_the_others(client: Callable[[], Client], status: int) -> None:
    answer = client().get(URL)

    assert answer.status_code == status
    assert answer.json()["detail"]
    assert ("WWW-Authenticate" in answer) == (status == 401)


def test_it_refuses_a_revoked_key_at_once() -> None:
    key, text = key_make(name="Grafana", scope=KeyScope.MONITOR)
    assert bearing(text).get(URL).status_code == 200

    assert key_revoke(key=key)

    assert bearing(text).get(URL).status_code == 401
    assert not key_revoke(key=key)


def test_it_keeps_no_key_in_clear() -> None:
    key, text = key_make(name="Grafana", scope=KeyScope.MONITOR)

    assert text not in str(ApiKey.objects.filter(pk=key.pk).values().get())


def test_it_remembers_that_a_key_is_in_use() -> None:
    with_key().get(URL)

    assert ApiKey.objects.get().last_used_at is not None


def test_it_is_the_document_that_its_schema_describes(administrator: Client, ended: Any) -> None:
    ended(VideoStatus.POSTED, caption="#pan")
    ended(VideoStatus.FAILED_UPLOAD, reason_code="unavailable")

    body = administrator.get(URL).json()

    assert list(body) == WANTED
    DocumentSerializer(data=body).is_valid(raise_exception=True)
    assert set(DocumentSerializer().fields) == set(WANTED)
    assert body["processedLast24h"] == body["failedLast24h"] == 1
    assert body["publish_success_rate"]["overall"]["rate"] == 0.5
    assert body["tokens"][0]["expires_in"].keys() == {"access", "refresh"}


@pytest.mark.parametrize(("days", "length"), [(None, 7), (1, 1), (90, 90)])
def test_it_draws_as_many_days_as_asked(administrator: Client, days: int | None, length: int) -> None:
    answer = administrator.get(URL, {"days": days} if days else {})

    assert len(answer.json()["dailyThroughput"]) == length


@pytest.mark.parametrize("days", ["0", "91", "many", "-1", "1.5"])
def test_it_says_what_is_wrong_with_the_days(administrator: Client, days: str) -> None:
    answer = administrator.get(URL, {"days": days})

    assert answer.status_code == 400
    assert answer.json()["days"]


def test_it_answers_304_until_something_happens(administrator: Client, ended: Any) -> None:
    tag = administrator.get(URL)["ETag"]

    quiet = administrator.get(URL, headers={"If-None-Match": f'"other", W/{tag}'})
    ended(VideoStatus.POSTED)
    busy = administrator.get(URL, headers={"If-None-Match": tag})

    assert (quiet.status_code, quiet.content) == (304, b"")
    assert "max-age" in quiet["Cache-Control"]
    assert busy.status_code == 200
    assert busy["ETag"] != tag


def test_it_is_the_same_to_the_byte_when_nothing_happens(ended: Any) -> None:
    for status in (VideoStatus.POSTED, VideoStatus.FAILED_EDIT, VideoStatus.POSTED):
        ended(status, caption="#pan #sol")

    first, second = metrics_document(), metrics_document()

    assert first.etag == second.etag


@pytest.fixture(params=["redis", "without redis"])
def counting(request: pytest.FixtureRequest, settings: Any) -> Iterator[None]:
    """Both ways to count, in a minute that ends for neither."""
    if request.param == "redis":
        with time_machine.travel(datetime.now(UTC), tick=False):
            yield
        return
    gone = settings.CACHES["shared"] | {"LOCATION": "unix:///nowhere.sock"}
    settings.CACHES = settings.CACHES | {"shared": gone}
    with time_machine.travel(datetime(2031, 1, 1, 0, next(minutes), tzinfo=UTC), tick=False):
        yield


@pytest.mark.usefixtures("counting")
def test_it_tells_the_rate_and_refuses_the_31st() -> None:
    administrator = with_key()

    answers = [administrator.get(URL) for _turn in range(31)]

    assert [answer.status_code for answer in answers] == [200] * 30 + [429]
    assert answers[0]["RateLimit-Limit"] == "30"
    assert answers[29]["RateLimit-Remaining"] == "0"
    assert 0 < int(answers[30]["Retry-After"]) <= 60
    assert answers[30].json()["detail"]


def test_it_counts_each_principal_for_itself(administrator: Client) -> None:
    first, second = with_key(), with_key()
    with time_machine.travel(datetime.now(UTC), tick=False):  # a minute that does not end in the middle
        for _turn in range(31):
            first.get(URL)

        assert first.get(URL).status_code == 429
        assert second.get(URL).status_code == 200
        assert administrator.get(URL).status_code == 200


def test_it_does_not_count_who_may_not_ask() -> None:
    cm = logged_in(UserFactory())

    assert {cm.get(URL).status_code for _turn in range(35)} == {403}


def test_it_is_described_for_the_same_readers(administrator: Client) -> None:
    schema = administrator.get(reverse("monitoring:schema"), headers={"Accept": "application/json"})
    docs = administrator.get(reverse("monitoring:docs"), headers={"Accept": "text/html"})

    assert URL in schema.json()["paths"]
    assert docs.status_code == 200
    assert Client().get(reverse("monitoring:schema")).status_code == 401


@pytest.mark.django_db(transaction=True)
def test_it_asks_the_database_a_fixed_number_of_times(
    administrator: Client, ended: Any, django_assert_max_num_queries: Any
) -> None:
    for _turn in range(5):
        ended(VideoStatus.FAILED_UPLOAD)

    with django_assert_max_num_queries(26):
        administrator.get(URL)


def test_it_is_indented_for_whoever_asks_for_that() -> None:
    """The same document, by the other of the two that write it."""
    client, name = with_key(), "jobsByStatus"
    plain, indented = (client.get(URL, headers={"Accept": kind}) for kind in
                       ("application/json", "application/json; indent=2"))  # fmt: skip
    assert b"\n" not in plain.content and b"\n  " in indented.content
    assert list(plain.json()) == list(indented.json()) == WANTED
    assert plain.json()[name] == indented.json()[name]


def test_it_writes_what_is_translated_later_and_says_nothing_where_there_is_nothing() -> None:
    renderer = QuickJSONRenderer()
    assert renderer.render({VideoStatus.POSTED: gettext_lazy("Posted"), "none": None}) == (
        b'{"posted":"Posted","none":null}'
    )
    assert renderer.render(None) == b""
