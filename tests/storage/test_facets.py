"""What affiliates and their alerts can be narrowed by is kept per program, counted, and replaced by the next night."""

from __future__ import annotations

import pytest
from sqlalchemy import Select

from fraud.domain.facets import Facet, FacetCount, FacetKind
from fraud.storage.database import Database
from fraud.storage.documents import digest
from fraud.storage.facets import SqlFacets, affiliates_with, alerts_with


@pytest.fixture
def facets(database: Database) -> SqlFacets:
    return SqlFacets(database)


def offer(affiliate_id: str, value: str) -> Facet:
    return Facet(affiliate_id=affiliate_id, kind=FacetKind.OFFER, value=value)


def found(database: Database, query: Select[str]) -> set[str]:
    with database.reading() as connection:
        return set(connection.execute(query).scalars())


def test_affiliates_and_their_alerts_are_found_by_what_they_have(facets: SqlFacets, database: Database) -> None:
    facets.keep("shoes", [offer("a", "boots"), offer("b", "boots"), offer("b", "tents")], {"a": ["alr_a", "alr_ring"]})
    assert found(database, affiliates_with("shoes", FacetKind.OFFER, "boots")) == {digest("a"), digest("b")}
    assert found(database, alerts_with("shoes", FacetKind.OFFER, "boots")) - {""} == {"alr_a", "alr_ring"}
    assert found(database, affiliates_with("shoes", FacetKind.VERTICAL, "boots")) == set()
    assert found(database, affiliates_with("hats", FacetKind.OFFER, "boots")) == set()


def test_values_are_counted_by_affiliate_most_frequent_first(facets: SqlFacets) -> None:
    facets.keep("shoes", [offer("a", "boots"), offer("b", "boots"), offer("b", "tents")], {"a": ["alr_a", "alr_ring"]})
    counted = [FacetCount(value="boots", affiliates=2), FacetCount(value="tents", affiliates=1)]
    assert facets.counts("shoes", FacetKind.OFFER) == counted
    assert facets.counts("shoes", FacetKind.OFFER, 1) == counted[:1]
    assert facets.counts("hats", FacetKind.OFFER) == []


def test_a_night_replaces_what_it_saw_and_leaves_the_others(facets: SqlFacets) -> None:
    facets.keep("shoes", [offer("a", "boots"), offer("b", "boots")], {})
    facets.keep("hats", [offer("a", "boots")], {})
    facets.keep("shoes", [offer("a", "tents")], {})
    facets.keep("shoes", [], {})
    assert facets.counts("shoes", FacetKind.OFFER) == [FacetCount(value="boots", affiliates=1), FacetCount(value="tents", affiliates=1)]
    assert facets.counts("hats", FacetKind.OFFER) == [FacetCount(value="boots", affiliates=1)]
