"""The scan of a program's traffic: one night against its reference, from the lake to alerts and decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec

from fraud.cases.alerting import Candidate, RingCase, alert_of, budget_of, by_ring, choose, discoveries, ring_alert, seen_again
from fraud.cases.lifecycle import is_quiet
from fraud.checks.traffic.facts import Company
from fraud.decisions.traffic import prepared_checks
from fraud.detection.comparisons import PeerSpread
from fraud.detection.context import review_coverage, with_declared_events, without_common_shifts, without_confirmed_bad
from fraud.detection.traffic import TrafficModel, judge
from fraud.domain.alerts import Alert, AlertState
from fraud.domain.clock import as_utc
from fraud.domain.decisions import SubjectKind
from fraud.domain.ids import new_id, stable_id
from fraud.domain.scans import SAME_NIGHT, Counts, Period, Ring, ScanResult
from fraud.errors import InputError
from fraud.features.request import FeatureRequest
from fraud.features.table import FeatureTable
from fraud.links.evidence import graph_night
from fraud.workflows.baselines import Material, Serving, fresh, serve
from fraud.workflows.calendar import context_of, declared_by_window
from fraud.workflows.candidates import decided_subjects
from fraud.workflows.night import CLOCK_SKEW, Mode, Night, ScanOutcome, ScanRequest, ScanTools
from fraud.workflows.ranked import ranked
from models.calibration import needed_calibration

SLACK = 0.1
"""Share of a reference window that may lie before the first event: logs begin some time after midnight."""
ENOUGH_REFERENCE = 0.5
"""A reference of fewer affiliate-windows than this share of tonight's affiliates says less than tonight's own peers."""

REVIEWED_SHARE = 0.95
"""Share of the reference that must be reviewed or trusted for FDR mode (section 4.4)."""
FEWEST_DISCOVERIES = 5
"""Discoveries that the held-out rows should be able to make out (section 4.3)."""


def scan(request: ScanRequest, tools: ScanTools) -> ScanOutcome:
    """Scans one night: window and reference, features, models, signals, decisions, alerts.

    Raises `InputError` when there is nothing to scan.
    """
    happened, notes = _happened(request, tools)
    window, references = periods(request, happened)
    tools.progress("Computing features")
    with tools.lake.connect(request.program_id, until=window.end) as events:
        wanted = FeatureRequest(affiliate=(*references, window), sub_id=(window,), least_clicks=tools.pack.scan.minimum_sub_id_clicks)
        tables = tools.features(events, wanted, tools.progress)
        everything, sub_ids = tables["affiliate"], tables["sub_id"]
        tools.progress("Looking for rings")
        graph = graph_night(events, window, tools.sites)
        context = context_of(events, window)
        planned = declared_by_window(events, [*references, window])
    tonight = everything.window(window.start)
    if tonight.facts.empty:
        raise InputError(
            f"Nothing happened between {window.start:%Y-%m-%d %H:%M} and {window.end:%Y-%m-%d %H:%M} UTC: no click, no conversion."
        )
    tools.progress("Fitting and applying the models")
    seen = everything.windows([period.start for period in references])
    if len(seen) < ENOUGH_REFERENCE * len(tonight):
        references, seen = [], tonight
    reference = without_confirmed_bad(seen, context.labels) if references else seen
    alerting = _mode(request, review_coverage(reference, context.labels) if references else 0.0)
    bad = frozenset(name for name, is_bad in context.labels.items() if is_bad)
    material = Material(request.program_id, everything, window, references, reference, seen, planned, bad)
    serving = _serving(material, tools)
    model = serving.model
    tonight, shifts = without_common_shifts(with_declared_events(tonight, context.events), model.baseline)
    large = with_declared_events(sub_ids.window(window.start), context.events)
    trained = Period(start=references[0].start, end=references[-1].end) if references else window
    artefact = tools.models.keep(stable_id("traffic", request.program_id), model, trained, {"rows": float(len(reference))})
    night = Night(
        new_id("scan", tools.now),
        request,
        tools,
        window,
        (artefact,),
        graph,
        _companies(graph.rings),
        prepared_checks(tools.pack),
        alerting,
    )
    tools.progress("Deciding")
    outcome = _decide(night, model, tonight, large, references)
    told = (*notes, *outcome.result.notes, *serving.notes, *shifts)
    return replace(outcome, result=msgspec.structs.replace(outcome.result, notes=told, baseline=serving.standing))


def _serving(material: Material, tools: ScanTools) -> Serving:
    """What judges tonight: the baseline in force where the scan keeps one and there is a reference, else a model of this night alone."""
    if tools.baselines is None or not material.periods:
        return fresh(material.reference, material.everybody)
    return serve(material, tools.pack.scan.drift, tools.baselines, tools.progress)


def _mode(request: ScanRequest, covered: float) -> Mode:
    """FDR mode where it was asked for and the reference has been looked at: with unknown fraud in it, it would find nothing (4.4)."""
    if request.fdr is None:
        return Mode(None)
    if covered < REVIEWED_SHARE:
        needed = f"{REVIEWED_SHARE:.0%} are needed for FDR mode"
        return Mode(None, f"{covered:.0%} of the reference's affiliate-windows are reviewed or trusted, and {needed}: budget mode. ")
    return Mode(request.fdr)


def _happened(request: ScanRequest, tools: ScanTools) -> tuple[tuple[datetime, datetime] | None, tuple[str, ...]]:
    """The first and the last event that can have happened, and a note on any that cannot: one wrong clock must not move the window."""
    everything = tools.lake.time_range(request.program_id)
    if everything is None or everything[1] <= tools.now + CLOCK_SKEW:
        return everything, ()
    past = tools.lake.time_range(request.program_id, before=tools.now + CLOCK_SKEW)
    if past is None:
        return everything, ()
    newest = f"{everything[1]:%Y-%m-%d %H:%M} UTC"
    return past, (f"Some events lie in the future, up to {newest}, and do not move the window: check the clock they come from.",)


def periods(request: ScanRequest, events: tuple[datetime, datetime] | None) -> tuple[Period, list[Period]]:
    """The window and the reference windows, oldest first, none of them before the first event.

    Each is as long as the window and at least a day; however long the window is, one reference window is looked for.
    """
    if events is None:
        raise InputError("There are no clicks or conversions to scan: run `fraud ingest clicks FILE` first, or name files.")
    first, last = as_utc(events[0]), as_utc(events[1])
    end = as_utc(request.as_of) if request.as_of else last + timedelta(microseconds=1)
    if request.whole:
        return Period(start=min(first, end), end=end), []
    try:
        return _periods(request, first, end)
    except OverflowError as fault:
        raise InputError(
            f"The days asked for, before {end.date()}, reach to where no calendar does; ask for fewer, or as of another time."
        ) from fault


def _periods(request: ScanRequest, first: datetime, end: datetime) -> tuple[Period, list[Period]]:
    window = Period(start=min(as_utc(request.since), end) if request.since else end - timedelta(days=request.days), end=end)
    length = max(end - window.start, timedelta(days=1))
    references: list[Period] = []
    stop = window.start - max(timedelta(days=request.history_days), length)
    start = window.start - length
    while start >= stop and start + SLACK * length >= first:
        references.append(Period(start=start, end=start + length))
        start -= length
    return window, references[::-1]


def _companies(rings: Sequence[Ring]) -> dict[str, Company]:
    return {
        affiliate: Company(
            ring_id=ring.ring_id, members=len(ring.affiliate_ids), shared={s.kind: s.count for s in ring.shared}, score=ring.score
        )
        for ring in rings
        for affiliate in ring.affiliate_ids
    }


def _decide(night: Night, model: TrafficModel, tonight: FeatureTable, sub_ids: FeatureTable, references: Sequence[Period]) -> ScanOutcome:
    pack, tools = night.tools.pack, night.tools
    judged, judged_subs = judge(model, tonight), judge(model, sub_ids)
    affiliates = decided_subjects(night, tonight, judged, SubjectKind.AFFILIATE)
    below = decided_subjects(night, sub_ids, judged_subs, SubjectKind.SUB_ID)
    candidates = [one.candidate for one in affiliates]
    budget = budget_of(pack.scan, len(candidates), night.request.budget)
    apart, ring_cases = by_ring(candidates, night.graph.rings)
    sightings = {one.decision.subject_id: _sighting(night, one, ring_cases) for one in apart}
    known = {alert.alert_id: alert for alert in tools.standing}
    dealt_with = {name for name, seen in sightings.items() if is_quiet(known.get(seen.alert_id), seen, pack.scan.alerts)}
    suppressed = {name for name, seen in sightings.items() if any(one.covers(seen, tools.now) for one in tools.suppressions)}
    quiet = dealt_with | suppressed
    q = night.alerting.q
    found = discoveries(apart, q) if q is not None else None
    chosen = choose(pack.scan, apart, budget, quiet, found)
    cases = [(candidate, ring_cases.get(candidate.decision.decision_id)) for candidate in chosen]
    alerts = tuple(sightings[one.decision.subject_id] for one in chosen)
    # Who has news but no place in tonight's budget is left for another night: counting it would open its alert.
    waiting = {name for name, seen in sightings.items() if seen.alert_id in known and known[seen.alert_id].state is AlertState.OPEN}
    again = tuple(sightings[one.decision.subject_id] for one in seen_again(apart, quiet | waiting, chosen))
    alerted = {member.decision.subject_id for one, case in cases for member in (case.members if case else (one,))}
    days = (night.window.end - night.window.start) / timedelta(days=1)
    result = ScanResult(
        scan_id=night.scan_id,
        program_id=night.request.program_id,
        as_of=night.window.end,
        window=night.window,
        reference=Period(start=references[0].start, end=references[-1].end) if references else SAME_NIGHT,
        mode="budget" if found is None else "fdr",
        mode_reason=_reason(night.alerting, budget, len(candidates), model),
        counts=_counts(night.request, tonight),
        affiliates=ranked(pack, affiliates, alerted, days, PeerSpread(tonight, judged)),
        sub_ids=ranked(pack, below, set(), days, PeerSpread(sub_ids, judged_subs)),
        rings=night.graph.rings,
        alerts=alerts,
        policy=pack.artefact,
        models=night.models if tools.ranking.artefact is None else (*night.models, tools.ranking.artefact),
        notes=(*_notes(references, model), *tools.ranking.notes()),
        enrichment=tools.enrichment,
    )
    decisions = tuple(one.candidate.decision for one in (*affiliates, *below))
    return ScanOutcome(result=result, decisions=decisions, alerts=alerts, again=again)


def _reason(mode: Mode, budget: int, active: int, model: TrafficModel) -> str:
    if mode.q is None:
        return f"{mode.why}At most {budget} of {active} affiliates alert on statistics; absolute evidence alerts besides."
    needed = needed_calibration(active, mode.q, FEWEST_DISCOVERIES)
    short = "" if len(model.held_out) >= needed else f" {len(model.held_out):,} held-out rows cannot tell fewer than that many apart."
    return f"At most {mode.q:.0%} of the alerts on statistics are expected to be false; absolute evidence alerts besides.{short}"


def _sighting(night: Night, candidate: Candidate, ring_cases: Mapping[str, RingCase]) -> Alert:
    case = ring_cases.get(candidate.decision.decision_id)
    return alert_of(candidate, night.tools.now) if case is None else ring_alert(case, night.tools.now)


def _counts(request: ScanRequest, tonight: FeatureTable) -> Counts:
    return Counts(
        clicks=int(tonight.facts["clicks"].sum()),
        conversions=int(tonight.facts["conversions"].sum()),
        affiliates=len(tonight.facts),
        duplicate_rows=request.duplicate_rows,
        rejected_rows=request.rejected_rows,
    )


def _notes(references: Sequence[Period], model: TrafficModel) -> tuple[str, ...]:
    notes = []
    if not references:
        notes.append("No earlier traffic to compare with: peers of the same night serve as the reference.")
    if model.forest is None:
        notes.append("Too few affiliates for a forest: the tail score serves alone.")
    return tuple(notes)
