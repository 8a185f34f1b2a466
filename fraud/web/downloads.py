"""Every table of the pages as CSV: the whole list, not the page of it that is shown, with the columns' own names as headers.

Cells that a spreadsheet would run as a formula are made harmless (`fraud.reports.tables`); an unknown value is an empty cell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

import msgspec
from fastapi import Request, Response

from fraud.app.graph import FRESH, graph_around
from fraud.app.models import every_model
from fraud.app.parts import App
from fraud.app.shapes import conversions_seen, traffic_shape
from fraud.app.targets import progress
from fraud.app.trying import proposed_pack
from fraud.cases.precision import rule_precision
from fraud.domain.actors import Role
from fraud.domain.alerts import Alert
from fraud.domain.catalogue import CHECKS
from fraud.domain.scans import RankedSubject, Ring, ScanResult
from fraud.domain.shapes import ConversionSeen
from fraud.domain.signals import Signal
from fraud.errors import NotFound
from fraud.policy.differences import changes_between
from fraud.reports.performance import target_line
from fraud.reports.tables import table_csv
from fraud.web.applying import asked_applicants
from fraud.web.governing import REVIEWS_COUNTED, live_pack, shadow_of
from fraud.web.modelling import kind_of
from fraud.web.queueing import alert_query, told_alerts
from fraud.web.rendering import csv_response
from fraud.web.routing import Route, routes
from fraud.web.settling import keys_of, standings
from fraud.web.shelf import Shelf
from fraud.web.traffic import edges_of
from fraud.web.visits import Door, Visit, require_role
from fraud.web.working import asked_states

Table = tuple[Sequence[str], Iterable[Sequence[Any]]]
_EVERYTHING = 1_000_000
_ALERT = ("alert_id", "subject_kind", "subject_id", "severity", "score", "typologies", "families", "expected_loss", "members")
_SEEN = ("opened_at", "last_seen_at", "times_seen", "snoozed_until", "decision_id")
_SIGNAL = ("check_id", "subject", "status", "severity", "tier", "family", "reason_code", "text", "value", "baseline", "unit", "sample_size")
_REVIEW = ("reviewed_at", "reviewer_name", "disposition", "reason", "reason_codes", "source", "decision_id")


@dataclass(frozen=True)
class Asked:
    """One download: whose, of what (the part of the address after the table's name), and by which request."""

    app: App
    shelf: Shelf
    visit: Visit
    request: Request
    key: str = ""

    @property
    def program_id(self) -> str:
        """The program it is read in."""
        return self.visit.program_id


@dataclass(frozen=True)
class Downloads:
    """Tables as files."""

    door: Door
    shelf: Shelf

    def routes(self) -> list[Route]:
        """Where they stand."""
        return routes(
            (
                ("/csv/{name}", self.table),
                ("/csv/{name}/{key:path}", self.table),
            ),
        )

    def table(self, request: Request, name: str, key: str = "") -> Response:
        """One table as CSV; `NotFound` for a name that is none."""
        visit = self.door.enter(request)
        if name not in TABLES:
            raise NotFound(f"There is no table {name[:60]!r}.")
        columns, rows = TABLES[name](Asked(self.door.app, self.shelf, visit, request, key))
        return csv_response(f"{name}-{key}" if key else name, table_csv(columns, ([_cell(value) for value in row] for row in rows)))


def _cell(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple | list | set | frozenset):
        return "; ".join(str(_cell(one)) for one in value)
    return msgspec.json.encode(value).decode() if isinstance(value, dict) else value


def _fields(names: Sequence[str], items: Iterable[object]) -> Table:
    return names, [[getattr(one, name) for name in names] for one in items]


def _alerts(asked: Asked) -> Table:
    app, told = asked.app, told_alerts(asked.request)
    query = msgspec.structs.replace(alert_query(app, asked.program_id, asked.visit.actor.actor_id, told), limit=_EVERYTHING)
    return _of_alerts(app.stores.alerts.matching(asked.program_id, app.clock.now(), query)[0])


def _snoozed(asked: Asked) -> Table:
    return _of_alerts(asked.app.stores.alerts.snoozed_page(asked.program_id, asked.app.clock.now(), _EVERYTHING)[0])


def _of_alerts(alerts: Iterable[Alert]) -> Table:
    names, rows = _fields((*_ALERT, *_SEEN), found := list(alerts))
    return (*names, "reasons"), [[*row, [reason.text for reason in one.reasons]] for row, one in zip(rows, found, strict=True)]


def _cases(asked: Asked) -> Table:
    names = ("case_id", "alert_id", "subject_id", "state", "assignee", "disposition", "suspended", "opened_at", "held_until", "due_at")
    return _fields(names, asked.app.stores.cases.page(asked.program_id, asked_states(asked.request), _EVERYTHING)[0])


def _suppressions(asked: Asked) -> Table:
    names = ("suppression_id", "subject_id", "reason_code", "reason", "created_by", "created_at", "expires_at")
    return _fields(names, asked.app.stores.suppressions.active(asked.program_id, asked.app.clock.now()))


def _applications(asked: Asked) -> Table:
    query = msgspec.structs.replace(asked_applicants(asked.request), limit=_EVERYTHING)
    names = ("application_id", "name", "applied_at", "outcome", "score", "coverage", "findings", "as_of", "decision_id")
    return _fields(names, asked.app.stores.applications.page(asked.program_id, query)[0])


def _scans(asked: Asked) -> Table:
    lines = asked.app.stores.nights.nights(asked.program_id, _EVERYTHING)
    names = ("scan_id", "as_of", "affiliates", "clicks", "conversions", "alerted", "further", "at_risk", "held", "currency")
    return _fields(names, lines)


def _rings(asked: Asked) -> Table:
    result = _scan(asked)
    rows = [[ring.ring_id, ring.score, ring.affiliate_ids, [f"{one.count} {one.kind}" for one in ring.shared]] for ring in result.rings]
    return ("ring_id", "score", "affiliate_ids", "shared"), rows


def _ring_edges(asked: Asked) -> Table:
    rows = [[one["what"], one["who"], one["tier"], one["innocent"]] for one in edges_of(_ring(asked))]
    return ("what", "affiliate_ids", "tier", "also_explained_by"), rows


def _ring_members(asked: Asked) -> Table:
    members = set(_ring(asked).affiliate_ids)
    return _ranked(one for one in _scan(asked).affiliates if one.affiliate_id in members)


def _sub_ids(asked: Asked) -> Table:
    return _ranked(one for one in _scan(asked).sub_ids if one.affiliate_id == asked.key)


def _ranked(subjects: Iterable[RankedSubject]) -> Table:
    names = ("affiliate_id", "sub_id", "rank", "score", "outcome", "clicks", "conversions", "commission", "decision_id")
    rows = [[None if one is msgspec.UNSET else one for one in row] for row in _fields(names, subjects)[1]]
    return names, rows


def _peers(asked: Asked) -> Table:
    subject = next((one for one in _scan(asked).affiliates if one.affiliate_id == asked.key), None)
    names = ("feature", "title", "unit", "value", "z", "sample_size")
    found = subject.peers if subject else ()
    rows = [[*row, *one.quantiles] for row, one in zip(_fields(names, found)[1], found, strict=True)]
    return (*names, "q05", "q25", "q50", "q75", "q95"), rows


def _conversions(asked: Asked) -> Table:
    found, _ = conversions_seen(asked.app, asked.program_id, asked.key, _scan(asked).window, (_EVERYTHING, 0))
    return _fields(ConversionSeen.__struct_fields__, found)


def _shape(asked: Asked) -> Table:
    shape = traffic_shape(asked.app, asked.program_id, asked.key, _scan(asked).window)
    parts = (("hour", shape.hours), ("delay", shape.delays), ("referrer", shape.referrers))
    rows = [[name, one.label, one.count, one.own, one.others] for name, bins in parts for one in bins]
    return ("figure", "bin", "count", "share", "share_of_others"), rows


def _scan(asked: Asked) -> ScanResult:
    named = asked.request.query_params.get("scan", "")
    found = asked.shelf.get(asked.program_id, named) if named else asked.shelf.latest(asked.program_id)
    if found is None:
        raise NotFound("There is no scan in this program yet.")
    return found


def _ring(asked: Asked) -> Ring:
    found = next((ring for ring in _scan(asked).rings if ring.ring_id == asked.key), None)
    if found is None:
        raise NotFound(f"The newest scan knows no ring {asked.key[:80]}.")
    return found


def _links(asked: Asked) -> Table:
    names = ("left", "right", "tier", "similarity", "declared", "shared", "text", "also_explained_by")
    return _fields(names, graph_around(asked.app, asked.program_id, asked.key, FRESH).links)


def _edges(asked: Asked) -> Table:
    names = ("affiliate", "entity", "tier", "count", "owners", "first_seen", "last_seen", "source", "text")
    return _fields(names, graph_around(asked.app, asked.program_id, asked.key, FRESH).edges)


def _signals(asked: Asked) -> Table:
    return _of_signals(asked.app.stores.decisions.get(asked.program_id, asked.key).signals)


def _of_signals(signals: Iterable[Signal]) -> Table:
    return _fields(_SIGNAL, signals)


def _reviews(asked: Asked) -> Table:
    alert = asked.app.stores.alerts.get(asked.program_id, asked.key)
    return _fields(_REVIEW, asked.app.stores.reviews.of_subject(asked.program_id, alert.subject_kind, alert.subject_id))


def _precision(asked: Asked) -> Table:
    names = ("reason_code", "confirmed", "dismissed", "unclear", "share", "low", "high")
    return _fields(names, rule_precision(asked.app.stores.reviews.recent(asked.program_id, REVIEWS_COUNTED)))


def _checks(asked: Asked) -> Table:
    pack = live_pack(asked.app, asked.program_id)
    rows = [
        [name, CHECKS[name].title, CHECKS[name].kind, own.weight, own.clear_weight, own.enabled, *threshold]
        for name, own in pack.checks.items()
        if asked.key in {"", name}
        for threshold in ([[key, one.value, one.reason, one.source] for key, one in own.thresholds.items()] or [["", None, "", ""]])
    ]
    return ("check_id", "title", "kind", "weight", "clear_weight", "enabled", "threshold", "value", "reason", "source"), rows


def _rules(asked: Asked) -> Table:
    names = ("id", "description", "when", "at_least", "at_most", "owner")
    return _fields(names, live_pack(asked.app, asked.program_id).rules)


def _published(asked: Asked) -> Table:
    rows = [
        [one.policy.id, one.policy.hash, one.state, one.published_at, one.published_by, one.retired_at, one.reason]
        for one in asked.app.stores.policies.history(asked.program_id)
    ]
    return ("policy", "hash", "state", "published_at", "published_by", "retired_at", "reason"), rows


def _changes(asked: Asked) -> Table:
    job = asked.app.stores.jobs.get(asked.program_id, asked.key)
    return _fields(("where", "then", "now", "reason"), changes_between(live_pack(asked.app, asked.program_id), proposed_pack(job)))


def _shadow(asked: Asked) -> Table:
    found = shadow_of(asked.app, asked.program_id)
    names = ("then", "now", "decisions", "subjects", "commission")
    return _fields(names, found.diff.moves if found and found.diff else ())


def _models(asked: Asked) -> Table:
    names = ("kind", "model_id", "sha256", "live", "created_at", "trained_from", "trained_to", "size", "metrics")
    rows = [
        [kind_of(one), one.model_id, one.sha256, one.live, one.created_at, one.trained.start, one.trained.end, one.size, one.metrics]
        for one in every_model(asked.app, asked.program_id, _EVERYTHING)[0]
    ]
    return names, rows


def _keys(asked: Asked) -> Table:
    require_role(asked.visit, Role.ADMIN)
    return _fields(("actor_id", "name", "role", "programs"), keys_of(asked.app, asked.visit))


def _deliveries(asked: Asked) -> Table:
    rows = [
        [one.event.event_id, one.event.kind, one.event.subject, one.sink, one.state, one.attempts, one.error]
        for one in asked.app.stores.outbox.dead(asked.program_id, _EVERYTHING)
    ]
    return ("event_id", "kind", "subject", "sink", "state", "attempts", "error"), rows


def _feeds(asked: Asked) -> Table:
    rows = [
        [one.feed.name, one.feed.tracker, [table.kind for table in one.feed.tables], one.pulled_at, one.due_at]
        for one in standings(asked.app, asked.program_id)
    ]
    return ("feed", "tracker", "tables", "pulled_at", "due_at"), rows


def _targets(asked: Asked) -> Table:
    return _fields(
        ("name", "goal", "now", "until", "state", "incentive"), map(target_line, progress(asked.app, asked.program_id, asked.key))
    )


def _drift(asked: Asked) -> Table:
    standing = _scan(asked).baseline
    reports = {"night": standing.night, "newer_reference": standing.refit} if standing else {}
    rows = [[name, one.feature, one.title, one.psi, one.moved] for name, found in reports.items() if found for one in found.features]
    return ("compared", "feature", "title", "psi", "median_moved_by"), rows


def _jobs(asked: Asked) -> Table:
    names = ("job_id", "kind", "state", "created_at", "created_by", "attempts", "finished_at", "error")
    return _fields(names, asked.app.stores.jobs.unfinished(asked.program_id, _EVERYTHING))


def _audit(asked: Asked) -> Table:
    names = ("at", "actor_kind", "actor_id", "actor_name", "action", "subject", "detail")
    return names, [[one[name] for name in names] for one in asked.app.stores.audit.entries(asked.program_id, _EVERYTHING)]


TABLES: Mapping[str, Callable[[Asked], Table]] = {
    "alerts": _alerts,
    "applications": _applications,
    "audit": _audit,
    "cases": _cases,
    "changes": _changes,
    "checks": _checks,
    "conversions": _conversions,
    "deliveries": _deliveries,
    "drift": _drift,
    "edges": _edges,
    "feeds": _feeds,
    "jobs": _jobs,
    "keys": _keys,
    "links": _links,
    "models": _models,
    "peers": _peers,
    "precision": _precision,
    "published": _published,
    "reviews": _reviews,
    "ring-edges": _ring_edges,
    "ring-members": _ring_members,
    "rings": _rings,
    "rules": _rules,
    "scans": _scans,
    "shadow": _shadow,
    "shape": _shape,
    "signals": _signals,
    "snoozed": _snoozed,
    "sub-ids": _sub_ids,
    "suppressions": _suppressions,
    "targets": _targets,
}
"""Every table, by the name in its address."""
