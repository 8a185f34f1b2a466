"""How often each rule was right: newest word on each alert, intervals that know small numbers."""

from __future__ import annotations

from datetime import timedelta

from fraud.cases.precision import rule_precision
from fraud.domain.decisions import SubjectKind
from fraud.domain.reviews import Disposition, Review, Source
from tests.storage.samples import NOON


def review(number: int, disposition: Disposition, *codes: str, alert: int | None = None, source: Source = Source.ALERT) -> Review:
    return Review(
        review_id=f"rev_{number}",
        program_id="shoes",
        subject_kind=SubjectKind.AFFILIATE,
        subject_id="aff",
        source=source,
        disposition=disposition,
        reason="Because.",
        reviewer_id="ada",
        reviewer_name="Ada",
        reviewed_at=NOON + timedelta(hours=number),
        alert_id=f"alr_{number if alert is None else alert}",
        decision_id="dec",
        reason_codes=codes,
    )


def test_confirmed_over_looked_at_with_an_interval() -> None:
    reviews = [review(n, Disposition.CONFIRMED, "a", "b") for n in range(8)] + [review(n, Disposition.DISMISSED, "b") for n in range(8, 10)]
    both, one = rule_precision(reviews)
    assert (both.reason_code, both.confirmed, both.dismissed, both.share) == ("b", 8, 2, 0.8)
    assert both.low is not None
    assert both.high is not None
    assert both.low < 0.8 < both.high
    assert (one.reason_code, one.share) == ("a", 1.0)


def test_a_correction_corrects_and_unclear_says_nothing() -> None:
    (found,) = rule_precision(
        [
            review(1, Disposition.CONFIRMED, "a"),
            review(2, Disposition.DISMISSED, "a", alert=1),
            review(3, Disposition.UNCLEAR, "a"),
            review(4, Disposition.CONFIRMED, "a", source=Source.FEEDBACK),
        ]
    )
    assert (found.confirmed, found.dismissed, found.unclear, found.share) == (0, 1, 1, 0.0)


def test_what_nobody_has_looked_at_has_no_precision() -> None:
    (found,) = rule_precision([review(1, Disposition.UNCLEAR, "a")])
    assert (found.share, found.low, found.high) == (None, None, None)
    assert rule_precision([]) == []
