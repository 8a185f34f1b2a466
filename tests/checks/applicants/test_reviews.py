"""Reviews: read from JSON-LD, judged by their pattern; small counts are neutral, and people's reviews are clear."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.page import read_page
from crawlers.reading.structured import things_in
from crawlers.review_facts import Rating, ReviewFile, ReviewPage
from crawlers.reviews import likeness, reviews_in, sketch_of
from fraud.checks.applicants.audience import Audience
from fraud.checks.applicants.reviews import posterior_end, reviews
from fraud.domain.signals import Severity, Signal, Status
from tests.checks.applicants.samples import BLOG, limits, page, visit

WORDS = "tent rain zip seam pole light heavy warm cold lake ridge night strong weak cheap fine nice dry wet guide staff quick slow".split()


def review(stars: float, text: str, name: str, day: date) -> dict[str, Any]:
    return {"@type": "Review", "reviewRating": {"@type": "Rating", "ratingValue": stars}, "reviewBody": text, "author": {"name": name},
            "datePublished": day.isoformat()}  # fmt: skip


def people(count: int, seed: int = 1) -> list[dict[str, Any]]:
    dice = random.Random(seed)
    return [
        review(
            dice.choice([5, 5, 5, 4, 4, 3, 2, 1]),
            " ".join(dice.choices(WORDS, k=25)),
            f"Name {n}",
            date(2024, 1, 1) + timedelta(days=n * 9),
        )
        for n in range(count)
    ]


def planted(count: int) -> list[dict[str, Any]]:
    text = "This is the very best tent guide that I have ever read, number {} of all of them, five stars from me and my whole family."
    return [review(5, text.format(n % 3), f"Name {n % 5}", date(2024, 5, 1) + timedelta(days=n % 4)) for n in range(count)]


def judged(stated: list[dict[str, Any]], value: float = 4.3, count: int = 60) -> Signal:
    block = {
        "@type": "Product",
        "aggregateRating": {"@type": "AggregateRating", "ratingValue": value, "reviewCount": count},
        "review": stated,
    }
    ratings, found = reviews_in(things_in([json.dumps(block)]))
    return reviews(visit(page(ratings=ratings, reviews=found)), limits("audience.reviews"))


@pytest.mark.parametrize("seed", range(5))
def test_peoples_reviews_are_clear(seed: int) -> None:
    assert judged(people(40, seed)).status is Status.CLEAR


def test_planted_reviews_are_found() -> None:
    signal = judged(planted(40), 5.0, 900)
    assert (signal.status, signal.severity) == (Status.FINDING, Severity.MEDIUM)
    assert len(signal.value["signs"]) == 4


def test_small_counts_are_neutral() -> None:
    assert judged(planted(5), 5.0, 5).status is Status.INCONCLUSIVE
    assert reviews(visit(page()), limits("audience.reviews")).status is Status.NOT_APPLICABLE


def test_an_impossible_rating_is_named() -> None:
    assert "outside" in judged(people(3), 9.7).text


def test_a_page_states_its_reviews() -> None:
    html = f'<html><body><script type="application/ld+json">{json.dumps(people(3))}</script><p>Text</p></body></html>'
    found = read_page(html, "https://trailnotes.example/").reviews
    assert len(found) == 3
    assert all(one.at and one.author and one.sketch for one in found)
    assert "Name" not in str(found)


def test_likeness() -> None:
    text = " ".join(WORDS)
    assert likeness(sketch_of(text), sketch_of(text.upper())) == 1
    assert likeness(sketch_of(text), sketch_of(" ".join(reversed(WORDS)))) == 0


@given(st.text(max_size=300))
def test_no_block_breaks_the_reading(text: str) -> None:
    reviews_in(things_in([text, json.dumps({"@type": "AggregateRating", "ratingValue": text, "ratingCount": text})]))


def compared(claim: float, elsewhere: float, count: int, **changes: Any) -> Signal:
    """A site that claims so many stars, against a service that shows others."""
    service = ReviewPage(
        url="https://reviews.example/trail",
        service="Somebody",
        subject="trail",
        website=BLOG,
        ratings=(Rating(value=elsewhere, reviews=count),),
    )
    seen = visit(page(ratings=(Rating(value=claim, reviews=40),)))
    audience = Audience(review_pages=(msgspec.structs.replace(service, **changes),))
    return reviews(replace(seen, facts=msgspec.structs.replace(seen.facts, audience=audience)), limits("audience.reviews"))


@pytest.mark.parametrize(
    ("claim", "elsewhere", "count", "status"),
    [
        (4.9, 3.1, 412, Status.FINDING),
        (4.5, 4.2, 412, Status.CLEAR),
        (4.2, 4.9, 412, Status.CLEAR),
        (4.9, 3.1, 3, Status.INCONCLUSIVE),
    ],
)
def test_a_claim_is_held_against_what_a_service_shows(claim: float, elsewhere: float, count: int, status: Status) -> None:
    assert compared(claim, elsewhere, count).status is status


def test_a_claim_that_is_not_borne_out_names_the_service_and_both_figures() -> None:
    signal = compared(4.9, 3.1, 412)
    assert "claims 4.9 stars where Somebody has 3.1 of 412" in signal.text
    assert "https://reviews.example/trail" in {evidence.url for evidence in signal.evidence}


def test_a_service_that_may_not_be_read_leaves_it_open() -> None:
    seen = visit(page())
    service = ReviewPage(
        url="https://reviews.example/", service="Somebody", subject="trail", website=BLOG, failure="robots.txt forbids it."
    )
    made = replace(seen, facts=msgspec.structs.replace(seen.facts, audience=Audience(review_pages=(service,))))
    signal = reviews(made, limits("audience.reviews"))
    assert signal.status is Status.INCONCLUSIVE
    assert "robots.txt" in signal.text


def test_a_file_of_reviews_is_judged_like_stated_ones() -> None:
    planted_ones = reviews_in(things_in([json.dumps(planted(40))]))[1]
    seen = visit(page())
    given_file = ReviewFile(count=40, average=1.0, reviews=planted_ones)
    made = replace(seen, facts=msgspec.structs.replace(seen.facts, audience=Audience(review_file=given_file)))
    signal = reviews(made, limits("audience.reviews"))
    assert signal.severity is Severity.MEDIUM
    assert "the file given" in signal.text


@given(share=st.floats(0, 1), count=st.integers(1, 100_000))
def test_more_ratings_leave_less_open(share: float, count: int) -> None:
    assert posterior_end(share, 4 * count, 1.645) - share <= posterior_end(share, count, 1.645) - share + 1e-9
    assert 0 <= posterior_end(share, count, 1.645) <= 1
