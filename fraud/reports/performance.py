"""What an affiliate gets to read about itself: its figures beside those of the period before, and what it is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup

from fraud.domain.performance import Notice, Performance
from fraud.reports.tables import table_csv
from fraud.reports.templating import report_environment, standalone

UNKNOWN = "not known"


@dataclass(frozen=True)
class Figure:
    """One line: what it is, what it means, now and before."""

    name: str
    means: str
    now: str
    before: str


def performance_report(now: Performance, before: Performance | None, notices: Sequence[Notice], program: str) -> str:
    """The report as one HTML document that stands alone. It names no detector and no other affiliate."""
    return standalone(f"Your traffic: {now.affiliate_id}", performance_body(now, before, notices, program))


def performance_body(now: Performance, before: Performance | None, notices: Sequence[Notice], program: str) -> Markup:
    """The report's content, for a page that has a frame of its own."""
    template = report_environment().get_template("performance.html")
    return Markup(template.render(now=now, figures=figures_of(now, before), notices=notices, program=program))  # noqa: S704 - autoescaped


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
