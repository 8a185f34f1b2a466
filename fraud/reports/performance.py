"""What an affiliate gets to read about itself: its figures beside those of the period before, and what it is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from markupsafe import Markup

from fraud.domain.performance import Notice, Performance
from fraud.domain.targets import AT_MOST, SHARES, Metric, Progress, TargetState
from fraud.reports.tables import table_csv
from fraud.reports.templating import report_environment, standalone
from fraud.reports.words import day

UNKNOWN = "not known"


@dataclass(frozen=True)
class Figure:
    """One line: what it is, what it means, now and before."""

    name: str
    means: str
    now: str
    before: str


@dataclass(frozen=True)
class AffiliateReport:
    """What one affiliate reads: its figures now and before (`None`: unknown), what it is told, and how it stands with its targets."""

    program: str
    now: Performance
    before: Performance | None
    notices: Sequence[Notice] = ()
    targets: Sequence[Progress] = ()


def performance_report(report: AffiliateReport) -> str:
    """The report as one HTML document that stands alone. It names no detector and no other affiliate."""
    return standalone(f"Your traffic: {report.now.affiliate_id}", performance_body(report))


def performance_body(report: AffiliateReport, standing: Markup | None = None) -> Markup:
    """The report's content, for a page that has a frame of its own; `standing` is shown after what stood out."""
    template = report_environment().get_template("performance.html")
    html = template.render(
        now=report.now,
        figures=figures_of(report.now, report.before),
        notices=report.notices,
        standing=standing or "",
        program=report.program,
        targets=[target_line(one) for one in report.targets],
    )
    return Markup(html)  # noqa: S704 - rendered by an autoescaping template


@dataclass(frozen=True)
class TargetLine:
    """One target in words."""

    name: str
    goal: str
    now: str
    until: str
    state: str
    incentive: str


_METRICS = {
    Metric.CLICKS: "Clicks",
    Metric.CONVERSIONS: "Conversions",
    Metric.REVENUE: "Revenue",
    Metric.COMMISSION: "Commission",
    Metric.CONVERSION_RATE: "Conversion rate",
    Metric.AVERAGE_ORDER_VALUE: "Average order",
    Metric.EARNINGS_PER_CLICK: "Earnings per click",
    Metric.NEW_CUSTOMER_SHARE: "New customers",
    Metric.REVERSAL_RATE: "Reversed",
}
_STATES = {
    TargetState.MET: "Reached",
    TargetState.ON_TRACK: "On track",
    TargetState.BEHIND: "Behind",
    TargetState.MISSED: "Not reached",
    TargetState.UNKNOWN: "Not known yet",
}


def target_line(stand: Progress) -> TargetLine:
    """How an affiliate stands with a target, in words."""
    target = stand.target
    offered = target.incentive if stand.state is not TargetState.MISSED else ""
    return TargetLine(
        name=_METRICS[target.metric],
        goal=f"{'at most' if target.metric in AT_MOST else 'at least'} {_said(target.metric, target.goal)}",
        now=UNKNOWN if stand.value is None else _said(target.metric, stand.value),
        until=day(target.period.end - timedelta(days=1)),
        state=_STATES[stand.state],
        incentive=f"{offered} ({stand.waits})" if stand.waits else offered,
    )


def _said(metric: Metric, value: Decimal) -> str:
    return f"{value:.1%}" if metric in SHARES else f"{value:,.2f}".removesuffix(".00")


def performance_csv(now: Performance, before: Performance | None) -> str:
    """The figures as CSV, safe to open in a spreadsheet."""
    rows = [(one.name, one.now, one.before, one.means) for one in figures_of(now, before)]
    return table_csv(("figure", "this_period", "the_one_before", "meaning"), rows)


def figures_of(now: Performance, before: Performance | None) -> list[Figure]:
    """Every figure in words."""
    return [
        Figure("Clicks", "Visitors you sent.", *_both(now, before, lambda p: f"{p.clicks:,}")),
        Figure("Conversions", "Orders or leads from them.", *_both(now, before, lambda p: f"{p.conversions:,}")),
        Figure("Conversion rate", "Conversions a click.", *_both(now, before, lambda p: _share(p.conversion_rate))),
        Figure("Average order", "What an order was worth.", *_both(now, before, lambda p: _money(p.average_order_value, p.currency))),
        Figure("Earnings per click", "Your commission a click.", *_both(now, before, lambda p: _money(p.earnings_per_click, p.currency))),
        Figure("New customers", "Among customers the shop could tell.", *_both(now, before, lambda p: _share(p.new_customer_share))),
        Figure(
            "Reversed", "Refunded, rejected or charged back, of what is settled.", *_both(now, before, lambda p: _share(p.reversal_rate))
        ),
        Figure("Commission", "Of what stands so far.", *_both(now, before, lambda p: _money(p.commission, p.currency))),
    ]


def _both(now: Performance, before: Performance | None, say: Callable[[Performance], str]) -> tuple[str, str]:
    return say(now), UNKNOWN if before is None else say(before)


def _share(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.1%}"


def _money(value: Decimal | None, currency: str | None) -> str:
    return UNKNOWN if value is None else f"{value:,.2f} {currency or ''}".strip()
