"""Reviews: read from JSON-LD, judged by their pattern; small counts are neutral, and people's reviews are clear."""

from __future__ import annotations

import json
import random
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.page import read_page
from crawlers.reviews import likeness, reviews_in, sketch_of
from fraud.checks.applicants.reviews import reviews
from fraud.domain.signals import Severity, Signal, Status
from tests.checks.applicants.samples import limits, page, visit

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
    ratings, found = reviews_in([json.dumps(block)])
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
    reviews_in([text, json.dumps({"@type": "AggregateRating", "ratingValue": text, "ratingCount": text})])
