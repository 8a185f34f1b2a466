"""Which alerts an address asks for: what the list is filtered by, with how many there are of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from fastapi import Request

from fraud.app.parts import App
from fraud.domain.alerts import AlertCounts, AlertQuery, AlertScope
from fraud.domain.cases import Case, CaseState
from fraud.domain.clock import passed
from fraud.domain.decisions import SubjectKind
from fraud.domain.facets import FacetCount, FacetKind
from fraud.domain.signals import Severity
from fraud.reports import words

IN_HAND = (CaseState.TAKEN, CaseState.WAITING, CaseState.PROPOSED, CaseState.APPEALED)
SCOPES: Mapping[AlertScope, str] = {
    AlertScope.WAITING: "Waiting",
    AlertScope.SNOOZED: "Snoozed",
    AlertScope.SUPPRESSED: "Suppressed",
    AlertScope.RESOLVED: "Resolved",
    AlertScope.EXPIRED: "Expired",
    AlertScope.ALL: "All",
}
AGES: Mapping[str, tuple[str, timedelta | None, timedelta | None]] = {
    "day": ("Opened in the last day", timedelta(days=1), None),
    "week": ("Opened in the last week", timedelta(days=7), None),
    "older": ("Open for over a week", None, timedelta(days=7)),
    "month": ("Open for over 30 days", None, timedelta(days=30)),
}
"""What an age is called, and how long ago the alert opened at most and at least."""
_COUNTED_AGAIN = timedelta(minutes=1)
HOLDERS: Mapping[str, str] = {"mine": "In my hands", "taken": "In somebody’s hands", "free": "In nobody’s hands"}


@dataclass(frozen=True)
class Choice:
    """One thing to filter by: its value in the address, what it says, and whether it is the one asked for."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True)
class Filter:
    """One filter: its name in the address, what it says when nothing is chosen, and what there is to choose."""

    name: str
    label: str
    choices: tuple[Choice, ...]


class Facets:
    """The values that lists are narrowed by, counted again with every scan."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, FacetKind], tuple[str, list[FacetCount]]] = {}

    def of(self, app: App, program_id: str, kind: FacetKind) -> list[FacetCount]:
        """The values of a kind, most frequent first."""
        newest = next((one.scan_id for one in app.stores.nights.nights(program_id, 1)), "")
        known = self._kept.get((program_id, kind))
        if known is None or known[0] != newest:
            known = (newest, app.stores.facets.counts(program_id, kind))
            self._kept[program_id, kind] = known
        return known[1]


class Tally:
    """How many alerts of a scope there are by what they are about, counted again when their number has changed, or after a minute."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, AlertScope], tuple[int, datetime, AlertCounts]] = {}

    def of(self, app: App, program_id: str, scope: AlertScope) -> AlertCounts:
        """The counts of a program's scope."""
        now = app.clock.now()
        total = app.stores.alerts.count(program_id, now, scope)
        known = self._kept.get((program_id, scope))
        if known is not None and known[0] == total and passed(known[1], now) < _COUNTED_AGAIN:
            return known[2]
        counted = app.stores.alerts.counts(program_id, now, scope)
        self._kept[program_id, scope] = (total, now, counted)
        return counted


def told_alerts(request: Request) -> dict[str, str]:
    """What an address asks for, by the names of its filters; what nobody knows is left out."""
    asked = request.query_params
    known: Mapping[str, set[str]] = {
        "scope": {one.value for one in AlertScope} - {AlertScope.WAITING.value},
        "kind": {one.value for one in SubjectKind},
        "severity": {one.value for one in Severity},
        "typology": set(words.TYPOLOGIES),
        "age": set(AGES),
        "held": set(HOLDERS),
    }
    free = {"q": asked.get("q", "").strip()[:200], "offer": asked.get("offer", "")[:200]}
    return free | {name: asked.get(name, "") if asked.get(name) in values else "" for name, values in known.items()}


def alert_query(app: App, program_id: str, actor_id: str, told: Mapping[str, str]) -> AlertQuery:
    """The query behind what was asked for; who holds what is looked up."""
    youngest, oldest = _opened(app.clock.now(), told["age"])
    query = AlertQuery(
        scope=AlertScope(told["scope"] or AlertScope.WAITING.value),
        search=told["q"],
        kind=SubjectKind(told["kind"]) if told["kind"] else None,
        severity=Severity(told["severity"]) if told["severity"] else None,
        typology=told["typology"],
        facets=((FacetKind.OFFER, told["offer"]),) if told["offer"] else (),
        opened_from=youngest,
        opened_before=oldest,
    )
    if not told["held"]:
        return query
    cases = app.stores.cases.standing(program_id, IN_HAND)
    held = tuple(one.alert_id for one in cases if told["held"] != "mine" or one.assignee == actor_id)
    return msgspec.structs.replace(query, **({"without": held} if told["held"] == "free" else {"among": held}))


def in_work(app: App, program_id: str) -> dict[str, Case]:
    """The cases that somebody works on, by their alert."""
    return {one.alert_id: one for one in app.stores.cases.standing(program_id, IN_HAND)}


def _opened(now: datetime, age: str) -> tuple[datetime | None, datetime | None]:
    _, at_most, at_least = AGES.get(age, ("", None, None))
    return now - at_most if at_most else None, now - at_least if at_least else None


def filters_of(told: Mapping[str, str], counts: AlertCounts, offers: Sequence[FacetCount]) -> list[Filter]:
    """The filters of the list, each choice with how many alerts of the scope it has; what has none is left out unless it is chosen."""
    severities = {one.value: (words.SEVERITIES[one], counts.severities.get(one, 0)) for one in reversed(Severity)}
    kinds = {one.value: (words.SUBJECT_KINDS[one], counts.kinds.get(one, 0)) for one in SubjectKind}
    typologies = {code: (words.typology(code).capitalize(), counts.typologies.get(code, 0)) for code in words.TYPOLOGIES}
    plain = {"age": ("Any age", {key: one[0] for key, one in AGES.items()}), "held": ("In anybody’s hands", HOLDERS)}
    return [
        _counted("severity", "Any severity", severities, told["severity"]),
        _counted("kind", "Any kind", kinds, told["kind"]),
        _counted("typology", "Any typology", typologies, told["typology"]),
        *facet_filter("offer", "Any offer", offers, told["offer"]),
        *(
            Filter(name, label, tuple(Choice(key, text, told[name] == key) for key, text in choices.items()))
            for name, (label, choices) in plain.items()
        ),
    ]


def facet_filter(name: str, label: str, counted: Sequence[FacetCount], chosen: str) -> list[Filter]:
    """A filter by what affiliates have, each value with the number of affiliates; none where there is nothing to choose."""
    shown = [(one.value, f"{one.value} ({one.affiliates:,})") for one in counted]
    if chosen and chosen not in {value for value, _ in shown}:
        shown.append((chosen, chosen))
    return [Filter(name, label, tuple(Choice(value, text, value == chosen) for value, text in shown))] if shown else []


def _counted(name: str, label: str, choices: Mapping[str, tuple[str, int]], chosen: str) -> Filter:
    shown = {key: one for key, one in choices.items() if one[1] or key == chosen}
    return Filter(name, label, tuple(Choice(key, f"{text} ({count:,})", key == chosen) for key, (text, count) in shown.items()))
