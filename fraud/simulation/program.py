"""The entry: a spec in, a whole made-up program out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fraud.simulation import tables
from fraud.simulation.conversions import draw_conversions
from fraud.simulation.kinds import Role, cast, chosen_kinds
from fraud.simulation.labels import review
from fraud.simulation.population import build_population, offers_table
from fraud.simulation.randomness import stream
from fraud.simulation.scenarios import KINDS, SHAPES, Stage
from fraud.simulation.spec import SimulationSpec, check_spec
from fraud.simulation.traffic import Crowd, gather_crowd, honest_visits
from fraud.simulation.truth import Truth, tell_truth

__all__ = ["Progress", "SimulatedProgram", "SimulationSpec", "simulate"]

Progress = Callable[[int, int, str], None]
"""Called with (done, total, what is being done)."""


@dataclass(frozen=True)
class SimulatedProgram:
    """The tables of CONTRACT 1 and the truth about them. Labels may be empty. Nothing in the tables tells what the truth tells."""

    clicks: pd.DataFrame
    conversions: pd.DataFrame
    affiliates: pd.DataFrame
    offers: pd.DataFrame
    calendar: pd.DataFrame
    labels: pd.DataFrame
    truth: Truth


def simulate(spec: SimulationSpec, progress: Progress | None = None) -> SimulatedProgram:
    """Makes up a program; the same spec gives the same tables. Raises `InputError` for a spec that cannot be simulated."""
    check_spec(spec)
    kinds = chosen_kinds(spec.kinds, KINDS)
    roles = cast(spec, kinds)
    tell = _teller(progress, len(roles) + 4)
    tell(0, "gathering affiliates")
    people = build_population(spec, roles)
    crowd = gather_crowd(spec, people)
    tell(1, "ordinary visits")
    visits, stages = _play(crowd, roles, honest_visits(crowd), tell)
    declared = [(start, end, kind, stage.number) for stage in stages for start, end, kind in stage.declared]
    tell(len(roles) + 2, "conversions")
    made = draw_conversions(spec, people, visits)
    tell(len(roles) + 3, "tables")
    is_click = ~visits["phantom"].to_numpy()
    clicks = visits[is_click]
    ids = tables.click_ids(spec, clicks)
    click_of = ids[np.maximum(np.cumsum(is_click)[made["visit"].to_numpy()] - 1, 0)] if len(ids) else np.zeros(len(made), np.uint64)
    agencies: dict[str, list[int]] = {}
    for number, role in roles.items():
        if role.ring_id and not role.kind.bad:
            agencies.setdefault(role.ring_id, []).append(number)
    truth = tell_truth(people, roles, made, {stage.number: stage.bad_subs for stage in stages})
    program = SimulatedProgram(
        clicks=tables.clicks_table(people, clicks, ids),
        conversions=tables.conversions_table(spec, people, made, click_of),
        affiliates=tables.affiliates_table(spec, people, list(agencies.values())),
        offers=offers_table(people.laws),
        calendar=tables.calendar_table(spec, people, declared),
        labels=review(spec, truth),
        truth=truth,
    )
    tell(len(roles) + 4, "done")
    return program


def _play(
    crowd: Crowd, roles: Mapping[int, Role], visits: pd.DataFrame, tell: Callable[[int, str], None]
) -> tuple[pd.DataFrame, list[Stage]]:
    """Lets every role shape its affiliate's visits; returns all visits in order of time, and the stages after the play."""
    affiliate = visits["affiliate"].to_numpy()
    actors = np.isin(affiliate, list(roles))
    everyone, shaped, stages = visits[~actors].reset_index(drop=True), [], []
    for done, number in enumerate(sorted(roles)):
        tell(2 + done, roles[number].kind.name)
        first, last = np.searchsorted(affiliate, [number, number + 1])
        rng = stream(crowd.spec.seed, "role", roles[number].kind.name, number)
        stage = Stage(crowd, number, roles[number], rng, visits.iloc[first:last].reset_index(drop=True), everyone)
        shaped.append(SHAPES[roles[number].kind.name](stage))
        stages.append(stage)
    together = pd.concat([everyone, *(part for part in shaped if len(part))], ignore_index=True)
    return together.sort_values("t", kind="stable", ignore_index=True), stages


def _teller(progress: Progress | None, total: int) -> Callable[[int, str], None]:
    def tell(done: int, text: str) -> None:
        if progress is not None:
            progress(done, total, text)

    return tell
