"""How often each rule was right, by what people found when they looked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from fraud.checks.traffic.bounds import lower_bound, upper_bound
from fraud.domain.reviews import Disposition, Review, Source


class RulePrecision(msgspec.Struct, frozen=True, kw_only=True):
    """One reason code: how many alerts that it was part of were confirmed and dismissed; `share` is confirmed over both, with Jeffreys'
    90% interval; `None` before anybody has looked."""

    reason_code: str
    confirmed: int
    dismissed: int
    unclear: int
    share: float | None
    low: float | None
    high: float | None


def rule_precision(reviews: Iterable[Review]) -> list[RulePrecision]:
    """The precision of every reason code that a reviewed alert rested on, the best known first.

    Of several reviews of one alert (and decision) the newest counts: a correction corrects.
    """
    newest: dict[tuple[str, str], Review] = {}
    for review in sorted(reviews, key=lambda one: (one.reviewed_at, one.review_id)):
        if review.source is Source.ALERT:
            newest[(review.alert_id, review.decision_id)] = review
    counts = Counter((code, review.disposition) for review in newest.values() for code in set(review.reason_codes))
    codes = sorted({code for code, _ in counts})
    found = [_precision(code, *(counts[(code, disposition)] for disposition in Disposition)) for code in codes]
    return sorted(found, key=lambda one: (-(one.confirmed + one.dismissed), one.reason_code))


def _precision(code: str, confirmed: int, dismissed: int, unclear: int) -> RulePrecision:
    looked_at = confirmed + dismissed
    return RulePrecision(
        reason_code=code,
        confirmed=confirmed,
        dismissed=dismissed,
        unclear=unclear,
        share=confirmed / looked_at if looked_at else None,
        low=lower_bound(confirmed, looked_at) if looked_at else None,
        high=upper_bound(confirmed, looked_at) if looked_at else None,
    )
