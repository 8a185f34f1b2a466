"""The command that measures the scan where the truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from fraud.cli.console import JsonOption, PolicyOption, WorkspaceOption, actor, add_plain_row, err, opened, out, print_json, progress
from fraud.errors import InputError

if TYPE_CHECKING:
    from fraud.app.evaluation.measures import Evaluation, KindOutcome
    from fraud.app.evaluation.nights import NightsToDetection
    from fraud.app.evaluation.seeds import SeedsEvaluation
    from fraud.simulation.spec import SimulationSpec
    from models.evaluation.gate import Corpus


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel="Try it")(evaluate)


def evaluate(
    truth: Annotated[
        Path | None, typer.Option(metavar="PATH", help="truth.json of a simulated program, or the program's folder.", show_default=False)
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The simulated program's folder; by default the folder above the truth.", show_default=False),
    ] = None,
    days: Annotated[int, typer.Option(min=1, metavar="N", help="Days of the window.")] = 3,
    seeds: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Simulate and measure so many seeds instead of a folder.", show_default=False)
    ] = None,
    first_seed: Annotated[int, typer.Option(min=0, metavar="N", help="The first seed: 1 to 20 to tune, 1000 and up to report.")] = 1,
    laws: Annotated[str, typer.Option(metavar="NAME", help="The simulated world's laws: lognormal (a) or hawkes (b).")] = "lognormal",
    affiliates: Annotated[int, typer.Option(min=20, metavar="N", help="Affiliates of each simulated program.")] = 1200,
    simulated_days: Annotated[int, typer.Option(min=4, metavar="N", help="Days of each simulated program.")] = 31,
    intensity: Annotated[float, typer.Option(metavar="X", help="How strong the simulated fraud is, above 0 and up to 1.")] = 1.0,
    reviewed: Annotated[float, typer.Option(metavar="SHARE", help="Share of the simulated affiliates that reviewers have labelled.")] = 0.0,
    null_nights: Annotated[bool, typer.Option("--null", help="Scan each simulated program once more with nobody cheating.")] = False,
    nights: Annotated[bool, typer.Option("--nights", help="Measure how many nights fraud goes unnoticed at 50 clicks a day.")] = False,
    leave_out: Annotated[bool, typer.Option("--leave-out", help="Measure what each kind costs that labels lack.")] = False,
    jobs: Annotated[int, typer.Option(min=1, metavar="N", help="Seeds measured at once, each in a process of 1 to 2 GB.")] = 2,
    floors: Annotated[
        str, typer.Option(metavar="NAME", help="Measure these programs (`small`); fail where a floor breaks.", show_default=False)
    ] = "",
    set_floors: Annotated[bool, typer.Option("--set-floors", help="With --floors: set them to what is measured.")] = False,
    policy: PolicyOption = "",
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Measure the scan where the truth is known, beside a plain isolation forest, simple rules and trees that know every label."""
    if (truth is not None) + (seeds is not None) + bool(floors) != 1:
        raise InputError("Say what to measure: one of --truth PATH, --seeds N, --floors NAME.")
    if truth is not None:
        from fraud.app.evaluation.simulated import evaluate_simulation

        with opened(workspace) as app, progress("Reading") as tell:
            night = evaluate_simulation(app, truth, data, days, (actor(), policy, tell))
        print_json(night) if json else _show_night(night)
        return
    if floors:
        _gate(floors, set_floors, json)
        return
    from fraud.simulation.spec import SimulationSpec

    spec = SimulationSpec(
        seed=first_seed,
        affiliates=affiliates,
        days=simulated_days,
        window_days=min(days, simulated_days),
        laws=laws,
        intensity=intensity,
        reviewed_share=reviewed,
    )
    _measure_seeds(
        spec, seeds or 1, {"null_nights": null_nights, "leave_out": leave_out, "nights": nights, "jobs": jobs, "policy": policy}, json
    )


def _measure_seeds(spec: SimulationSpec, seeds: int, options: dict[str, Any], json: bool) -> None:
    from fraud.app.evaluation.seeds import SeedsRequest, evaluate_seeds
    from fraud.simulation.spec import check_spec

    check_spec(spec)
    specs = tuple(replace(spec, seed=spec.seed + number) for number in range(seeds))
    with progress("Simulating") as tell:
        found = evaluate_seeds(SeedsRequest(specs=specs, window_days=spec.window_days, **options), tell)
    print_json(found) if json else _show_seeds(found)


def _gate(name: str, setting: bool, json: bool) -> None:
    from fraud.app.evaluation import gating

    corpus = gating.corpus_named(name)
    with progress("Simulating") as tell:
        found = gating.measure_corpus(corpus, tell)
    figures = gating.figures_of(found)
    if setting:
        corpus = gating.set_floors(corpus, found)
    if json:
        print_json({"corpus": found.corpus, "figures": figures, "floors": dict(corpus.floors), "ceilings": dict(corpus.ceilings)})
    else:
        _table(("figure", "measured", "at least", "at most"), [_bounds(name, value, corpus) for name, value in figures.items()])
    gating.check(corpus, found)
    err.print("No floor is broken.", markup=False)


def _bounds(name: str, value: float, corpus: Corpus) -> tuple[str, ...]:
    return name, f"{value:.3f}", _cell(corpus.floors.get(name)), _cell(corpus.ceilings.get(name))


def _show_night(night: Evaluation) -> None:
    _say(
        f"{night.affiliates:,} active affiliates, {night.bad:,} of them bad; {night.alerts:,} alerts ({night.mode} mode), "
        f"{night.false_alerts:,} on honest ones."
    )
    heads = ("ranking", "average precision", "recall at 1% false positives", f"precision of the first {night.bad}", "alerts", "false share")
    rows = [
        (
            *(one.name, f"{one.average_precision:.3f}", f"{one.recall_at_1_percent:.3f}", f"{one.precision_at_bad:.3f}"),
            *(_cell(one.alerts, ".0f"), _cell(one.false_discovery_share)),
        )
        for one in night.rankings
    ]
    _table(heads, rows)
    _show_kinds(night.kinds)
    one = night.calibration
    _say(
        f"Brier score {one.brier:.4f} (everybody given the base rate: {one.brier_of_base_rate:.4f}), "
        f"reliability gap {one.reliability_gap:.3f}."
    )
    _table(
        ("score", "affiliates", "mean score", "bad"),
        [(f"{b.low:.2f} to {b.high:.2f}", f"{b.affiliates:,}", f"{b.mean_score:.3f}", f"{b.bad_share:.3f}") for b in one.bins],
    )
    money = night.money
    _say(
        f"Of {money.fraud_pending} pending for fraud, acting on the scan saves {_cell(money.saved)}, "
        f"a 30-day hold {_cell(money.saved_by_hold)}; acting delays {money.honest_delayed:.3f} of what honest affiliates earned."
    )


def _say(sentence: str) -> None:
    """A sentence broken where a narrow terminal, or a file, would want it."""
    out.print(fill(sentence, 80), markup=False)


def _show_seeds(found: SeedsEvaluation) -> None:
    out.print(
        f"Seeds {', '.join(map(str, found.seeds))} under {found.laws} laws, intensity {found.intensity:g}: "
        f"{found.affiliates:,} affiliates, {found.days} days each. Corpus {found.corpus[:12]}.",
        markup=False,
    )
    figures = [(one.name, f"{one.mean:.3f}", _cell(one.sd)) for one in (*found.rankings, *found.alerting)]
    _table(("figure", "mean", "sd between seeds"), figures)
    _show_kinds(found.kinds)
    if found.null_alerts:
        out.print(f"Alerts on nights without fraud: {', '.join(map(str, found.null_alerts))}.")
    if found.left_out:
        _table(("kind that labels lack", "costs"), [(one.kind, f"{one.cost:.3f}") for one in found.left_out])
    if found.nights:
        _show_nights(found.nights)


def _show_nights(found: NightsToDetection) -> None:
    shares = ", ".join(f"{share:.2f}" for share in found.noticed)
    out.print(
        f"At {found.clicks_per_day:g} clicks a day the median fraud is noticed after {_nights(found.median_nights, found)} nights; "
        f"share noticed, night by night: {shares}."
    )
    rows = [(one.kind, str(one.affiliates), _nights(one.median_nights, found)) for one in found.kinds]
    _table(("kind", "affiliates", "median nights"), rows)


def _nights(value: int | None, found: NightsToDetection) -> str:
    return f"more than {found.nights_scanned}" if value is None else str(value)


def _show_kinds(kinds: Sequence[KindOutcome]) -> None:
    heads = ("kind", "", "affiliates", "alerted", "in review or held", "above 99% of honest", "by plain forest")
    rows = [
        (
            *(one.kind, "bad" if one.bad else "honest", str(one.affiliates)),
            *(f"{count / one.affiliates:.2f}" for count in (one.alerted, one.acted_on, one.found, one.found_by_raw_forest)),
        )
        for one in kinds
    ]
    _table(heads, rows)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = Table(show_edge=False, pad_edge=False)
    for place, name in enumerate(heads):
        table.add_column(name, justify="right" if place else "left")
    for row in rows:
        add_plain_row(table, *row)
    out.print(table)


def _cell(value: float | None, how: str = ".3f") -> str:
    return "" if value is None else format(value, how)
