from __future__ import annotations

import re

import crawleruseragents
import pytest

from fraud.enrichment.agents import declares_automation, read_agent
from fraud.enrichment.crawler_index import PatternIndex, branches, needed_letters


@pytest.mark.parametrize(
    ("pattern", "letters"),
    [
        (r"^Seekbot", "Seekbot"),
        (r"AdsBot-Google([^-]|$)", "AdsBot-Google"),
        (r"[wW]get", "get"),
        (r"abc?defg", "abdefg"),
        (r"\d+bot\/", "bot/"),
    ],
)
def test_the_letters_are_in_every_match(pattern: str, letters: str) -> None:
    assert needed_letters(pattern) in letters
    assert needed_letters(pattern)


@pytest.mark.parametrize("pattern", [r"(?i)spider", r"a.b", r"(spider|bot)", r"x{2,}yz?"])
def test_no_letters_are_told_where_none_are_sure(pattern: str) -> None:
    assert not needed_letters(pattern)


def test_alternatives_stand_for_themselves() -> None:
    assert branches(r"Chirp|go(a|b)social|[|]x") == ["Chirp", "go(a|b)social", "[|]x"]


def test_every_known_crawler_is_found_as_by_trying_everything() -> None:
    patterns = [entry["pattern"] for entry in crawleruseragents.CRAWLER_USER_AGENTS_DATA]
    everything = re.compile("|".join(f"(?:{pattern})" for pattern in patterns))
    texts = {text for entry in crawleruseragents.CRAWLER_USER_AGENTS_DATA for text in entry.get("instances", [])}
    texts |= {text[::-1] for text in list(texts)[:200]}
    index = PatternIndex(patterns)
    assert [text for text in texts if index.search(text) != (everything.search(text) is not None)] == []


@pytest.mark.parametrize("text", ["", "-", "curl/8.4", "HeadlessChrome/120", "Mozilla/5.0 (Windows NT 10.0) Chrome/126", "Googlebot/2.1"])
def test_the_short_answer_is_that_of_the_long_reading(text: str) -> None:
    assert declares_automation(text) == read_agent(text).declared_bot
