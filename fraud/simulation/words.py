"""Made-up names: of affiliates, their sites, their customers. Every domain ends in the reserved `.example`, so that nothing can be
called by it.
"""

from __future__ import annotations

import numpy as np

_FIRST = (
    *("Alder", "Amber", "Aspen", "Beacon", "Birch", "Bramble", "Bright", "Cedar", "Clover", "Copper", "Coral", "Crystal"),
    *("Dapple", "Dawn", "Elder", "Ember", "Fern", "Flint", "Frost", "Gentle", "Golden", "Granite", "Harbour", "Hazel"),
    *("Heather", "Honey", "Indigo", "Ivory", "Juniper", "Kestrel", "Lantern", "Laurel", "Lively", "Maple", "Marble"),
    *("Meadow", "Misty", "Modern", "North", "Nutmeg", "Oak", "Olive", "Orchard", "Pebble", "Pine", "Plum", "Quiet", "River"),
    *("Rowan", "Saffron", "Silver", "Sorrel", "Spruce", "Sunny", "Thistle", "Timber", "Umber", "Velvet", "Violet", "Walnut"),
    *("Willow", "Winter", "Wren", "Yarrow"),
)
_SECOND = (
    *("Almanac", "Atlas", "Bazaar", "Bench", "Bridge", "Bulletin", "Cabin", "Cart", "Chronicle", "Club", "Collective"),
    *("Corner", "Courier", "Crate", "Desk", "Digest", "Dispatch", "Edit", "Finder", "Folio", "Gazette", "Guide", "Hollow"),
    *("House", "Index", "Journal", "Kitchen", "Ledger", "Letters", "List", "Living", "Loft", "Magazine", "Market", "Media"),
    *("Notes", "Outpost", "Papers", "Parcel", "Picks", "Post", "Press", "Quarter", "Review", "Room", "Savings", "Shelf"),
    *("Signal", "Society", "Stories", "Studio", "Table", "Tribune", "Valley", "Voice", "Weekly", "Window", "Works", "Yard"),
)
_GIVEN = (
    *("ada", "aisha", "amir", "anna", "arjun", "ben", "carla", "chloe", "daniel", "dewi", "emma", "eva", "farah", "felix"),
    *("gita", "hana", "hugo", "ines", "jan", "joao", "kenji", "lara", "leo", "lina", "lucas", "maria", "max", "mei", "mia"),
    *("nadia", "noah", "nora", "olga", "omar", "paul", "priya", "rafael", "rosa", "sam", "sara", "sofia", "tariq", "thabo"),
    *("theo", "tom", "vera", "will", "yuki", "yusuf", "zoe"),
)
_MAIL_HOSTS = ("gmail.com", "gmail.com", "gmail.com", "outlook.com", "yahoo.com", "icloud.com", "hotmail.com")


class StringTable:
    """Strings that the visits refer to by number."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def add(self, *names: str) -> int:
        """Appends strings and returns the number of the first; the others follow it."""
        first = len(self.names)
        self.names.extend(names)
        return first


def business_names(rng: np.random.Generator, count: int) -> list[str]:
    """`count` different names of two words, with a number once the pairs run out."""
    pairs = [f"{first} {second}" for first in _FIRST for second in _SECOND]
    order = rng.permutation(len(pairs))
    return [pairs[order[i % len(pairs)]] + (f" {i // len(pairs) + 1}" if i >= len(pairs) else "") for i in range(count)]


def domain_of(name: str, ending: str = "") -> str:
    """A domain for a name: its letters run together, an optional further word, and `.example`."""
    return f"{''.join(name.lower().split())}{ending}.example"


def person_email(identity: int) -> str:
    """A person's address at a large free provider or, for one in eight, a domain of their own; the same for the same identity."""
    given, rest = _GIVEN[identity % len(_GIVEN)], identity // len(_GIVEN)
    token = f"{(rest >> 8) % 36**6:x}"
    if rest % 8 == 0:
        return f"{given}@{token}{_SECOND[(rest >> 3) % len(_SECOND)].lower()}.example"
    return f"{given}.{token}@{_MAIL_HOSTS[(rest >> 3) % len(_MAIL_HOSTS)]}"
