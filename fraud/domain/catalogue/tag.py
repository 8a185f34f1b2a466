"""Checks of what the tag on landing pages reports, of an affiliate's traffic and of a single conversion.

A report comes from the visitor's browser: it may be made up, and those who do not consent report nothing. So none of these is conclusive,
and none counts a click without a report.
"""

from __future__ import annotations

from fraud.domain.catalogue.spec import CheckSpec, Parameter
from fraud.domain.decisions import DecisionKind
from fraud.domain.signals import Family, Tier

_REPORTS = Parameter(name="minimum_reports", meaning="Reported clicks before the share says anything", unit="clicks")
_SHARE = Parameter(name="minimum_share", meaning="Lower bound (5%) of the share", unit="share")
_HIGH = Parameter(name="high_share", meaning="Lower bound (5%) of the share from which the finding is grave", unit="share")

TAG_TRAFFIC_CHECKS: tuple[CheckSpec, ...] = (
    CheckSpec(
        check_id="traffic.driven_browsers",
        kind=DecisionKind.SCAN,
        title="Browsers in people's hands",
        looks_for="The share of clicks on whose landing page the browser said that a program drives it, among those that the tag reports.",
        also_explained_by="Uptime checks and price watchers, the merchant's own tests, and tools that read pages aloud by driving a browser.",
        public_text="Part of the traffic comes from automated browsers.",
        source="W3C WebDriver: navigator.webdriver",
        family=Family.DEVICE,
        tier=Tier.ASSOCIATIVE,
        reason_code="device.driven_browsers",
        typologies=("bot_traffic",),
        parameters=(_REPORTS, _SHARE, _HIGH),
    ),
    CheckSpec(
        check_id="traffic.impossible_windows",
        kind=DecisionKind.SCAN,
        title="Pages that can be read",
        looks_for="The share of clicks whose landing page was open in a window too small to show anything, among those that the tag reports.",
        also_explained_by="A landing page that the merchant itself embeds in a small frame; browsers that hide their size to guard privacy.",
        public_text="Part of the traffic was opened where nobody could see it.",
        source="Snyder and Kanich: stuffed cookies come from invisible frames",
        family=Family.SOURCE,
        tier=Tier.ASSOCIATIVE,
        reason_code="source.impossible_windows",
        typologies=("cookie_stuffing", "bot_traffic"),
        parameters=(_REPORTS, _SHARE, _HIGH),
    ),
    CheckSpec(
        check_id="traffic.untouched_conversions",
        kind=DecisionKind.SCAN,
        title="Somebody was there",
        looks_for="The share of conversions whose landing page was left without one movement, touch or key, far above that of peers.",
        also_explained_by="A page that leads on by itself, an app that takes over at once, and some aids for people with disabilities.",
        public_text="Conversions came without any activity on the landing page.",
        source="Own choice: who buys has to touch something",
        family=Family.DEVICE,
        tier=Tier.ASSOCIATIVE,
        reason_code="device.untouched_conversions",
        typologies=("bot_traffic", "conversion_injection"),
        parameters=(
            Parameter(name="minimum_conversions", meaning="Conversions with a report before the share says anything", unit="conversions"),
            _SHARE,
            _HIGH,
            Parameter(name="minimum_z", meaning="Distance from peers", unit="robust standard deviations"),
        ),
    ),
)

TAG_CONVERSION_CHECKS: tuple[CheckSpec, ...] = (
    CheckSpec(
        check_id="conversion.visit",
        kind=DecisionKind.CONVERSION,
        title="Somebody visited the landing page",
        looks_for="A landing page whose visit looks like no person's: a driven browser, a window that shows nothing, never visible, never "
        "touched, or times that contradict each other.",
        also_explained_by="Browsers that guard privacy round or hide what they report, aids for people with disabilities drive browsers, "
        "and a page may be opened in the background before it is wanted.",
        public_text="The visit before the conversion looked automated.",
        source="W3C WebDriver; Snyder and Kanich; own choice",
        family=Family.DEVICE,
        tier=Tier.ASSOCIATIVE,
        reason_code="device.automated_visit",
        typologies=("bot_traffic",),
        parameters=(Parameter(name="signs_for_high", meaning="Signs at once from which the finding is grave", unit="signs"),),
    ),
)
