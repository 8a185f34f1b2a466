"""The commands that train rankers from labels and keep them: train, and `models` list, show, promote, rollback, sample, explain."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from fraud.cli import baselines
from fraud.cli.console import (
    PROGRAM,
    JsonOption,
    ProgramIdOption,
    WorkspaceOption,
    actor,
    add_plain_row,
    err,
    opened,
    out,
    print_json,
    progress,
    written,
)

if TYPE_CHECKING:
    from fraud.app.models import KeptModel, Training

models = typer.Typer(help="Rankers trained on reviews: what there is, which one is live, whom to review next.", no_args_is_help=True)
ModelArgument = Annotated[str, typer.Argument(metavar="MODEL", help="A model's id, or the SHA-256 of its file.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command(rich_help_panel="Traffic")(train)
    baselines.register(models)
    app.add_typer(models, name="models", rich_help_panel="Traffic")


def train(
    program_id: ProgramIdOption = PROGRAM,
    profiles: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Labelled social profiles: train the model of profiles for vetting instead.", show_default=False),
    ] = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Train the ranker on what reviewers found; it orders the next scan where it does better than the statistics alone."""
    from fraud.app.models import train_ranker

    if profiles is not None:
        _train_profiles(profiles, program_id, workspace, json)
        return
    with opened(workspace) as app, progress("Reading") as tell:
        training = train_ranker(app, program_id, actor(), tell)
    print_json(training) if json else _show_training(training)


def _train_profiles(file: Path, program_id: str, workspace: Path | None, json: bool) -> None:
    from fraud.app.plausibility import train_plausibility

    with opened(workspace) as app:
        made = train_plausibility(app, program_id, file)
    if json:
        print_json(made)
        return
    learnt = f"{made.profiles:,} profiles, {made.fake:,} of them fake"
    out.print(f"{made.model} is live: {learnt}; area under the ROC {made.auc:.3f}.", markup=False)


@models.command("list")
def list_models(program_id: ProgramIdOption = PROGRAM, workspace: WorkspaceOption = None, json: JsonOption = False) -> None:
    """Every ranker that was trained, newest first; the live one is marked."""
    from fraud.app import models as kept

    with opened(workspace) as app:
        found = kept.list_models(app, program_id)
    if json:
        print_json(found)
        return
    table = Table(show_edge=False, pad_edge=False)
    for name in ("model", "live", "until", "labels", "AP", "before"):
        table.add_column(name, no_wrap=True, min_width=40 if name == "model" else None)
    for one in found:
        figures = (one.metrics.get("average_precision", 0.0), one.metrics.get("average_precision_before", 0.0))
        add_plain_row(
            table,
            *(one.model_id, "●" if one.live else "", f"{one.trained.end:%d %b}", f"{one.metrics.get('labels', 0):.0f}"),
            *(f"{figure:.3f}" for figure in figures),
        )
    out.print(table)
    if found:
        err.print("AP: average precision on labels not seen in training; before: that of the statistics alone.", markup=False)
    else:
        err.print("No ranker has been trained yet: `fraud train` makes one from labels.", markup=False)


@models.command()
def show(reference: ModelArgument, workspace: WorkspaceOption = None, json: JsonOption = False) -> None:
    """What a model's signed manifest says: what it was trained on, with which libraries, how well it does."""
    from fraud.app import models as kept

    with opened(workspace) as app:
        found = kept.show_model(app, reference)
    print_json(found) if json else _show_model(found)


@models.command()
def promote(
    reference: ModelArgument, program_id: ProgramIdOption = PROGRAM, workspace: WorkspaceOption = None, json: JsonOption = False
) -> None:
    """Let a trained ranker order the next scan."""
    from fraud.app import models as kept

    with opened(workspace) as app:
        found = kept.promote(app, program_id, reference, actor())
    print_json(found) if json else _show_model(found)


@models.command()
def rollback(program_id: ProgramIdOption = PROGRAM, workspace: WorkspaceOption = None, json: JsonOption = False) -> None:
    """Go back to the ranker that was live before."""
    from fraud.app import models as kept

    with opened(workspace) as app:
        found = kept.roll_back(app, program_id, actor())
    print_json(found) if json else _show_model(found)


@models.command()
def sample(
    size: Annotated[int, typer.Option(min=1, metavar="N", help="How many affiliates.")] = 30,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="A CSV of labels to fill in and ingest.", show_default=False)
    ] = None,
    program_id: ProgramIdOption = PROGRAM,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Whom to review next so that the ranker learns most: two thirds of the riskiest, one third drawn at random."""
    from fraud.app import models as kept

    with opened(workspace) as app:
        found = kept.sample(app, program_id, size)
    if to is not None:
        with to.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("affiliate_id", "label", "reason"), *((one.affiliate_id, "", "") for one in found)])
        written(to)
    if json:
        print_json(found)
        return
    table = Table(show_edge=False, pad_edge=False)
    for name in ("#", "affiliate", "risk", "by", "why"):
        table.add_column(name, no_wrap=name != "why")
    for one in found:
        add_plain_row(table, str(one.rank), one.affiliate_id, f"{one.score:.2f}", one.chosen, one.reason)
    out.print(table)


@models.command()
def explain(
    decision: Annotated[str, typer.Argument(metavar="DECISION", help="A decision's id.", show_default=False)],
    top: Annotated[int, typer.Option(min=1, metavar="N", help="How many influences.")] = 5,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """What moved an affiliate's place in the order of a scan that a ranker took part in."""
    from fraud.app import models as kept

    with opened(workspace) as app:
        found = kept.explain(app, decision, top)
    if json:
        print_json(found)
        return
    table = Table(show_edge=False, pad_edge=False)
    for name in ("what", "here", "typical of good ones", "log odds"):
        table.add_column(name, no_wrap=True)
    for one in found:
        add_plain_row(table, one.column, f"{one.value:.4g}", f"{one.typical:.4g}", f"{one.log_odds:+.2f}")
    out.print(table)


def _show_training(training: Training) -> None:
    trained = training.trained
    out.print(
        f"{trained.labels:,} labels, {trained.bad:,} bad ({trained.stage}). Average precision on labels not seen: "
        f"{trained.metrics['average_precision']:.3f}; statistics alone {trained.metrics['average_precision_before']:.3f}.",
        f"{training.model_id} orders the next scan."
        if training.live
        else f"{training.model_id} is kept and not live: the statistics alone do better. `fraud models promote` overrules.",
        sep="\n",
        markup=False,
    )


def _show_model(model: KeptModel) -> None:
    out.print(f"{model.model_id}{' (live)' if model.live else ''}", markup=False)
    lines = {
        "trained on": f"{model.trained.start:%Y-%m-%d %H:%M} to {model.trained.end:%Y-%m-%d %H:%M} UTC",
        "made": model.created_at,
        "file": f"{model.sha256} ({model.size:,} bytes)",
        "features": model.feature_set_hash,
        "figures": ", ".join(f"{name} {figure:g}" for name, figure in sorted(model.metrics.items())),
        "libraries": ", ".join(f"{name} {version}" for name, version in sorted(model.libraries.items())),
    }
    for name, text in lines.items():
        out.print(f"  {name}: {text}", markup=False)
