"""The command that vets applicants."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from fraud.cli.console import (
    PROGRAM,
    JsonOption,
    OutOption,
    PolicyOption,
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
from fraud.errors import InputError

if TYPE_CHECKING:
    from fraud.app.parts import App
    from fraud.app.vetting import Row, VettingMeans
    from fraud.domain.dossiers import Dossier
    from fraud.domain.programs import Application

PathOption = Path | None


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel="Applicants")(vet)
    app.command(rich_help_panel="Applicants")(rescreen)


def vet(
    url: Annotated[str | None, typer.Argument(metavar="URL", help="The applicant's website.", show_default=False)] = None,
    application: Annotated[PathOption, typer.Option(metavar="FILE", help="An application as JSON.", show_default=False)] = None,
    batch: Annotated[PathOption, typer.Option(metavar="FILE", help="Applications as CSV, one a row.", show_default=False)] = None,
    program: Annotated[
        PathOption,
        typer.Option(metavar="FILE", help="The program's profile and terms, YAML or JSON; kept for the next time.", show_default=False),
    ] = None,
    policy: PolicyOption = "",
    verify_links: Annotated[bool, typer.Option("--verify-links", help="Look for a sample of the claimed backlinks in any case.")] = False,
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

    means = VettingMeans(actor=actor(), policy=policy, verify_links="always" if verify_links else None)
    if batch is not None and url is None and application is None:
        _vet_batch(batch, program, means, (out_dir, workspace, json))
        return
    given = read_profile(program) if program else None
    applications = _applications(url, application, batch, given.program_id if given else "")
    if out_dir is not None:
        make_folder(out_dir)
    with opened(workspace) as app, progress("Visiting") as tell:
        profile = profile_for(app, applications[0].program_id, given, actor())
        dossiers = vet_applications(app, applications, profile, replace(means, progress=tell))
        if out_dir is not None:
            _write(app, dossiers[0], applications[0], out_dir)
    if json:
        print_json(dossiers[0])
    else:
        _show(dossiers[0])


def rescreen(
    program_id: ProgramIdOption = PROGRAM,
    policy: PolicyOption = "",
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Vet the accepted applicants anew, and say what has changed on their sites since last time.

    A run that was stopped goes on where it stopped. Unchanged pages are not fetched again where the site has validators.
    """
    from fraud.app.vetting import VettingMeans
    from fraud.app.vetting import rescreen as run

    with opened(workspace) as app, progress("Visiting") as tell:
        told = list(run(app, program_id, VettingMeans(actor=actor(), policy=policy, progress=tell)))
    changed = [one for one in told if one.is_news]
    if json:
        print_json(changed)
        return
    for one in changed:
        out.print(one.sentence, markup=False)
    out.print(f"{len(told)} accepted applicant(s) vetted anew, {len(changed)} with news.", markup=False)


def _applications(url: str | None, application: PathOption, batch: PathOption, program_id: str) -> list[Application]:
    from fraud.workflows.applications import application_from_json, application_from_url

    if sum(source is not None for source in (url, application, batch)) != 1:
        raise InputError("Name exactly one of: a URL, --application FILE.json, --batch FILE.csv.")
    return [application_from_json(application)] if application is not None else [application_from_url(url or "", program_id)]


def _vet_batch(batch: Path, program: PathOption, means: VettingMeans, where: tuple[PathOption, PathOption, bool]) -> None:
    """Works through a batch: dossiers are kept and written one by one, so that memory does not grow with the file."""
    from fraud.app.vetting import profile_for, vet_batch
    from fraud.app.writing import make_folder
    from fraud.workflows.applications import read_profile
    from fraud.workflows.batches import read_batch

    out_dir, workspace, json = where
    given = read_profile(program) if program else None
    read = read_batch(batch)
    if out_dir is not None:
        make_folder(out_dir)
    with opened(workspace) as app, progress("Visiting") as tell:
        program_id = read.applications[0].program_id if read.applications else given.program_id if given else ""
        profile = profile_for(app, program_id, given, means.actor) if program_id else given
        rows = vet_batch(app, read, profile, replace(means, progress=tell))
        applications = {one.application_id: one for one in read.applications}
        for row in rows:
            if out_dir is not None and row.decision_id:
                application = applications[row.application_id]
                dossier = app.stores.applications.dossier(application.program_id, row.application_id)
                _write(app, dossier, application, out_dir / row.application_id)
        if json:
            kept = [app.stores.applications.dossier(applications[row.application_id].program_id, row.application_id)
                    for row in rows if row.decision_id]  # fmt: skip
            print_json(kept)
    for row in rows:
        if row.reason:
            err.print(f"Set aside: {row.application_id or 'a row'}: {row.reason}", markup=False)
    if not json:
        _show_batch(rows)


def _write(app: App, dossier: Dossier, application: Application, folder: Path) -> None:
    from fraud.app.vetting import write_vetted

    for path in write_vetted(app, dossier, application, folder):
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


def _show_batch(rows: list[Row]) -> None:
    table = Table(show_edge=False, pad_edge=False)
    for name in ("application", "outcome", "risk", "coverage", "findings"):
        table.add_column(name)
    for row in rows:
        if row.score is not None and row.coverage is not None:
            add_plain_row(table, row.application_id, row.outcome, f"{row.score:.2f}", f"{row.coverage:.0%}", str(row.findings))
        else:
            add_plain_row(table, row.application_id or f"line {row.line}", "set aside", "", "", "")
    out.print(table)
