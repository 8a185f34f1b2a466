"""The compiled searches say what the plain ones say: hints in a source, and the language of a text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from crawlers.reading.hints import Finder, hints_in
from crawlers.reading.language import identifier

WORDS = st.text("abcé-", min_size=1, max_size=5)
SAMPLES = (
    "We went hiking along the ridge and slept beside the lake.",
    "Wir sind am Grat entlang gewandert und haben am See geschlafen.",
    "Nous avons marché le long de la crête et dormi près du lac.",
    "私たちは尾根に沿って歩き、湖のそばで眠りました。",
    "Мы шли вдоль хребта и спали у озера.",
    "123 456 !!!",
    "",
)


@given(st.lists(WORDS, min_size=1, max_size=12), st.text("abcéx-", max_size=60))
@settings(deadline=None)
def test_a_finder_finds_exactly_what_the_text_has(words: list[str], text: str) -> None:
    assert Finder(words).found(text) == {word for word in words if word in text}


def test_the_catalogues_hints_are_found_in_any_surroundings() -> None:
    source = "\ud800 é … googletag.cmd gtag('config','G-ABCDEF1234') <script src=//sedoparking.com/x.js>"
    assert "sedoparking" in hints_in(source)
    assert hints_in("<p>Nothing of the kind</p>") == frozenset()


@pytest.fixture(scope="module")
def plain() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


@pytest.mark.parametrize("text", SAMPLES)
def test_languages_are_told_as_the_library_tells_them(plain: LanguageIdentifier, text: str) -> None:
    ours, theirs = identifier().classify(text), plain.classify(text)
    assert ours[0] == theirs[0]
    assert ours[1] == pytest.approx(theirs[1], abs=1e-4)


@given(text=st.text(max_size=200))
@settings(deadline=None, max_examples=50)
def test_no_text_is_told_otherwise(plain: LanguageIdentifier, text: str) -> None:
    ours, theirs = identifier().classify(text), plain.classify(text)
    assert ours[1] == pytest.approx(theirs[1], abs=1e-3)
