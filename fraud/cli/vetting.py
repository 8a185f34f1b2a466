"""The command that vets applicants."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from fraud.cli.console import (
    JsonOption,
    OutOption,
    PolicyOption,
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
from fraud.errors import InputError

if TYPE_CHECKING:
    from fraud.domain.dossiers import Dossier
    from fraud.domain.programs import Application

PathOption = Path | None


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel="Applicants")(vet)


def vet(
    url: Annotated[str | None, typer.Argument(metavar="URL", help="The applicant's website.", show_default=False)] = None,
    application: Annotated[PathOption, typer.Option(metavar="FILE", help="An application as JSON.", show_default=False)] = None,
    batch: Annotated[PathOption, typer.Option(metavar="FILE", help="Applications as CSV, one a row.", show_default=False)] = None,
    program: Annotated[
        PathOption,
        typer.Option(metavar="FILE", help="The program's profile and terms, YAML or JSON; kept for the next time.", show_default=False),
    ] = None,
    policy: PolicyOption = "",
    out_dir: OutOption = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Vet an applicant: visit the site within limits, run the checks, and write a dossier in which every finding quotes its evidence.

    A site that cannot be reached is no error: its checks are inconclusive, and the dossier says what would settle them.
    """
    from fraud.app.vetting import VettingMeans, profile_for, vet_applications
    from fraud.app.writing import make_folder
    from fraud.workflows.applications import read_profile

    given = read_profile(program) if program else None
    applications = _applications(url, application, batch, given.program_id if given else "")
    if out_dir is not None:
        make_folder(out_dir)
    with opened(workspace) as app, progress("Visiting") as tell:
        profile = profile_for(app, applications[0].program_id, given, actor())
        dossiers = vet_applications(app, applications, profile, VettingMeans(actor=actor(), policy=policy, progress=tell))
        if out_dir is not None:
            _write_all(app, list(zip(dossiers, applications, strict=True)), out_dir, single=not batch)
    if json:
        print_json(dossiers if batch else dossiers[0])
    elif batch:
        _show_batch(dossiers)
    else:
        _show(dossiers[0])


def _applications(url: str | None, application: PathOption, batch: PathOption, program_id: str) -> list[Application]:
    from fraud.workflows.applications import application_from_json, application_from_url, applications_from_csv

    if sum(source is not None for source in (url, application, batch)) != 1:
        raise InputError("Name exactly one of: a URL, --application FILE.json, --batch FILE.csv.")
    if batch is not None:
        return applications_from_csv(batch)
    return [application_from_json(application)] if application is not None else [application_from_url(url or "", program_id)]


def _write_all(app: object, vetted: list[tuple[Dossier, Application]], folder: Path, *, single: bool) -> None:
    from fraud.app.vetting import write_vetted

    for dossier, application in vetted:
        target = folder if single else folder / dossier.application_id
        for path in write_vetted(app, dossier, application, target):  # type: ignore[arg-type]  # App is imported lazily
            written(path)


def _show(dossier: Dossier) -> None:
    kinds = f" ({', '.join(dossier.typologies)})" if dossier.typologies else ""
    out.print(f"{dossier.outcome.value.replace('_', ' ')}: risk {dossier.score:.2f}, coverage {dossier.coverage:.0%}{kinds}", markup=False)
    table = Table(show_edge=False, pad_edge=False, show_header=False)
    for signal in dossier.signals:
        add_plain_row(table, signal.status.value.replace("_", " "), signal.check_id, signal.text)
    out.print(table)
    for text in dossier.needed:
        out.print(f"Would settle it: {text}", markup=False)
    err.print(f"Decision {dossier.decision_id}; fraud replay {dossier.decision_id}", markup=False)


def _show_batch(dossiers: list[Dossier]) -> None:
    table = Table(show_edge=False, pad_edge=False)
    for name in ("application", "outcome", "risk", "coverage", "findings"):
        table.add_column(name)
    for dossier in dossiers:
        findings = sum(signal.found for signal in dossier.signals)
        add_plain_row(
            table, dossier.application_id, dossier.outcome.value, f"{dossier.score:.2f}", f"{dossier.coverage:.0%}", str(findings)
        )
    out.print(table)
