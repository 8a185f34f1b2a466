"""What kind of exit a network is by who announces it: its AS number where that is known, else the words of its name.

Words are weak: a name that speaks for hosting and for access at once, or for nothing, leaves the class unknown.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib import resources

import yaml

from fraud.domain.hashing import sha256_of
from fraud.domain.networks import PRECEDENCE, EgressClass

_ACCESS = frozenset({EgressClass.MOBILE_CARRIER, EgressClass.RESIDENTIAL})


@dataclass(frozen=True)
class OperatorClass:
    """The class of a network's addresses, and why it is taken to be so (empty for unknown)."""

    egress_class: EgressClass
    why: str


@dataclass(frozen=True)
class _Lists:
    numbers: dict[int, tuple[EgressClass, str]]
    words: tuple[tuple[EgressClass, re.Pattern[str]], ...]
    hash: str


def classify(asn: int, organisation: str) -> OperatorClass:
    """The class of a network by its number and its name; `asn` 0 and an empty name are unknown."""
    lists = _lists()
    if asn in lists.numbers:
        known, name = lists.numbers[asn]
        return OperatorClass(known, f"AS{asn} is {name}")
    plain = _plain(organisation)
    said = {egress_class: found[0] for egress_class, pattern in lists.words if (found := pattern.search(plain))}
    if EgressClass.HOSTING in said and _ACCESS & said.keys():
        return OperatorClass(EgressClass.UNKNOWN, f"its name speaks for both {' and '.join(map(repr, said.values()))}")
    best = min(said, key=PRECEDENCE.index, default=None)
    return OperatorClass(best, f"its name says {said[best]!r}") if best else OperatorClass(EgressClass.UNKNOWN, "")


def lists_hash() -> str:
    """SHA-256 (hex) of the lists, for the manifest of tables made with them."""
    return _lists().hash


@cache
def _lists() -> _Lists:
    text = (resources.files("fraud.enrichment") / "operators.yaml").read_text(encoding="utf-8")
    content = yaml.safe_load(text)
    numbers = {
        number: (EgressClass(name), operator)
        for name, operators in content["networks"].items()
        for operator, owned in operators.items()
        for number in owned
    }
    words = tuple((EgressClass(name), _pattern(words)) for name, words in content["words"].items())
    return _Lists(numbers, words, sha256_of(content))


def _pattern(words: list[str]) -> re.Pattern[str]:
    alternatives = sorted((re.escape(word).replace(r"\*", "[a-z]*") for word in words), key=len, reverse=True)
    return re.compile(rf"(?<![a-z0-9])(?:{'|'.join(alternatives)})(?![a-z0-9])")


def _plain(name: str) -> str:
    """Lower case without accents, everything between words one blank."""
    letters = unicodedata.normalize("NFKD", name.lower())
    return " ".join(re.findall(r"[a-z0-9]+", "".join(c for c in letters if not unicodedata.combining(c))))
