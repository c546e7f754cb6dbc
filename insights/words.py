"""The subtitle report in plain sentences."""

from __future__ import annotations

from decimal import Decimal

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from insights.statistics.report import ABReport
from insights.statistics.tables import Interval
from insights.statistics.verdict import Caution, Verdict
from insights.statistics.views import ViewsReport

#: The verdict's own words, observed and by lot: only a lot allows to say what subtitles do.
VERDICTS: dict[Verdict, tuple[Promise, Promise]] = {
    Verdict.SUBTITLES_BETTER: (
        _("Videos with automatic subtitles are published in time more often."),
        _("Automatic subtitles make videos be published in time more often."),
    ),
    Verdict.NONE_BETTER: (
        _("Videos without subtitles are published in time more often."),
        _("Automatic subtitles make videos be published in time less often."),
    ),
    Verdict.NO_EVIDENCE: (_("No evidence of a difference."), _("No evidence of a difference.")),
    Verdict.NOT_ENOUGH_DATA: (_("Not enough data for a verdict."), _("Not enough data for a verdict.")),
    Verdict.CONFOUNDED: (
        _("It cannot be said: the accounts and the total tell different stories."),
        _("It cannot be said: the accounts and the total tell different stories."),
    ),
}
VIEWS_VERDICTS: dict[Verdict, tuple[Promise, Promise]] = VERDICTS | {
    Verdict.SUBTITLES_BETTER: (
        _("Videos with automatic subtitles get more views."),
        _("Automatic subtitles bring more views."),
    ),
    Verdict.NONE_BETTER: (
        _("Videos without subtitles get more views."),
        _("Automatic subtitles cost views."),
    ),
}
#: What to do about it.
ADVICE: dict[Verdict, Promise] = {
    Verdict.SUBTITLES_BETTER: _("Keep putting them on, and look again in a month."),
    Verdict.NONE_BETTER: _(
        "Look at why they fail: see the causes of the edits that failed before you switch them off."
    ),
    Verdict.NO_EVIDENCE: _("Choose them for your audience's sake: what you know so far gives no other reason."),
    Verdict.NOT_ENOUGH_DATA: _("Go on publishing. In New, “Let the system choose” gets there soonest."),
    Verdict.CONFOUNDED: _("Look at each account below. “Let the system choose” in New would settle it."),
}
#: Where the lot already chose, only the accounts can differ.
ADVICE_BY_LOT = ADVICE | {
    Verdict.CONFOUNDED: _("Subtitles do not do the same everywhere: decide account by account, with the list below."),
}
CAUTIONS: dict[Caution, Promise] = {
    Caution.OBSERVATIONAL: _(
        "People chose which videos got subtitles, so the two groups may differ in other ways, too. It shows what goes"
        " together, not what causes what."
    ),
    Caution.SIMPSON: _(
        "The total and the comparison inside each account do not agree (Simpson's paradox): the accounts that use"
        " subtitles more are other accounts. Trust the one by account."
    ),
    Caution.HETEROGENEOUS: _(
        "The accounts differ more from each other than chance would make them: one number for all is nobody's."
    ),
    Caution.SRM: _(
        "The lot gave far more videos to one side than chance does (sample ratio mismatch): something is lost on the"
        " way. Do not use this report before you know what."
    ),
    Caution.SMALL_SAMPLES: _(
        "A verdict needs 30 publications with and 30 without subtitles, with 5 published and 5 not published in each."
    ),
    Caution.ONE_ACCOUNT_DOMINATES: _(
        "One account has more than 30 % of the publications: see what is left of the difference without it."
    ),
    Caution.LITTLE_OVERLAP: _(
        "Most publications are in accounts that always, or never, use subtitles: they say nothing about the difference."
    ),
}


#: The same said of views.
VIEWS_CAUTIONS = CAUTIONS | {
    Caution.SMALL_SAMPLES: _("A verdict needs 30 videos with and 30 without subtitles whose views are known."),
}
#: Said once for both outcomes.
SAID_ABOVE = {Caution.OBSERVATIONAL}


def advice(report: ABReport) -> Promise:
    return (ADVICE_BY_LOT if report.randomised else ADVICE)[report.verdict]


def verdict_words(report: ABReport | ViewsReport) -> str:
    words = VIEWS_VERDICTS if isinstance(report, ViewsReport) else VERDICTS
    return str(words[report.verdict][report.randomised])


def decimal(value: float, places: int) -> str:
    """A number to some places, rounded: Django's own function cuts them off."""
    return str(number_format(Decimal(f"{value:.{places}f}"), places))


def points(share: float | None, *, signed: bool = True) -> str:
    """A difference in percentage points, to one place: "+3.1". Nothing known is a dash."""
    if share is None:
        return "—"
    value = round(share * 100, 1) + 0.0  # no negative nought
    sign = ("+" if value > 0 else "−" if value < 0 else "") if signed else ""
    return sign + decimal(abs(value) if signed else value, 1)


def percent(share: float | None) -> str:
    return "—" if share is None else f"{decimal(share * 100, 1)} %"


def difference_words(report: ABReport) -> str:
    """Both rates and their adjusted difference, in one sentence; empty while there is nothing to compare."""
    auto, none = report.both.auto.rate, report.both.none.rate
    if auto is None or none is None or report.adjusted is None or report.always_valid is None:
        return ""
    return gettext(
        "With subtitles %(auto)s were published in time, without %(none)s. Account by account the difference is"
        " %(points)s points (somewhere between %(low)s and %(high)s)."
    ) % {
        "auto": percent(auto), "none": percent(none), "points": points(report.adjusted.value),
        "low": points(report.always_valid.low), "high": points(report.always_valid.high),
    }  # fmt: skip


def views_words(report: ViewsReport) -> str:
    """Typical views of both arms and their adjusted ratio; empty while there is nothing to compare."""
    if report.adjusted is None or report.always_valid is None:
        return ""
    return gettext(
        "A typical video has %(auto)s views with subtitles and %(none)s without, three days after it was published."
        " Account by account that is %(ratio)s (somewhere between %(low)s and %(high)s)."
    ) % {
        "auto": number_format(round(report.auto.typical or 0), force_grouping=True),
        "none": number_format(round(report.none.typical or 0), force_grouping=True),
        "ratio": change(report.adjusted), **_changes(report.always_valid),
    }  # fmt: skip


#: Beyond this a ratio says only that little is known.
LARGEST_RATIO = 10


def change(ratio: float) -> str:
    """A ratio as people say it: 1.25 is "+25 %"."""
    if ratio > LARGEST_RATIO:
        return gettext("more than ten times")
    value = round((ratio - 1) * 100)
    sign = "+" if value > 0 else "−" if value < 0 else ""
    return f"{sign}{number_format(abs(value), force_grouping=True)} %"


def _changes(interval: Interval) -> dict[str, str]:
    return {"low": change(interval.low), "high": change(interval.high)}
