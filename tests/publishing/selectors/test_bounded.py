"""A bounded part of the videos answers for its rows and no others; the way along the list ends where its days do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import Count

from publishing.models import Video
from publishing.selectors.bounded import counts_up_to, part, pks_up_to
from publishing.selectors.looks import Looker
from publishing.selectors.places import Key, Walk
from tests.factories import UserFactory, VideoFactory

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
def days():
    """One video at noon of each of six days, the newest first."""
    videos = [VideoFactory(caption=f"día {number}") for number in range(6)]
    for number, video in enumerate(videos):
        Video.objects.filter(pk=video.pk).update(created_at=NOON - timedelta(days=number))
    return [video.pk for video in videos]


def walk(**bounds):
    return Walk(legs=[Video.objects.all()], covers=frozenset({"since", "until"}), by="created_at", **bounds)


def test_it_reads_its_slices_only():
    old, middle, new = (VideoFactory(caption="igual").pk for _ in range(3))
    newest = part([Video.objects.order_by("-pk")[:2]], words=True)
    assert set(newest.filter(caption__icontains="IGUAL").values_list("pk", flat=True)) == {middle, new}
    assert dict(newest.order_by().values_list("status").annotate(n=Count("pk"))) == {"pending": 2}
    assert not newest.filter(pk=old).exists()


def test_it_puts_several_slices_together_and_joins_what_belongs_to_them():
    first, second, _third = VideoFactory(), VideoFactory(), VideoFactory()
    both = part([Video.objects.filter(pk=video.pk)[:5] for video in (first, second)])
    assert list(both.order_by("-pk").values_list("pk", flat=True)) == [second.pk, first.pk]
    assert list(both.filter(batch__source=first.batch.source_id).values_list("pk", flat=True)) == [first.pk]


def test_it_has_no_rows_of_slices_that_cannot_have_any():
    VideoFactory()
    nothing = Video.objects.filter(status__in=[])[:5]
    assert not part([nothing]).exists()
    assert not part([]).exists()
    assert part([nothing, Video.objects.all()[:5]]).count() == 1


def test_it_tells_the_numbers_of_few_and_nothing_of_many():
    pks = {VideoFactory().pk for _ in range(3)}
    assert set(pks_up_to(3, Video.objects.all())) == pks
    assert pks_up_to(2, Video.objects.all()) is None
    assert pks_up_to(2, Video.objects.filter(status="posted")) == []
    assert pks_up_to(2, Video.objects.filter(status__in=[])) == []


def test_it_counts_each_status_up_to_a_bound():
    for _ in range(3):
        VideoFactory()
    videos = Video.objects.all()
    assert counts_up_to(2, videos, ["posted", "pending"]) == {"posted": 0, "pending": 3}
    assert counts_up_to(5, videos, ["pending"]) == {"pending": 3}
    assert counts_up_to(1, videos, ["pending"]) == {"pending": 2}
    assert counts_up_to(5, videos, []) == {}


def test_it_goes_from_a_place_to_an_edge(days):
    way = walk(since=NOON - timedelta(days=4), end=NOON)
    edge = way.edge(None, 2)
    assert edge == Key(NOON - timedelta(days=2), days[2])
    assert list(way.between(None, edge)[0].values_list("pk", flat=True)) == days[1:3]
    assert list(way.between(edge, None)[0].values_list("pk", flat=True)) == days[3:5]
    assert way.edge(edge, 3) is None


@pytest.mark.parametrize("at", [None, NOON + timedelta(days=9), NOON])
def test_it_does_not_leave_its_days_for_a_place_outside_of_them(days, at):
    way = walk(since=NOON - timedelta(days=4), end=NOON)
    assert list(way.next(Key(at, 10**9), 9)[0].values_list("pk", flat=True)) == days[1:5]


def test_it_names_one_bound_on_each_side(days):
    """Of two SQLite may take the one that is further away, and read a year for a page."""
    way = walk(since=NOON - timedelta(days=400), end=NOON + timedelta(days=1))
    [leg] = way.between(Key(NOON, days[0]), Key(NOON - timedelta(days=2), days[2]))
    assert list(leg.values_list("pk", flat=True)) == days[1:3]
    values = leg.query.sql_with_params()[1]
    assert not {way.since, way.end} & set(values)


def test_a_person_without_accounts_sees_nothing():
    VideoFactory(caption="ajeno")
    look = Looker(user=UserFactory(username="nobody"))
    for asked in ({}, {"q": "ajeno"}, {"since": "week_ago"}):
        assert look.page(asked, size=9).pks == []
        assert look.tally(asked).of() == (0, False)
