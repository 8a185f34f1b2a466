"""The words of a page: lines of visible text, the main part of it, how many words, and in which language."""

from __future__ import annotations

import re
from functools import lru_cache

from crawlers.reading.language import identifier
from crawlers.reading.walk import Line

MOST_TEXT = 20_000
"""Characters kept of a page's text."""
LANGUAGE_WORDS = 20
"""Words from which a guess of the language is made; below, names and menus decide it."""
LANGUAGE_TEXT = 2_000
"""Characters that the guess is made from."""
MAIN_WORDS = 25
"""Main text with fewer words than this is given up for the whole text: the page then marks up its content as something else."""

WORD = re.compile(r"[^\W_]\S*")
UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
"""Scripts written without spaces between words: Thai, Lao, Burmese, Khmer, Japanese, Chinese."""


def visible_text(lines: list[Line]) -> str:
    """Return all visible text, one line per block."""
    return _joined(lines)


def main_text(lines: list[Line]) -> str:
    """Return the text without navigation, footers and sidebars, or all of it where hardly anything would be left."""
    main = _joined([line for line in lines if line.main])
    return main if count_words(main) >= MAIN_WORDS else _joined(lines)


@lru_cache(maxsize=16)
def count_words(text: str) -> int:
    """Count words; two characters make one in scripts without spaces."""
    spaced, unspaced = (text, 0) if text.isascii() else UNSPACED.subn(" ", text)
    return sum(token[0].isalnum() or WORD.search(token) is not None for token in spaced.split()) + (unspaced + 1) // 2


def detect_language(text: str, words: int) -> tuple[str, float | None]:
    """Return the language (ISO 639-1) and the confidence in 0..1; '' and None for fewer than 20 words."""
    if words < LANGUAGE_WORDS:
        return "", None
    language, confidence = identifier().classify(text[:LANGUAGE_TEXT])
    return str(language), round(float(confidence), 4)


def _joined(lines: list[Line]) -> str:
    return "\n".join(line.text for line in lines if line.text)
