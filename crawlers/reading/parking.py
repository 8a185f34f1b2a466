"""Signs that a page is a parked domain's: a parking service's markup or links, an offer of the domain, a title that is the domain."""

from __future__ import annotations

from crawlers.catalogue import ParkingProvider, exact_case, ignoring_case, parking
from crawlers.domains import is_within, registrable_domain
from crawlers.facts import AutoNavigation, Link, ParkingSign
from crawlers.reading.hints import hints_in
from crawlers.reading.urls import host_of, path_of

AROUND = 120
MOST_SOURCE = 300_000
"""Characters of source searched for markup; parked pages are small."""
OFFER_WORDS = 400
"""Words up to which a page may be the offer of a domain; longer ones write about domains."""
TITLE_WORDS = 60
"""Words up to which a title that is the domain's name says that the page has nothing else to say."""


def parking_signs(source: str, text: str, words: int, links: tuple[Link, ...]) -> list[ParkingSign]:
    """Return the signs in a page's source, text and links; at most one per kind and provider."""
    signs = [sign for provider in parking().providers if (sign := provider_sign(provider, source))]
    if words <= OFFER_WORDS:
        signs += sale_signs(text)
        signs += _link_signs(links)
    return signs


def provider_sign(provider: ParkingProvider, source: str) -> ParkingSign | None:
    """Return the first sign of a provider's markup."""
    hints = hints_in(source)
    for markup in provider.markup:
        match = exact_case(markup.pattern).search(source[:MOST_SOURCE]) if markup.hint in hints else None
        if match:
            return ParkingSign(kind="provider_script", provider=provider.id, excerpt=_around(source, match.start(), match.end()))
    return None


def sale_signs(text: str) -> list[ParkingSign]:
    """Return the first phrase that offers the domain."""
    lowered = text.lower()
    for phrase in parking().sale_phrases:
        match = ignoring_case(phrase.pattern.replace(" ", r"\s+")).search(text) if phrase.hint in lowered else None
        if match:
            return [ParkingSign(kind="sale_phrase", excerpt=_around(text, match.start(), match.end()))]
    return []


def lander_signs(navigations: tuple[AutoNavigation, ...], host: str) -> list[ParkingSign]:
    """Return the sign that a page does nothing but send visitors to the parking service's page on the same host."""
    paths = parking().lander_paths
    return [
        ParkingSign(kind="lander_redirect", excerpt=navigation.excerpt)
        for navigation in navigations
        if host_of(navigation.url) == host and path_of(navigation.url).rstrip("/") in paths
    ][:1]


def title_signs(title: str, host: str, words: int) -> list[ParkingSign]:
    """Return the sign that the title is nothing but the domain, on a page with hardly any words."""
    domain = registrable_domain(host)
    name = title.strip().lower().removeprefix("www.").rstrip("/")
    if domain and words <= TITLE_WORDS and name in {domain, host.removeprefix("www.")} and "." in name:
        return [ParkingSign(kind="title_is_domain", excerpt=title[:AROUND])]
    return []


def _link_signs(links: tuple[Link, ...]) -> list[ParkingSign]:
    signs: dict[str, ParkingSign] = {}
    for provider in parking().providers:
        for link in links:
            if any(is_within(link.host, host) for host in provider.hosts):
                signs.setdefault(
                    provider.id, ParkingSign(kind="parking_link", provider=provider.id, excerpt=f"{link.text} {link.url}"[:300])
                )
    return list(signs.values())


def _around(text: str, start: int, end: int) -> str:
    return text[max(0, start - AROUND) : min(end, start + AROUND) + AROUND][:300]
