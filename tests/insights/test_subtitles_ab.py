"""`manage.py subtitles_ab` and the page: from a file and from the database, and what they refuse."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.translation import override
from pytest import approx

from accounts.selectors import NAMED
from insights.models import Outcome
from insights.statistics.sheets import strata_read
from insights.statistics.tables import Arm, Stratum
from insights.templatetags import figures
from tests.factories import AdminFactory, SectorFactory, TikTokAccountFactory, UserFactory
from tests.publishing.commands.conftest import run  # noqa: F401  a fixture

UCB = Path(__file__).parent / "data/ucb_admissions.csv"


@pytest.fixture
def ab(run):  # noqa: F811
    return lambda *arguments: run("subtitles_ab", *arguments, app="insights")


@pytest.fixture
def fill(keep):
    """`fill(account, auto=(x, n), none=(x, n))` publications of an account."""

    def fill(account, *, auto=(0, 0), none=(0, 0), **fields) -> None:
        for arm, (x, n) in (("auto", auto), ("none", none)):
            for number in range(n):
                keep(account, arm=arm, outcome=Outcome.PUBLISHED if number < x else Outcome.FAILED, **fields)

    return fill


def test_it_reads_berkeley_as_the_books_do(ab) -> None:
    found = ab("--strata", UCB, "--json").document
    assert found["verdict"] == "confounded"
    assert found["crude"]["auto"] == approx(
        {"n": 2691, "x": 1198, "rate": 0.4452, "low": 0.4265, "high": 0.4640}, abs=1e-4
    )
    assert [found["crude"][name] for name in ("difference", "low", "high")] == approx(
        [0.1416, 0.1132, 0.1696], abs=1e-4
    )
    adjusted = found["adjusted"]
    assert adjusted["cmh_statistic_corrected"] == approx(1.42695, abs=1e-5)
    assert adjusted["p_value"] == approx(0.21692, abs=1e-5)
    assert (adjusted["odds_ratio"], adjusted["or_low"], adjusted["or_high"]) == approx(
        (0.904697, 0.771907, 1.06033), abs=1e-5
    )
    assert found["homogeneity"]["p_value"] == approx(0.00207, abs=1e-5)
    assert found["srm"]["applicable"] is False
    assert found["verdict_words"]["es"].startswith("No se puede decir")


@pytest.mark.parametrize(
    ("text", "said"),
    [("stratum,arm,successes,failures\nA,men,1,2\n", "2"), ("stratum,arm,successes,failures\nA,auto,1,x\n", "2")],
)
def test_it_says_which_line_is_wrong(ab, tmp_path, text, said) -> None:
    sheet = tmp_path / "s.csv"
    sheet.write_text(text)
    ran = ab("--strata", sheet)
    assert ran.code == 2
    assert f" {said}:" in ran.err
    assert ab("--strata", sheet, "--json").error["field"] == "strata"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--from", "2026-13-01"], ["--from", "2026-02-02", "--to", "2026-02-01"], ["--sector", "Nada"],
        ["--account", "@nadie"], ["--strata", "/nowhere.csv"], ["--strata", str(UCB), "--from", "2026-01-01"],
    ],
)  # fmt: skip
def test_it_refuses_what_cannot_be_right(ab, arguments) -> None:
    ran = ab(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.strip()


def test_it_never_mixes_what_people_chose_with_what_was_drawn(ab, fill) -> None:
    account = TikTokAccountFactory(username="pan", sector=SectorFactory(name="Gastronomía"))
    fill(account, auto=(40, 50), none=(30, 50))
    fill(account, auto=(3, 4), none=(4, 4), assignment="draw")
    observed, drawn = ab("--json").document, ab("--randomised", "--json").document
    assert (observed["crude"]["auto"]["n"], drawn["crude"]["auto"]["n"]) == (50, 4)
    assert (observed["srm"]["applicable"], drawn["srm"]["applicable"]) == (False, True)
    assert drawn["verdict"] == "not_enough_data"
    for arguments in (["--sector", "gastronomía"], ["--account", "@pan"]):
        assert ab(*arguments, "--json").document["crude"]["none"]["x"] == 30


def test_it_counts_from_the_first_to_the_last_day(ab, fill) -> None:
    account = TikTokAccountFactory()
    fill(account, auto=(1, 2), none=(1, 1), ago=timedelta(days=40))
    fill(account, auto=(5, 5), none=(2, 6), ago=timedelta(days=3))
    since = (timezone.localdate() - timedelta(days=10)).isoformat()
    assert ab("--from", since, "--json").document["crude"]["auto"]["n"] == 5
    assert ab("--to", since, "--json").document["crude"]["auto"]["n"] == 2


def test_it_leaves_out_what_is_not_over_and_says_how_many(ab, fill, keep) -> None:
    account = TikTokAccountFactory()
    fill(account, auto=(5, 6), none=(5, 6))
    keep(account, arm="auto", outcome=Outcome.IN_FLIGHT)
    keep(account, arm="none", outcome=Outcome.CANCELLED)
    keep(account, arm="file")
    found = ab("--json").document
    assert (found["crude"]["auto"]["n"], found["crude"]["none"]["n"]) == (6, 6)
    assert found["excluded"] == {"auto": {"in_flight": 1, "cancelled": 0}, "none": {"in_flight": 0, "cancelled": 1}}


@pytest.fixture
def page(db):
    """Opens the page as somebody: `page(user, "?by=lot")`."""

    def page(user, query: str = "", path: str = "/reports/subtitles/") -> str:
        client = Client()
        client.force_login(user)
        return client.get(path + query).content.decode()

    return page


def test_it_shows_a_cm_their_own_accounts_only(page, fill) -> None:
    ana = UserFactory(language="en")
    fill(TikTokAccountFactory(username="mine", managers=[ana]), auto=(40, 50), none=(30, 50))
    fill(TikTokAccountFactory(username="foreign"), auto=(1, 50), none=(50, 50))
    shown = page(ana)
    assert "@mine" in shown and "@foreign" not in shown
    assert "40 of 50 published in time" in shown
    assert "@foreign" in page(AdminFactory(language="en"))
    sheet = page(ana, path="/reports/subtitles/strata.csv")
    assert strata_read(sheet.encode()) == [Stratum("@mine", Arm(40, 50), Arm(30, 50))]


def test_it_says_what_to_do_where_there_is_nothing(page, fill) -> None:
    ana = UserFactory(language="en")
    assert "Nothing to compare yet" in page(ana)
    assert "Nothing was drawn by lot yet" in page(ana, "?by=lot")


@pytest.mark.parametrize("by", ["", "?by=lot"])
@pytest.mark.parametrize("second", [None, {"auto": (1, 1)}, {"none": (0, 1)}, {"auto": (1, 2), "none": (1, 1)}])
@pytest.mark.parametrize("first", [{"auto": (1, 1)}, {"none": (1, 1)}, {"auto": (0, 1), "none": (0, 2)}])
def test_it_opens_with_next_to_nothing(page, fill, first, second, by) -> None:
    """One arm, one account on each side only, all lost, with views and without."""
    ana = UserFactory(language="en")
    assignment = "draw" if by else "person"
    for of in (first, second):
        if of:
            both = {"auto": (0, 0), "none": (0, 0)} | of
            fill(TikTokAccountFactory(managers=[ana]), **both, assignment=assignment, settled_views=7)
    shown = page(ana, by)
    assert "Not enough data" in shown
    assert not re.search(r">\s*(None|nan|inf)\b", shown)


def test_it_warns_of_simpson_with_both_numbers(page, fill) -> None:
    ana = UserFactory(language="en")
    fill(TikTokAccountFactory(username="easy", managers=[ana]), auto=(76, 80), none=(20, 20))
    fill(TikTokAccountFactory(username="hard", managers=[ana]), auto=(6, 20), none=(32, 80))
    shown = page(ana)
    assert "The total misleads" in shown
    assert "tell different stories" in shown


@pytest.mark.parametrize(
    ("language", "said"), [("es", ["88,6 %", "+2,7", "0,050", "2,67"]), ("en", ["88.6 %", "+2.7", "0.050", "2.67"])]
)
def test_it_rounds_and_cuts_nothing_off(language, said) -> None:
    with override(language):
        assert [
            figures.percent(225 / 254),
            figures.points(0.0267),
            figures.p_value(0.0496),
            figures.ratio(8 / 3),
        ] == said
        assert (figures.percent(1), figures.p_value(0.0004)[:2], figures.points(-0.0001)) == (
            {"es": "100,0 %", "en": "100.0 %"}[language], "< ", {"es": "0,0", "en": "0.0"}[language],
        )  # fmt: skip


def test_it_shows_a_statistician_the_rest(page, fill) -> None:
    ana = UserFactory(language="en")
    for name in ("one", "two"):
        fill(TikTokAccountFactory(username=name, managers=[ana]), auto=(40, 50), none=(30, 50))
    shown = page(ana)
    figures = ("2.67", "1.42 … 5.02", "2 / 2", "100.0 %")
    assert [figure for figure in figures if figure not in shown] == []


def test_it_does_not_send_to_the_lot_who_comes_from_it(page, fill) -> None:
    ana = UserFactory(language="en")
    fill(TikTokAccountFactory(username="up", managers=[ana]), auto=(45, 50), none=(10, 50), assignment="draw")
    fill(TikTokAccountFactory(username="down", managers=[ana]), auto=(10, 50), none=(45, 50), assignment="draw")
    shown = page(ana, "?by=lot")
    assert "tell different stories" in shown
    assert "decide account by account" in shown
    assert "would settle it" not in shown


def test_it_warns_of_the_traps_of_the_views_too(page, fill) -> None:
    ana = UserFactory(language="en")
    account = TikTokAccountFactory(managers=[ana])
    fill(account, auto=(5, 5), none=(5, 5), settled_views=7)
    assert "30 videos with and 30 without subtitles whose views are known" in page(ana)


def test_it_says_on_paper_what_it_is_about(page) -> None:
    shown = page(UserFactory(language="en"), "?since=2026-02-01")
    assert "From: 02/01/2026 · Until: — · Sector: Every sector · Account: Every account" in shown


def test_it_shows_views_account_by_account(page, fill) -> None:
    ana = UserFactory(language="en")
    account = TikTokAccountFactory(username="bakery", managers=[ana])
    for with_subtitles, without in ((100, 50), (120, 60)):
        fill(account, auto=(20, 20), settled_views=with_subtitles)
        fill(account, none=(20, 20), settled_views=without)
    fill(TikTokAccountFactory(username="alone", managers=[ana]), auto=(1, 1), settled_views=7)
    shown = page(ana)
    assert "Typical views, account by account" in shown
    assert "+98 %" in shown  # 110 to 55, as far as 1 + views
    assert "fewer than two on a side" in shown


def test_it_keeps_what_was_typed_and_says_what_is_wrong(page) -> None:
    shown = page(UserFactory(language="en"), "?since=2026-13-01&until=x&sector=99")
    assert shown.count("This is no day.") == 2
    assert 'value="2026-13-01"' in shown
    assert "There is no such sector." in shown
    assert "before the first" in page(UserFactory(language="en"), "?since=2026-02-02&until=2026-02-01")


def test_it_takes_one_of_very_many_accounts_by_its_name(page, fill) -> None:
    ana = UserFactory(language="en")
    accounts = [TikTokAccountFactory(username=f"branch.{number:02}", managers=[ana]) for number in range(NAMED + 1)]
    TikTokAccountFactory(username="foreign")
    for account in accounts[:2]:
        fill(account, auto=(40, 50), none=(30, 50))
    assert "80 of 100 published in time" in page(ana)
    assert "<option" not in page(ana).partition('id="account"')[2].partition("</div>")[0]

    shown = page(ana, "?who=@branch.01")
    assert "40 of 50 published in time" in shown and 'value="@branch.01"' in shown
    assert f'value="{accounts[1]}"' in page(ana, f"?account={accounts[1].pk}")
    sheet = page(ana, "?who=branch.01", path="/reports/subtitles/strata.csv")
    assert strata_read(sheet.encode()) == [Stratum("@branch.01", Arm(40, 50), Arm(30, 50))]
    for name in ("nobody", "@foreign"):
        shown = page(ana, f"?who={name}")
        assert f"No account in your charge is called “{name}”." in shown and f'value="{name}"' in shown


def test_it_costs_twelve_queries_however_much_there_is(db, fill, django_assert_max_num_queries) -> None:
    ana = UserFactory()
    client = Client()
    client.force_login(ana)
    for number in range(3):
        fill(TikTokAccountFactory(managers=[ana]), auto=(9 + number, 12), none=(8, 12), ago=timedelta(days=number + 2))
    client.get("/reports/subtitles/")
    with django_assert_max_num_queries(14):
        client.get("/reports/subtitles/")


def test_it_gives_numbers_that_json_has(ab) -> None:
    json.dumps(ab("--json").document, allow_nan=False)
