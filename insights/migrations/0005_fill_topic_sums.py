"""Sums of what was published before they were there: in pieces, each a transaction of its own, and again where it broke.

A row of a day is locked as long as its week is summed. Code that knows nothing of sums writes on meanwhile: what it
adds is behind, and the scheduler sums it.
"""

from datetime import date, timedelta

from django.db import migrations, transaction
from django.db.models import F, Max, Min, Sum

NUMBERS = ("videos", "counted", "hits")
SUMMED = {f"{name}_sum": Sum(f"summed_{name}") for name in NUMBERS}
WEEK, ACCOUNTS = timedelta(days=7), 100


def fill(apps, schema_editor):
    days = apps.get_model("insights", "TopicDay").objects
    ends = days.aggregate(first=Min("day"), last=Max("day"))
    day = ends["first"]
    while day and day <= ends["last"]:
        _week(apps, days.filter(day__gte=day, day__lt=day + WEEK), day)
        day += WEEK
    accounts = sorted(days.order_by().values_list("account", flat=True).distinct())
    for start in range(0, len(accounts), ACCOUNTS):
        _accounts(apps, accounts[start : start + ACCOUNTS])
    _standings(apps)


@transaction.atomic
def _week(apps, days, first):
    sums = apps.get_model("insights", "TopicSectorDay")
    list(days.order_by("topic", "pk").select_for_update().values_list("pk", flat=True))  # as whoever publishes does
    days.filter(is_behind=True).update(**{f"summed_{name}": F(name) for name in NUMBERS})
    sums.objects.filter(day__gte=first, day__lt=first + WEEK).delete()
    rows = days.filter(summed_videos__gt=0).order_by().values("sector_id", "topic_id", "day").annotate(**SUMMED)
    sums.objects.bulk_create([sums(**_own(row)) for row in rows], batch_size=500)


@transaction.atomic
def _accounts(apps, accounts):
    days = apps.get_model("insights", "TopicDay").objects.filter(account__in=accounts, summed_videos__gt=0).order_by()
    sums = apps.get_model("insights", "TopicAccount")
    sums.objects.filter(account__in=accounts).delete()
    rows = days.values("sector_id", "topic_id", "account_id").annotate(last_day=Max("day"), **SUMMED)
    sums.objects.bulk_create([sums(**_own(row)) for row in rows], batch_size=500)


@transaction.atomic
def _standings(apps):
    """As of a day long ago: the scheduler makes them anew in its first round, and until then nobody reads them."""
    standings = apps.get_model("insights", "TopicStanding")
    pairs = apps.get_model("insights", "TopicAccount").objects.order_by().values("sector_id", "topic_id")
    standings.objects.all().delete()
    standings.objects.bulk_create(
        [standings(day=date(1970, 1, 1), **row) for row in pairs.annotate(last_day=Max("last_day"))], batch_size=500
    )


def _own(row):
    return {name.removesuffix("_sum"): value for name, value in row.items()}


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("insights", "0004_sums_indexes")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
