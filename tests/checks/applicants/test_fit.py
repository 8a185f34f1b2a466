"""Language and topic: never more than a low finding."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.facts import VisitedPage
from fraud.checks.applicants.fit import language, stem, topic, vocabulary
from fraud.domain.programs import ProgramProfile
from fraud.domain.signals import Severity, Signal, Status
from tests.checks.applicants.samples import limits, page, profile, visit

COOKING = "We cooked soup with onions and butter in the old kitchen. " * 30


def spoken(*pages: VisitedPage, **program: Any) -> Signal:
    return language(visit(*pages, profile=profile(**program)), limits("website.language"))


def german(**changes: Any) -> VisitedPage:
    return page(**({"detected_language": "de", "declared_language": "de"} | changes))


def test_a_site_in_a_language_of_the_program_is_clear() -> None:
    assert spoken(page()).status is Status.CLEAR
    assert spoken(german(), languages=("de-AT", "fr")).status is Status.CLEAR
    assert spoken(german(), page("en")).status is Status.CLEAR


def test_a_site_in_another_language_is_a_low_finding() -> None:
    signal = spoken(german())
    assert (signal.status, signal.severity) == (Status.FINDING, Severity.LOW)
    assert signal.evidence[0].excerpt in german().facts.text


def test_a_page_that_only_says_it_is_in_another_language_is_not_believed_against_itself() -> None:
    assert spoken(german(detected_language="en")).status is Status.CLEAR
    assert spoken(german(detected_language="", language_confidence=None)).status is Status.INCONCLUSIVE
    assert spoken(german(language_confidence=0.5)).status is Status.INCONCLUSIVE
    assert spoken(german(word_count=10)).status is Status.INCONCLUSIVE


def test_a_short_page_may_say_its_language_itself() -> None:
    assert spoken(page(detected_language="", language_confidence=None, word_count=5)).status is Status.CLEAR


def test_a_program_without_languages_does_not_ask() -> None:
    assert spoken(german(), languages=()).status is Status.NOT_APPLICABLE
    assert language(visit(page(), profile=None), limits("website.language")).status is Status.NOT_APPLICABLE


def about(*pages: VisitedPage, **program: Any) -> Signal:
    return topic(visit(*pages, profile=profile(**program)), limits("website.topic"))


def test_a_site_on_the_programs_topic_is_clear() -> None:
    signal = about(page())
    assert signal.status is Status.CLEAR
    assert signal.value == pytest.approx(2 / 3, abs=1e-3)
    assert "hiking, tents" in signal.text


def test_a_site_far_from_it_is_never_more_than_low() -> None:
    signal = about(page(title="Soup", text=COOKING))
    assert (signal.status, signal.severity, signal.value) == (Status.FINDING, Severity.LOW, 0.0)


def test_topics_are_not_compared_across_languages_or_on_a_few_words() -> None:
    assert about(german(text=COOKING)).status is Status.NOT_APPLICABLE
    assert about(page(title="Soup", text="soup", word_count=1)).status is Status.INCONCLUSIVE
    assert about(page(), keywords=(), vertical="", description="").status is Status.NOT_APPLICABLE
    assert topic(visit(page(), profile=None), limits("website.topic")).status is Status.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("keyword", "text"),
    [
        ("bikes", "a new bike for her"),
        ("hiking", "we hike in the hills"),
        ("hiking boots", "boots for a hike"),
        ("Fahrrad", "unsere Fahrradreisen in Polen"),
        ("vélo", "le velo de ville"),
        ("自転車", "新しい自転車を買いました"),
        ("Zelte", "ein Zelt am See"),
    ],
)
def test_keywords_are_found_in_the_forms_people_write(keyword: str, text: str) -> None:
    assert about(page(text=text, word_count=200), keywords=(keyword,), languages=()).status is Status.CLEAR


@pytest.mark.parametrize(("keyword", "text"), [("tents", "the contents of the box"), ("hiking boots", "boots only"), ("car", "carpets")])
def test_other_words_are_not_taken_for_keywords(keyword: str, text: str) -> None:
    assert about(page(title="", text=text, word_count=200), keywords=(keyword,)).status is Status.FINDING


def test_the_vocabulary_is_keywords_and_vertical_or_else_the_description() -> None:
    assert vocabulary(ProgramProfile(name="p", keywords=("Tents", "tents"), vertical="outdoor", description="unused words")) == [
        "tents",
        "outdoor",
    ]
    assert vocabulary(ProgramProfile(name="p", description="We sell tents and stoves")) == ["tents", "stoves"]
    assert vocabulary(None) == []


@given(st.text(alphabet=st.characters(categories=["Ll"]), min_size=1, max_size=20))
def test_a_stem_is_the_beginning_of_its_word(word: str) -> None:
    assert stem(word)
    assert word.startswith(stem(word))
