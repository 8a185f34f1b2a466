"""What a night's affiliates can be narrowed by, read from the lake and kept beside the night: their kind, offers and verticals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from fraud.app.parts import App
from fraud.cases.alerting import alert_id_of
from fraud.domain.clock import as_utc
from fraud.domain.decisions import SubjectKind
from fraud.domain.facets import Facet, FacetKind
from fraud.domain.scans import ScanResult

_QUERY = """
WITH active AS (
    SELECT affiliate_id, offer_id FROM clicks WHERE clicked_at >= $start AND clicked_at < $end
    UNION SELECT affiliate_id, offer_id FROM conversions WHERE converted_at >= $start AND converted_at < $end)
SELECT affiliate_id, 'offer' AS kind, offer_id AS value FROM active WHERE offer_id IS NOT NULL
UNION SELECT a.affiliate_id, 'vertical', o.vertical FROM active a JOIN offers o USING (offer_id) WHERE o.vertical IS NOT NULL
UNION SELECT affiliate_id, 'type', affiliate_type FROM affiliates JOIN (SELECT DISTINCT affiliate_id FROM active) USING (affiliate_id)
    WHERE affiliate_type IS NOT NULL
"""


def keep_facets(app: App, result: ScanResult) -> None:
    """Keeps what tonight's affiliates can be narrowed by, and which alerts each is part of: its own, and those of its rings."""
    app.stores.facets.keep(result.program_id, facets_of(app, result), _alerts_of(result))


def facets_of(app: App, result: ScanResult) -> list[Facet]:
    """The facets of every affiliate that was active in a scan's window. What a tracker does not report has no facet."""
    asked = {"start": _naive(result.window.start), "end": _naive(result.window.end)}
    with app.lake.connect(result.program_id, since=result.window.start) as events:
        rows = events.execute(_QUERY, asked).fetchall()
    return [Facet(affiliate_id=affiliate_id, kind=FacetKind(kind), value=value) for affiliate_id, kind, value in rows if value]


def _alerts_of(result: ScanResult) -> Mapping[str, Sequence[str]]:
    program_id, found = result.program_id, defaultdict[str, list[str]](list)
    for one in result.affiliates:
        found[one.affiliate_id].append(alert_id_of(program_id, SubjectKind.AFFILIATE, one.affiliate_id))
    for ring in result.rings:
        for affiliate_id in ring.affiliate_ids:
            found[affiliate_id].append(alert_id_of(program_id, SubjectKind.RING, ring.ring_id))
    return found


def _naive(moment: datetime) -> datetime:
    return as_utc(moment).astimezone(UTC).replace(tzinfo=None)
