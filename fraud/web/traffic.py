"""Traffic: affiliates ranked, one affiliate through its nights, rings, and what lies around somebody in the graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from fastapi import Request, Response
from markupsafe import Markup

from fraud.app.cases import case_tools
from fraud.app.graph import FRESH, graph_around
from fraud.app.parts import App
from fraud.app.shapes import conversions_seen, traffic_shape
from fraud.cases.alerting import alert_id_of
from fraud.domain.alerts import Alert
from fraud.domain.decisions import DecisionKind, Outcome, SubjectKind
from fraud.domain.facets import FacetKind
from fraud.domain.graph_view import Neighbourhood
from fraud.domain.nights import NightLine, SubjectLine, SubjectQuery, SubjectSort
from fraud.domain.scans import Ring, ScanResult
from fraud.domain.shapes import ConversionSeen, TrafficShape
from fraud.errors import NotFound
from fraud.links.kinds import innocent, spoken, tier_of
from fraud.reports.drawing import draw_neighbourhood
from fraud.reports.scan import section_of
from fraud.reports.tables import table_csv
from fraud.web.applying import application_of
from fraud.web.looking import Looks
from fraud.web.paging import PAGE_SIZE, Paging, asked_page
from fraud.web.queueing import Facets, Filter, facet_filter
from fraud.web.rendering import csv_response, page
from fraud.web.reporting import own_figures
from fraud.web.routing import Route, routes
from fraud.web.shelf import Shelf
from fraud.web.visits import Door, Visit
from fraud.workflows.casework import case_of

_HISTORY = 750
"""Nights of an affiliate's history: two years."""
_HISTORY_LISTED = 30
_LINKS = 25
_OUTCOMES = (Outcome.SUSPEND, Outcome.HOLD, Outcome.REVIEW, Outcome.WATCH, Outcome.PASS)
SORTS = {
    SubjectSort.RANK: "Risk",
    SubjectSort.NAME: "Affiliate",
    SubjectSort.CLICKS: "Clicks",
    SubjectSort.CONVERSIONS: "Conversions",
    SubjectSort.COMMISSION: "Commission",
    SubjectSort.AT_RISK: "At risk",
}
FACETS = {FacetKind.TYPE: "Any kind of affiliate", FacetKind.VERTICAL: "Any vertical", FacetKind.OFFER: "Any offer"}
"""What the list is narrowed by, and what it says while nothing is chosen."""
HELD = "held"
_LINE_COLUMNS = ("rank", "affiliate_id", "score", "outcome", "alerted", "clicks", "conversions", "commission", "at_risk", "currency", "why")


@dataclass(frozen=True)
class Traffic:
    """The pages of affiliates and rings."""

    door: Door
    shelf: Shelf
    looks: Looks
    facets: Facets

    def routes(self) -> list[Route]:
        """Where they stand."""
        return routes(
            (
                ("/affiliates", self.listed),
                ("/affiliates.csv", self.table),
                ("/nights/{affiliate_id:path}", self.history),
                ("/affiliates/{affiliate_id:path}", self.affiliate),
                ("/traffic/{affiliate_id:path}", self.shape),
                ("/graph/{affiliate_id:path}", self.graph),
                ("/rings", self.rings),
                ("/rings/{ring_id:path}", self.ring),
            ),
        )

    def listed(self, request: Request) -> Response:
        """The affiliates of the newest scan, a page of them."""
        visit = self.door.enter(request)
        query, number, night = _query(request), asked_page(request), self._night(request, visit)
        lines, total = self._lines(visit, night, msgspec.structs.replace(query, offset=(number - 1) * PAGE_SIZE))
        context = {
            "title": "Traffic",
            "night": night,
            "lines": lines,
            "paging": Paging(number, total),
            "asked": query,
            "query": _asked(query) | {"scan": request.query_params.get("scan", "")},
            "sorts": SORTS,
            "outcomes": _OUTCOMES,
            "filters": self._filters(visit.program_id, query),
        }
        return page("affiliates.html", visit, context)

    def table(self, request: Request) -> Response:
        """The whole list that was asked for, as CSV."""
        visit = self.door.enter(request)
        lines, _ = self._lines(visit, self._night(request, visit), msgspec.structs.replace(_query(request), limit=1_000_000))
        return csv_response("affiliates", table_csv(_LINE_COLUMNS, [_cells(line) for line in lines]))

    def affiliate(self, request: Request, affiliate_id: str) -> Response:
        """One affiliate: its place and why, its risk over the nights, its alerts, sub-IDs, rings and history."""
        visit, app = self.door.enter(request), self.door.app
        program_id = visit.program_id
        nights, number = app.stores.nights, asked_page(request)
        paging = Paging(number, nights.seen(program_id, affiliate_id), _HISTORY_LISTED)
        history = nights.history(program_id, affiliate_id, _HISTORY_LISTED, paging.offset)
        last = history if number == 1 else nights.history(program_id, affiliate_id, 1)
        newest = nights.nights(program_id, 1)
        decided = app.stores.decisions.latest(program_id, DecisionKind.SCAN, affiliate_id)
        if not last and decided is None and not self._in_a_ring(program_id, affiliate_id):
            raise NotFound(f"No scan has seen the affiliate {affiliate_id[:80]}. It shows here after its first night with traffic.")
        active = bool(last and newest and last[0].scan_id == newest[0].scan_id)
        latest = self.shelf.get(program_id, newest[0].scan_id) if active else None
        alerts = alerts_about(app, program_id, SubjectKind.AFFILIATE, affiliate_id)
        context = {
            "title": affiliate_id,
            "affiliate_id": affiliate_id,
            "latest": latest,
            "section": section_of(latest, affiliate_id) if latest else None,
            "nights": history,
            "paging": paging,
            "query": {},
            "line": nights.risks(program_id, affiliate_id, _HISTORY)[::-1],
            "decided": decided,
            "alerts": alerts,
            "cases": {one.alert_id: case_of(case_tools(app), one) for one in alerts},
            "reviews": app.stores.reviews.of_subject(program_id, SubjectKind.AFFILIATE, affiliate_id)[:20],
            "currency": newest[0].currency if newest else None,
            "applied": _application(app, program_id, affiliate_id),
            "figures": own_figures(app, self.looks, program_id, affiliate_id),
            "shape": self._shape(program_id, affiliate_id, latest) if latest else None,
        }
        return page("affiliate.html", visit, context)

    def shape(self, request: Request, affiliate_id: str) -> Response:
        """The shape of an affiliate's newest window: hours, delays, referrers beside everybody else's, and its conversions."""
        visit, number = self.door.enter(request), asked_page(request)
        latest = self.shelf.latest(visit.program_id)
        if latest is None:
            raise NotFound("There is no scan in this program yet; run `fraud scan` first.")
        found = self._conversions(visit.program_id, affiliate_id, latest, Paging(number, 0).offset)
        conversions, total = found or ([], 0)
        context: dict[str, Any] = {
            "title": f"Traffic of {affiliate_id}",
            "affiliate_id": affiliate_id,
            "shape": self._shape(visit.program_id, affiliate_id, latest),
            "conversions": conversions,
            "counted": found is not None,
            "latest": latest,
            "paging": Paging(number, total),
            "query": {},
        }
        return page("shape.html", visit, context)

    def history(self, request: Request, affiliate_id: str) -> Response:
        """An affiliate's nights as CSV."""
        visit = self.door.enter(request)
        lines = self.door.app.stores.nights.history(visit.program_id, affiliate_id, _HISTORY)
        if not lines:
            raise NotFound(f"No scan has seen the affiliate {affiliate_id[:80]}.")
        rows = [(line.as_of.isoformat(), line.scan_id, *_cells(line)) for line in lines]
        return csv_response("nights", table_csv(("as_of", "scan_id", *_LINE_COLUMNS), rows))

    def rings(self, request: Request) -> Response:
        """The rings of the newest scan."""
        visit = self.door.enter(request)
        latest = self.shelf.latest(visit.program_id)
        rings = sorted(latest.rings, key=lambda ring: (-ring.score, ring.ring_id)) if latest else []
        paging = Paging(asked_page(request), len(rings), 10)
        context: dict[str, Any] = {
            "title": "Rings",
            "latest": latest,
            "rings": rings[paging.offset : paging.offset + 10],
            "paging": paging,
            "query": {},
        }
        return page("rings.html", visit, context)

    def ring(self, request: Request, ring_id: str) -> Response:
        """One ring: drawn, and as a table with what each shared thing means."""
        visit = self.door.enter(request)
        latest = self.shelf.latest(visit.program_id)
        found = next((ring for ring in latest.rings if ring.ring_id == ring_id), None) if latest else None
        if latest is None or found is None:
            raise NotFound(f"The newest scan knows no ring {ring_id[:80]}; rings of earlier nights are in their scans.")
        ranks = {one.affiliate_id: one for one in latest.affiliates if one.affiliate_id in set(found.affiliate_ids)}
        alerts = alerts_about(self.door.app, visit.program_id, SubjectKind.RING, ring_id)
        context = {"title": "Ring", "ring": found, "edges": edges_of(found), "members": ranks, "alerts": alerts, "latest": latest}
        return page("ring.html", visit, context | {"currency": None})

    def graph(self, request: Request, affiliate_id: str) -> Response:
        """What lies around an affiliate or an applicant in the graph, drawn and as tables."""
        visit = self.door.enter(request)
        app, program_id = self.door.app, visit.program_id
        newest = next((night.scan_id for night in app.stores.nights.nights(program_id, 1)), "")
        found = self.looks.get(("graph", program_id, affiliate_id, newest), lambda: _around(app, program_id, affiliate_id))
        if found is None:
            return page("looking.html", visit, {"title": f"Around {affiliate_id}", "affiliate_id": affiliate_id})
        around, drawing = found
        links = Paging(asked_page(request), len(around.links), _LINKS)
        edges = Paging(asked_page(request, "seen"), len(around.edges), _LINKS)
        context = {"title": f"Around {affiliate_id}", "around": around, "drawing": drawing, "affiliate_id": affiliate_id}
        context |= {
            "links": around.links[links.offset : links.offset + _LINKS],
            "edges": around.edges[edges.offset : edges.offset + _LINKS],
            "links_paging": links,
            "edges_paging": edges,
            "query": {},
        }
        return page("graph.html", visit, context)

    def _shape(self, program_id: str, affiliate_id: str, latest: ScanResult) -> TrafficShape | None:
        """The shape of an affiliate's newest window; `None` while it is being counted."""
        asked = ("shape", program_id, affiliate_id, latest.scan_id)
        return self.looks.get(asked, lambda: traffic_shape(self.door.app, program_id, affiliate_id, latest.window))

    def _conversions(self, program_id: str, affiliate_id: str, latest: ScanResult, offset: int) -> tuple[list[ConversionSeen], int] | None:
        """A page of the conversions of an affiliate's newest window, and how many there are; `None` while they are being read."""
        asked = ("conversions", program_id, affiliate_id, latest.scan_id, str(offset))
        rows = (PAGE_SIZE, offset)
        return self.looks.get(asked, lambda: conversions_seen(self.door.app, program_id, affiliate_id, latest.window, rows))

    def _in_a_ring(self, program_id: str, affiliate_id: str) -> bool:
        latest = self.shelf.latest(program_id)
        return latest is not None and any(affiliate_id in ring.affiliate_ids for ring in latest.rings)

    def _night(self, request: Request, visit: Visit) -> NightLine | None:
        """The night an address asks for, else the newest; `None` before the first scan."""
        nights, asked = self.door.app.stores.nights, request.query_params.get("scan", "")
        return nights.night(visit.program_id, asked) if asked else next(iter(nights.nights(visit.program_id, 1)), None)

    def _filters(self, program_id: str, query: SubjectQuery) -> list[Filter]:
        """The filters by what affiliates have; none for a kind that no affiliate is known to have."""
        chosen, found = dict(query.facets), list[Filter]()
        for kind, label in FACETS.items():
            found += facet_filter(kind.value, label, self.facets.of(self.door.app, program_id, kind), chosen.get(kind, ""))
        return found

    def _lines(self, visit: Visit, night: NightLine | None, query: SubjectQuery) -> tuple[list[SubjectLine], int]:
        return self.door.app.stores.nights.subjects(visit.program_id, night.scan_id, query) if night else ([], 0)


def _around(app: App, program_id: str, affiliate_id: str) -> tuple[Neighbourhood, Markup]:
    found = graph_around(app, program_id, affiliate_id, FRESH)
    return found, draw_neighbourhood(found)


def edges_of(ring: Ring) -> list[dict[str, object]]:
    """Each thing that members share: what, who has it, how much it says, and how else it may come about."""
    things = ring.things or ()
    return [
        {"what": spoken(one.kind, one.count), "who": one.affiliate_ids, "tier": tier_of(one.kind).value, "innocent": innocent(one.kind)}
        for one in things
    ] or [
        {"what": spoken(one.kind, one.count), "who": (), "tier": tier_of(one.kind).value, "innocent": innocent(one.kind)}
        for one in ring.shared
    ]


def alerts_about(app: App, program_id: str, kind: SubjectKind, subject_id: str) -> list[Alert]:
    """The alert on a subject, if there is one, in whatever state."""
    return app.stores.alerts.named(program_id, [alert_id_of(program_id, kind, subject_id)])


def _application(app: App, program_id: str, affiliate_id: str) -> object:
    try:
        return application_of(app, program_id, affiliate_id)[0]
    except NotFound:
        return None


def _query(request: Request) -> SubjectQuery:
    asked = request.query_params
    sort = asked.get("sort", "")
    outcome = asked.get("outcome", "")
    return SubjectQuery(
        search=asked.get("q", "").strip()[:200],
        outcome=Outcome(outcome) if outcome in {one.value for one in _OUTCOMES} else None,
        held=outcome == HELD,
        facets=tuple((kind, value[:200]) for kind in FACETS if (value := asked.get(kind.value, ""))),
        sort=SubjectSort(sort) if sort in set(SubjectSort) else SubjectSort.RANK,
        descending=asked.get("order", "") == "down",
        limit=PAGE_SIZE,
    )


def _asked(query: SubjectQuery) -> dict[str, str]:
    return {
        "q": query.search,
        "outcome": query.outcome.value if query.outcome else HELD if query.held else "",
        **{kind.value: value for kind, value in query.facets},
        "sort": query.sort.value if query.sort is not SubjectSort.RANK else "",
        "order": "down" if query.descending else "",
    }


def _cells(line: SubjectLine) -> tuple[object, ...]:
    told = msgspec.structs.asdict(line) | {"outcome": line.outcome.value}
    return tuple(told[name] for name in _LINE_COLUMNS)
