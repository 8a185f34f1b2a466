"""Whether a site speaks a program's language and of its topic. Neither ever weighs more than a low finding."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from crawlers.facts import PageFacts
from fraud.checks.applicants.context import Visit, evidence_of, words_of
from fraud.domain.catalogue import CHECKS, Limits, Observation
from fraud.domain.programs import ProgramProfile
from fraud.domain.signals import Evidence, Severity, Signal

_LANGUAGE = CHECKS["website.language"]
_TOPIC = CHECKS["website.topic"]

_WORD = re.compile(r"[^\W\d_]+")
_ENDINGS = ("ists", "ings", "ist", "ing", "ers", "ies", "er", "ed", "es", "en", "e", "s", "n", "y")
_SHORTEST_STEM = 3  # letters; shorter ones stand for too many words
_SHORTEST_PART = 5  # letters; a stem this long inside a longer word is a compound (Fahrrad in Fahrradreise), not chance
_SHORTEST_DESCRIPTION_WORD = 5  # letters; leaves out nearly every article, pronoun and conjunction
_QUOTE = 120  # characters


def language(visit: Visit, limits: Limits) -> Signal:
    """W19: pages whose language is told with confidence, against the program's; a page's own word only ever clears it."""
    wanted = _languages(visit.profile)
    if not wanted:
        return _LANGUAGE.not_applicable(visit.subject, "The program's profile names no language.")
    told = Counter(_main(page.facts.detected_language) for page in visit.site.pages if _is_told(page.facts, limits))
    declared = {_main(page.facts.declared_language) for page in visit.site.pages} - {""}
    known = set(told) | (declared if not told else set())
    if not (told or declared & wanted):
        return _LANGUAGE.inconclusive(visit.subject, "There is too little text to tell its language with confidence.")
    seen = Observation(
        text=f"Language of the site: {', '.join(sorted(known))}; of the program: {', '.join(sorted(wanted))}.",
        value={"detected": dict(sorted(told.items())), "declared": sorted(declared)},
        baseline=sorted(wanted),
        sample_size=told.total(),
        evidence=_spoken(visit),
    )
    return _LANGUAGE.clear(visit.subject, seen) if known & wanted else _LANGUAGE.finding(visit.subject, Severity.LOW, seen)


def _languages(profile: ProgramProfile | None) -> set[str]:
    return {_main(name) for name in profile.languages} - {""} if profile else set()


def _main(tag: str) -> str:
    """The language of a tag such as `pt-BR`."""
    return re.split(r"[-_]", tag.strip().lower())[0]


def _is_told(page: PageFacts, limits: Limits) -> bool:
    sure = page.language_confidence is not None and page.language_confidence >= limits["minimum_confidence"]
    return bool(page.detected_language) and sure and page.word_count >= limits["minimum_words"]


def _spoken(visit: Visit) -> tuple[Evidence, ...]:
    """A few words of the home page, from the inside of its text where it is longest without a break."""
    lines = visit.home.facts.text.splitlines() or [""]
    return (evidence_of(visit.home, max(lines, key=len)[:_QUOTE].strip()),)


def topic(visit: Visit, limits: Limits) -> Signal:
    """W18: the share of the program's keywords that occur on the site, compared by light stems within one language."""
    keywords = vocabulary(visit.profile)
    if not keywords:
        return _TOPIC.not_applicable(visit.subject, "The program's profile has neither keywords nor a vertical nor a description.")
    if other := _foreign(visit):
        return _TOPIC.not_applicable(visit.subject, f"The site is in another language ({other}) than the program's keywords.")
    words = sum(page.facts.word_count for page in visit.readable)
    if words < limits["minimum_words"]:
        return _TOPIC.inconclusive(visit.subject, f"{words} readable words are too few to have a topic.")
    text = "\n".join(words_of(page.facts) for page in visit.readable)
    stems = {stem(word) for word in _WORD.findall(_plain(text))}
    common = [keyword for keyword in keywords if _occurs(keyword, stems, text)]
    share = len(common) / len(keywords)
    named = f": {', '.join(common[:10])}" if common else ""
    seen = Observation(
        text=f"{len(common)} of the program's {len(keywords)} keyword(s) occur on the site{named}.",
        value=round(share, 4),
        baseline=limits["minimum_keyword_share"],
        sample_size=words,
        evidence=tuple(evidence_of(page, words=page.facts.word_count) for page in visit.readable[:5]),
    )
    return (
        _TOPIC.clear(visit.subject, seen) if share >= limits["minimum_keyword_share"] else _TOPIC.finding(visit.subject, Severity.LOW, seen)
    )


def _foreign(visit: Visit) -> str:
    """The site's language when it is told, and is none of the program's."""
    wanted = _languages(visit.profile)
    seen = {_main(page.facts.detected_language) for page in visit.site.pages} - {""}
    return ", ".join(sorted(seen)) if wanted and seen and not seen & wanted else ""


def vocabulary(profile: ProgramProfile | None) -> list[str]:
    """What a program says it is about: its keywords and vertical, or else the longer words of its description."""
    if profile is None:
        return []
    stated = [phrase for phrase in (*profile.keywords, profile.vertical) if phrase.strip()]
    described = [word for word in _WORD.findall(profile.description) if len(word) >= _SHORTEST_DESCRIPTION_WORD]
    return list(dict.fromkeys(phrase.strip().casefold() for phrase in stated or described))


def stem(word: str) -> str:
    """A word without its commonest ending, in plain lower-case letters: enough to bring `bikes` to `bike` and `hiking` to `hike`."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            return word.removesuffix(ending)
    return word


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def _occurs(phrase: str, stems: set[str], text: str) -> bool:
    """Whether every word of a phrase occurs; scripts without spaces between words are searched as they are written."""
    words = _WORD.findall(_plain(phrase))
    if not words or not any(letter.isascii() for letter in "".join(words)):
        return phrase in text.casefold()
    return all(_word_occurs(stem(word), stems) for word in words)


def _word_occurs(wanted: str, stems: set[str]) -> bool:
    return wanted in stems or (len(wanted) >= _SHORTEST_PART and any(wanted in known for known in stems))
