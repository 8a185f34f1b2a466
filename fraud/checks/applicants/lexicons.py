"""Strong words of the categories that programs forbid, in several languages: data beside this module, and how they are looked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files

import msgspec

SPAM = "spam"
"""The terms of injected links: medicines and games of chance, as hackers sell them."""

_WORD = re.compile(r"\w+")


@cache
def lexicons() -> Mapping[str, tuple[str, ...]]:
    """The strong terms by category, in lower case."""
    text = files(__package__).joinpath("lexicons.yaml").read_bytes()
    return msgspec.yaml.decode(text, type=dict[str, tuple[str, ...]])


@cache
def _pattern(category: str) -> re.Pattern[str]:
    terms = sorted(lexicons().get(category, ()), key=lambda term: (-len(term), term))
    return re.compile(r"(?<!\w)(?:" + "|".join(re.escape(term).replace(r"\ ", r"[\s-]+") for term in terms) + r")(?!\w)", re.IGNORECASE)


@cache
def _first_words(category: str) -> frozenset[str]:
    return frozenset(_WORD.findall(term)[0] for term in lexicons().get(category, ()))


@lru_cache(maxsize=64)
def _words(text: str) -> frozenset[str]:
    """The words of a text, kept because every category asks for them: most texts have no term's first word."""
    return frozenset(_WORD.findall(text.lower()))


def occurrences(text: str, category: str) -> list[str]:
    """Every occurrence of the category's terms in a text, in lower case; none for a category without a lexicon."""
    if not (_first_words(category) & _words(text)):
        return []
    return [" ".join(match.group(0).lower().split()) for match in _pattern(category).finditer(text)]


def terms_in(text: str, category: str) -> set[str]:
    """The different terms of a category that occur in a text."""
    return set(occurrences(text, category))
