"""What the readers recognise, as data: affiliate networks, disclosures, parking, profiles, review services, identity pages, trackers.

One YAML file each, written by hand. Every entry carries samples it must hit and samples it must miss; the tests run them all. Patterns are
Python regular expressions, matched without regard to case unless the field says otherwise.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from msgspec import Struct, yaml

from crawlers.facts import IdentityPageKind


class AffiliateNetwork(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Links of a network: one of `hosts` (or below), and one of `paths` (patterns at the path's start) and of `params` where given."""

    id: str
    name: str
    hosts: tuple[str, ...]
    paths: tuple[str, ...] = ()
    params: tuple[str, ...] = ()
    hits: tuple[str, ...]
    misses: tuple[str, ...]


class DisclosurePhrase(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A disclosure: `pattern` is searched in the visible text, only where the lower-case text has the literal `hint`."""

    hint: str
    pattern: str
    hits: tuple[str, ...]
    misses: tuple[str, ...]


class DisclosureLanguage(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The phrases of one language (ISO 639-1)."""

    language: str
    phrases: tuple[DisclosurePhrase, ...]


class ParkingProvider(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A parking service: `markup` patterns in the page's source (with a literal `hint` each), `hosts` its pages link to."""

    id: str
    name: str
    markup: tuple[MarkupPattern, ...] = ()
    hosts: tuple[str, ...] = ()
    hits: tuple[str, ...]
    misses: tuple[str, ...]


class MarkupPattern(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A pattern in a page's source, searched only where the source has the literal `hint` (exact case)."""

    hint: str
    pattern: str


class SalePhrase(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A phrase that offers the domain itself; `hint` as in DisclosurePhrase."""

    hint: str
    pattern: str
    hits: tuple[str, ...]
    misses: tuple[str, ...]


class Parking(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All signs of parked domains. `lander_paths` are paths that parked pages send visitors to by script."""

    providers: tuple[ParkingProvider, ...]
    sale_phrases: tuple[SalePhrase, ...]
    lander_paths: tuple[str, ...]


class SocialPlatform(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Profile addresses of a platform: one of `hosts`, and one of `paths` (the whole path, with a group `handle`) not in `reserved`.

    `subdomains` says that the handle is the label before the host, as with Tumblr.
    """

    id: str
    name: str
    hosts: tuple[str, ...]
    paths: tuple[str, ...] = ()
    reserved: tuple[str, ...] = ()
    subdomains: bool = False
    hits: dict[str, str]
    misses: tuple[str, ...]


class ReviewService(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Pages of a review service: one of `hosts` (or below), and one of `paths` (the whole path, with a group `subject`).

    The subject is whom a page is about. `by_domain` says that it is the domain of the reviewed website. `hits` maps an address to its
    subject.
    """

    id: str
    name: str
    hosts: tuple[str, ...]
    paths: tuple[str, ...]
    by_domain: bool = False
    hits: dict[str, str]
    misses: tuple[str, ...]


class IdentityWords(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How links to one kind of identity page are called, by language, and what their paths look like.

    `words` match a link text that begins with them; `paths` one whole part of the path, without its ending.
    """

    kind: IdentityPageKind
    words: dict[str, tuple[str, ...]]
    paths: tuple[str, ...]
    hits: tuple[str, ...]
    misses: tuple[str, ...]


class TrackerPattern(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account number in the page's source: group 1 of `pattern` (exact case), searched only where the literal `hint` occurs."""

    kind: str
    hint: str
    pattern: str
    hits: dict[str, str]
    misses: tuple[str, ...]


class AdService(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A service that fills places on pages: `slots` patterns of one place each, `hosts` literals that show the service at all."""

    id: str
    name: str
    slots: tuple[MarkupPattern, ...] = ()
    hosts: tuple[str, ...] = ()
    hits: tuple[str, ...]
    misses: tuple[str, ...]


@cache
def ad_services() -> tuple[AdService, ...]:
    """Return the advertising services."""
    return yaml.decode(_read("advertising"), type=tuple[AdService, ...])


@cache
def affiliate_networks() -> tuple[AffiliateNetwork, ...]:
    """Return the affiliate networks."""
    return yaml.decode(_read("affiliate_networks"), type=tuple[AffiliateNetwork, ...])


@cache
def disclosures() -> tuple[DisclosureLanguage, ...]:
    """Return the disclosure phrases."""
    return yaml.decode(_read("disclosures"), type=tuple[DisclosureLanguage, ...])


@cache
def parking() -> Parking:
    """Return the signs of parked domains."""
    return yaml.decode(_read("parking"), type=Parking)


@cache
def social_platforms() -> tuple[SocialPlatform, ...]:
    """Return the social platforms."""
    return yaml.decode(_read("social_platforms"), type=tuple[SocialPlatform, ...])


@cache
def review_services() -> tuple[ReviewService, ...]:
    """Return the review services."""
    return yaml.decode(_read("review_services"), type=tuple[ReviewService, ...])


@cache
def identity_words() -> tuple[IdentityWords, ...]:
    """Return the names of identity pages."""
    return yaml.decode(_read("identity_pages"), type=tuple[IdentityWords, ...])


@cache
def tracker_patterns() -> tuple[TrackerPattern, ...]:
    """Return the patterns of trackers' account numbers."""
    return yaml.decode(_read("trackers"), type=tuple[TrackerPattern, ...])


@cache
def ignoring_case(pattern: str) -> re.Pattern[str]:
    """Return the compiled pattern of an entry."""
    return re.compile(pattern, re.IGNORECASE)


@cache
def exact_case(pattern: str) -> re.Pattern[str]:
    """Return the compiled pattern of an entry whose case counts."""
    return re.compile(pattern)


def _read(name: str) -> bytes:
    return files(__package__).joinpath(f"{name}.yaml").read_bytes()
