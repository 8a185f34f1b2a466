"""Whether everything runs: the nightly scan, feeds, models, jobs and deliveries, each in a word with where to look."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from fraud.app.baselines import kept_baselines
from fraud.app.parts import App
from fraud.domain.jobs import JobState
from fraud.domain.nights import NightLine
from fraud.errors import FraudError
from fraud.reports import words
from fraud.web.looking import Looks
from fraud.web.settling import standings
from fraud.web.visits import Visit

_FILES_ALONE = "None pulled; data comes as files"
_STALE = timedelta(hours=36)
"""A nightly scan that is half a day late is worth a word."""


@dataclass(frozen=True)
class Health:
    """One thing that should run: how it stands, and where to look."""

    label: str
    state: str
    tone: str
    address: str


def health_of(app: App, looks: Looks, visit: Visit, night: NightLine | None) -> list[Health]:
    """Everything that should run, what people notice first in front."""
    return [
        _scan_health(app, visit, night),
        _feed_health(app, visit),
        _model_health(app, looks, visit),
        *_work_health(app, visit),
    ]


def _scan_health(app: App, visit: Visit, night: NightLine | None) -> Health:
    if night is None:
        return Health("Nightly scan", "None yet", "warn", visit.address("/start"))
    age = app.clock.now() - night.as_of
    told = f"{words.count(night.clicks, 'click')} up to {words.day(night.as_of)}"
    late = age > _STALE
    return Health("Nightly scan", f"{told}, {age.days} d old" if late else told, "warn" if late else "good", visit.address("/scans"))


def _feed_health(app: App, visit: Visit) -> Health:
    """Feeds that are late by more than one of their own rounds are named; without any, data comes as files."""
    where = visit.address("/settings/feeds")
    try:
        mine = standings(app, visit.program_id)
    except FraudError:
        return Health("Feeds", "feeds.yaml cannot be used", "bad", where)
    now = app.clock.now()
    late = [one.feed.name for one in mine if one.pulled_at is None or now - one.pulled_at > 2 * one.feed.every]
    if late:
        return Health("Feeds", f"Late: {words.short(words.join(late), 60)}", "warn", where)
    return Health(
        "Feeds", f"{words.count(len(mine), 'feed')} pulled in time" if mine else "None pulled; data comes as files", "good", where
    )


def _model_health(app: App, looks: Looks, visit: Visit) -> Health:
    """Whether the registry can be read, and whether a baseline waits for a person; looked up at most once a minute."""
    minute, where = app.clock.now().strftime("%Y-%m-%dT%H:%M"), visit.address("/models")
    found = looks.get(("model health", visit.program_id, minute), lambda: _models_said(app, visit.program_id))
    return Health("Models", *(found or ("Being looked up", "calm")), where)


def _models_said(app: App, program_id: str) -> tuple[str, str]:
    try:
        states = [one.state for one in kept_baselines(app, program_id)]
    except FraudError as fault:
        return words.short(fault.message, 120), "bad"
    if "held" in states:
        return "A newer baseline waits for a person", "warn"
    return ("A baseline is in force", "good") if "in_force" in states else ("No baseline yet", "calm")


def _work_health(app: App, visit: Visit) -> Iterator[Health]:
    jobs = app.stores.jobs.unfinished(visit.program_id, 50)
    failed = sum(job.state is JobState.FAILED for job in jobs)
    where = visit.address("/settings/jobs")
    if failed:
        yield Health("Jobs", f"{words.count(failed, 'job')} failed", "bad", where)
    else:
        yield Health("Jobs", f"{len(jobs):,} waiting or running" if jobs else "None waiting", "good", where)
    dead, where = len(app.stores.outbox.dead(visit.program_id, 100)), visit.address("/settings/deliveries")
    yield Health("Deliveries", f"{dead:,} given up" if dead else "None given up", "bad" if dead else "good", where)
