"""The features of visits: what the tag on landing pages reported."""

from __future__ import annotations

from fraud.domain.signals import Family
from fraud.features.definition import Feature, conversion_rate

_HOW_REPORTED = "Only what consenting browsers with the tag's script report; a browser may say what it likes."
_UNKNOWN = "A click without a report is unknown: neither clear nor suspect. `tag_coverage` says how many there are."


def _visit_rate(name: str, mark: str, **about: object) -> Feature:
    """A share of reported clicks with a mark, among those whose reports tell it."""
    defaults: dict[str, object] = {
        "unit": "share",
        "kind": "rate",
        "bad": "high",
        "minimum_support": 20,
        "support_of": "reported clicks",
        "relation": "visits",
        "family": Family.DEVICE,
        "missing": _UNKNOWN,
    }
    return Feature(name=name, numerator=f"sum({mark})", denominator=f"sum(told_{mark})", **(defaults | about))  # type: ignore[arg-type]  # one table above


VISIT_FEATURES: tuple[Feature, ...] = (
    _visit_rate(
        "webdriver_share",
        "driven",
        title="Visits by driven browsers",
        doc="Share of reported clicks whose browser says that a program drives it (`navigator.webdriver`). Uptime checks and the "
        f"merchant's own tests do so too. {_HOW_REPORTED}",
    ),
    _visit_rate(
        "unseen_visit_share",
        "unseen",
        title="Landing pages that nobody saw",
        doc="Share of reported clicks whose landing page was closed without ever having been visible: a window behind others, a hidden "
        f"tab. People who open several tabs and close some unread do it too. {_HOW_REPORTED}",
    ),
    _visit_rate(
        "odd_window_share",
        "odd_window",
        title="Landing pages in impossible windows",
        doc="Share of reported clicks whose landing page stood in a window less than 10 pixels high or wide, or over five times the "
        f"screen: a frame of one pixel that only sets a cookie. {_HOW_REPORTED}",
    ),
    _visit_rate(
        "odd_timing_share",
        "odd_times",
        title="Visits with impossible times",
        doc="Share of reported clicks whose times contradict each other: seen for longer than it was open, touched before it had come, "
        "open for longer than since the click. A report made up or replayed does that; so does a tracker whose clock runs a minute "
        f"ahead. {_HOW_REPORTED}",
        family=Family.TIMING,
    ),
    conversion_rate(
        "untouched_conversion_share",
        "untouched",
        title="Conversions from pages nobody touched",
        doc="Share of conversions whose landing page was left without one movement of the pointer, touch, key or turn of the wheel, among "
        "those whose reports tell. A page that leads on by itself, and some aids for the disabled, look alike. " + _HOW_REPORTED,
        missing=_UNKNOWN,
        family=Family.DEVICE,
        window="conversions of the scan's window; their clicks may lie anywhere before it",
    ),
    Feature(
        name="tag_coverage",
        title="Clicks that the tag reports",
        doc="Share of clicks with a report, on offers whose landing pages report visitors of at least three other affiliates. People who "
        "do not consent, block scripts or ask not to be tracked report nothing, and audiences differ in that; robots seldom consent.",
        unit="share",
        kind="rate",
        bad="low",
        about="audience",
        family=Family.DEVICE,
        minimum_support=100,
        support_of="clicks",
        relation="tagged",
        numerator="sum(reported)",
        denominator="sum(n)",
        missing="Unknown on offers whose landing pages carry no tag.",
    ),
)
