"""A scan keeps what its affiliates can be narrowed by: their kind, their offers and the verticals of those."""

from __future__ import annotations

from fraud.app.facets import facets_of
from fraud.app.parts import App
from fraud.domain.actors import DEFAULT_PROGRAM
from fraud.domain.alerts import AlertQuery
from fraud.domain.clock import as_utc
from fraud.domain.facets import FacetKind
from fraud.domain.nights import SubjectQuery


def test_a_scan_keeps_the_offers_and_kinds_of_its_affiliates(scanned_copy: App) -> None:
    app = scanned_copy
    result = app.stores.scans.latest(DEFAULT_PROGRAM)
    assert result is not None
    facets = facets_of(app, result)
    assert {one.affiliate_id for one in facets} <= {one.affiliate_id for one in result.affiliates}
    for kind in FacetKind:
        by_value = {one.value: {other.affiliate_id for other in facets if (other.kind, other.value) == (kind, one.value)} for one in facets}
        counted = {one.value: one.affiliates for one in app.stores.facets.counts(DEFAULT_PROGRAM, kind)}
        assert counted == {value: len(who) for value, who in by_value.items() if who}
        for value in counted:
            query = SubjectQuery(facets=((kind, value),), limit=500)
            lines, total = app.stores.nights.subjects(DEFAULT_PROGRAM, result.scan_id, query)
            assert {line.affiliate_id for line in lines} == by_value[value]
            assert total == len(by_value[value])


def test_alerts_are_found_by_the_offers_of_their_affiliates(scanned_copy: App) -> None:
    app = scanned_copy
    result = app.stores.scans.latest(DEFAULT_PROGRAM)
    assert result is not None
    alert = result.alerts[0]
    members = alert.members or (alert.subject_id,)
    own = {one.value for one in facets_of(app, result) if one.affiliate_id in members and one.kind is FacetKind.OFFER}
    now = as_utc(result.as_of)
    for count in app.stores.facets.counts(DEFAULT_PROGRAM, FacetKind.OFFER):
        asked = AlertQuery(facets=((FacetKind.OFFER, count.value),), limit=100)
        found, _ = app.stores.alerts.matching(DEFAULT_PROGRAM, now, asked)
        assert (alert.alert_id in {one.alert_id for one in found}) == (count.value in own)
