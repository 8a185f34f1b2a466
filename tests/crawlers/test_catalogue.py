"""Every entry of the catalogue recognises its own samples, and only those."""

from __future__ import annotations

import re

import pytest

from crawlers.catalogue import (
    AdService,
    AffiliateNetwork,
    DisclosurePhrase,
    IdentityWords,
    ParkingProvider,
    ReviewService,
    SalePhrase,
    SocialPlatform,
    TrackerPattern,
    ad_services,
    affiliate_networks,
    disclosures,
    identity_words,
    ignoring_case,
    parking,
    review_services,
    social_platforms,
    tracker_patterns,
)
from crawlers.page import read_page
from crawlers.reading.advertising import advertising
from crawlers.reading.affiliate import network_of
from crawlers.reading.links import looks_like
from crawlers.reading.phrases import trackers
from crawlers.reading.social import profile_of
from crawlers.review_pages import review_subject


@pytest.mark.parametrize("network", affiliate_networks(), ids=lambda network: network.id)
def test_affiliate_networks(network: AffiliateNetwork) -> None:
    assert {url: network_of(url) for url in network.hits} == dict.fromkeys(network.hits, network.id)
    assert [url for url in network.misses if network_of(url) == network.id] == []


PHRASES = [(entry.language, phrase) for entry in disclosures() for phrase in entry.phrases]


@pytest.mark.parametrize(("language", "phrase"), PHRASES, ids=lambda part: part if isinstance(part, str) else part.hint)
def test_disclosures(language: str, phrase: DisclosurePhrase) -> None:
    pattern = ignoring_case(phrase.pattern.replace(" ", r"\s+"))
    for text in phrase.hits:
        assert phrase.hint in text.lower()
        assert pattern.search(text), text
        found = read_page(f"<html lang={language}><p>{text.replace(chr(10), '<p>')}", "https://shop.example/").disclosures
        assert language in {disclosure.language for disclosure in found}
    assert [text for text in phrase.misses if phrase.hint in text.lower() and pattern.search(text)] == []


def test_disclosures_are_known_in_twelve_languages() -> None:
    assert len({entry.language for entry in disclosures()}) >= 12
    assert {entry.language for entry in disclosures()} == set(identity_words()[0].words)


@pytest.mark.parametrize("service", review_services(), ids=lambda service: service.id)
def test_review_services(service: ReviewService) -> None:
    assert {url: review_subject(url) for url in service.hits} == {url: (service.id, subject) for url, subject in service.hits.items()}
    assert [url for url in service.misses if review_subject(url) is not None] == []


@pytest.mark.parametrize("provider", parking().providers, ids=lambda provider: provider.id)
def test_parking_providers(provider: ParkingProvider) -> None:
    assert provider.markup or provider.hosts
    for source in provider.hits:
        signs = read_page(source, "https://parked.example/").parking_signs
        assert provider.id in {sign.provider for sign in signs}, source
    for source in provider.misses:
        assert read_page(source, "https://honest.example/").parking_signs == (), source


@pytest.mark.parametrize("phrase", parking().sale_phrases, ids=lambda phrase: phrase.pattern[:40])
def test_sale_phrases(phrase: SalePhrase) -> None:
    for text in phrase.hits:
        assert [sign.kind for sign in read_page(f"<p>{text}", "https://parked.example/").parking_signs] == ["sale_phrase"], text
    for text in phrase.misses:
        assert read_page(f"<p>{text}", "https://honest.example/").parking_signs == (), text


@pytest.mark.parametrize("platform", social_platforms(), ids=lambda platform: platform.id)
def test_social_platforms(platform: SocialPlatform) -> None:
    assert {url: profile_of(url) for url in platform.hits} == {url: (platform.id, handle) for url, handle in platform.hits.items()}
    assert {url: profile_of(url) for url in platform.misses} == dict.fromkeys(platform.misses)


@pytest.mark.parametrize("words", identity_words(), ids=lambda words: words.kind)
def test_identity_pages(words: IdentityWords) -> None:
    def fits(sample: str) -> bool:
        text, _, path = sample.partition("|")
        return looks_like(words, text.strip(), path.strip())

    assert [sample for sample in words.hits if not fits(sample)] == []
    assert [sample for sample in words.misses if fits(sample)] == []


@pytest.mark.parametrize("words", identity_words(), ids=lambda words: words.kind)
def test_every_identity_word_is_recognised_as_a_link_text(words: IdentityWords) -> None:
    names = [name for group in words.words.values() for name in group]
    assert [name for name in names if not looks_like(words, name.upper(), "/x")] == []


@pytest.mark.parametrize("pattern", tracker_patterns(), ids=lambda pattern: pattern.kind)
def test_trackers(pattern: TrackerPattern) -> None:
    for source, value in pattern.hits.items():
        assert (pattern.kind, value) in {(found.kind, found.value) for found in trackers(source)}, source
    assert [source for source in pattern.misses if any(found.kind == pattern.kind for found in trackers(source))] == []


def test_ids_are_unique() -> None:
    for ids in (
        [network.id for network in affiliate_networks()],
        [provider.id for provider in parking().providers],
        [platform.id for platform in social_platforms()],
        [pattern.kind for pattern in tracker_patterns()],
    ):
        assert len(ids) == len(set(ids))


def test_every_pattern_is_bounded() -> None:
    """An unbounded repeat inside a repeat is how a page could keep a reader busy for hours."""
    patterns = [phrase.pattern for _, phrase in PHRASES]
    patterns += [phrase.pattern for phrase in parking().sale_phrases] + [pattern.pattern for pattern in tracker_patterns()]
    assert [pattern for pattern in patterns if re.search(r"[+*]\)[+*]", pattern)] == []


@pytest.mark.parametrize("service", ad_services(), ids=lambda service: service.id)
def test_advertising_services_are_recognised_by_their_marks(service: AdService) -> None:
    assert all(service.id in advertising(source)[1] for source in service.hits)
    assert not any(service.id in advertising(source)[1] for source in service.misses)
    assert all(advertising(source)[0] > 0 for source in service.hits if service.slots)
