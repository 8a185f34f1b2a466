"""Commands about alerts and cases: what needs a person, what it became, and what people asked not to be told of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from fraud.cli.console import PROGRAM, JsonOption, ProgramIdOption, WorkspaceOption, actor, add_plain_row, err, opened, out, print_json
from fraud.domain.reviews import Disposition

if TYPE_CHECKING:
    from fraud.domain.alerts import Alert

alerts_app = typer.Typer(help="Alerts: what needs a person, by expected loss.", no_args_is_help=True)
cases_app = typer.Typer(help="Cases: an alert in somebody's hands, up to its decision.", no_args_is_help=True)

AlertArgument = Annotated[str, typer.Argument(metavar="ALERT", help="The alert's id, such as alert_…")]
CaseArgument = Annotated[str, typer.Argument(metavar="CASE", help="The case's id, such as case_…")]
ReasonOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it stands in the record.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(alerts_app, name="alerts", rich_help_panel="Decisions")
    app.add_typer(cases_app, name="cases", rich_help_panel="Decisions")


@alerts_app.command("list")
def list_alerts(program_id: ProgramIdOption = PROGRAM, workspace: WorkspaceOption = None, json: JsonOption = False) -> None:
    """List open alerts, the largest expected loss first."""
    with opened(workspace) as app:
        found = app.stores.alerts.open_alerts(program_id, app.clock.now())
    if json:
        print_json(found)
        return
    _print_alerts(found)


@alerts_app.command("snooze")
def snooze_alert(
    alert: AlertArgument,
    days: Annotated[float, typer.Option("--days", min=0.01, metavar="N", help="For how many days.")] = 7,
    reason: ReasonOption = "",
    program_id: ProgramIdOption = PROGRAM,
    workspace: WorkspaceOption = None,
) -> None:
    """Keep an alert from the queue for some days, unless there is news."""
    from fraud.app.cases import snooze

    with opened(workspace) as app:
        snooze(app, program_id, alert, days, (actor(), reason))
    out.print(f"{alert} comes back in {days:g} days, or with news.", markup=False)


@alerts_app.command("suppress")
def suppress_alerts(
    subject: Annotated[str, typer.Option("--subject", metavar="ID", help="Alerts about this subject.")] = "",
    code: Annotated[str, typer.Option("--code", metavar="CODE", help="Alerts that rest on nothing but this reason code.")] = "",
    days: Annotated[float, typer.Option("--days", min=0.01, metavar="N", help="For how many days.")] = 30,
    reason: ReasonOption = "",
    preview: Annotated[bool, typer.Option("--preview", help="Only say which alerts it would cover.")] = False,
    program_id: ProgramIdOption = PROGRAM,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Keep alerts of one scope from the queue until an end; they are counted on."""
    from fraud.app.cases import new_suppression, suppress

    with opened(workspace) as app:
        wanted = new_suppression(app, program_id, (subject, code), days, (actor(), reason))
        covered = suppress(app, wanted, actor(), preview=preview)
    if json:
        print_json({"suppression": wanted, "preview": preview, "covers": covered})
        return
    verb = "would cover" if preview else "covers"
    out.print(
        f"{wanted.suppression_id} {verb} {len(covered):,} standing alerts, until {wanted.expires_at:%Y-%m-%d %H:%M} UTC.", markup=False
    )
    _print_alerts(covered)


@alerts_app.command("unsuppress")
def unsuppress(
    suppression: Annotated[str, typer.Argument(metavar="SUPPRESSION", help="Its id, such as sup_…")],
    reason: ReasonOption = "",
    program_id: ProgramIdOption = PROGRAM,
    workspace: WorkspaceOption = None,
) -> None:
    """End a suppression now; the alerts it covered are back in the queue."""
    from fraud.app.cases import lift

    with opened(workspace) as app:
        back = lift(app, program_id, suppression, (actor(), reason))
    out.print(f"{len(back):,} alerts are back in the queue.", markup=False)


@alerts_app.command("precision")
def precision(program_id: ProgramIdOption = PROGRAM, workspace: WorkspaceOption = None, json: JsonOption = False) -> None:
    """Say how often each reason was right, by what people found when they looked."""
    from fraud.cases.precision import rule_precision

    with opened(workspace) as app:
        found = rule_precision(app.stores.reviews.recent(program_id, 2**31))
    if json:
        print_json(found)
        return
    table = Table(show_edge=False, pad_edge=False)
    table.add_column("reason")
    for name in ("right", "wrong", "unclear", "share", "90% interval"):
        table.add_column(name, justify="right")
    for one in found:
        share = "-" if one.share is None else f"{one.share:.0%}"
        interval = "-" if one.low is None or one.high is None else f"{one.low:.0%} to {one.high:.0%}"
        add_plain_row(table, one.reason_code, str(one.confirmed), str(one.dismissed), str(one.unclear), share, interval)
    out.print(table)


@cases_app.command("next")
def next_case(program_id: ProgramIdOption = PROGRAM, workspace: WorkspaceOption = None, json: JsonOption = False) -> None:
    """Take the next case of the queue: the one with most at stake that nobody works on."""
    from fraud.app.cases import case_tools
    from fraud.workflows.casework import take_next

    who = actor()
    with opened(workspace) as app:
        found = take_next(case_tools(app), program_id, (who.actor_id, who.name))
    if json:
        print_json(None if found is None else {"case": found[1], "alert": found[0]})
        return
    if found is None:
        err.print("Nothing is waiting.", markup=False)
        return
    alert, case = found
    out.print(f"{case.case_id}: {alert.subject_id}, risk {alert.score:.2f}, at stake {alert.expected_loss:,.2f}", markup=False)
    if alert.news:
        out.print(f"News: {alert.news}", markup=False)
    for reason in alert.reasons:
        out.print(f"- {reason.text}", markup=False)
        if reason.also_explained_by:
            out.print(f"  Also explained by: {reason.also_explained_by}", markup=False)


@cases_app.command("decide")
def decide_case(
    case: CaseArgument,
    disposition: Annotated[Disposition, typer.Argument(metavar="DISPOSITION", help="confirmed, dismissed or unclear")],
    reason: ReasonOption = "",
    program_id: ProgramIdOption = PROGRAM,
    workspace: WorkspaceOption = None,
) -> None:
    """Decide a case that is in your hands; its alert is resolved, and the word is learned from."""
    from fraud.app.cases import case_tools
    from fraud.cases.casework import Step
    from fraud.domain.cases import CaseAction
    from fraud.workflows.casework import act
    from fraud.workflows.reviewing import Word

    who = actor()
    with opened(workspace) as app:
        step = Step(
            action=CaseAction.DECIDE,
            actor_id=who.actor_id,
            actor_name=who.name,
            at=app.clock.now(),
            reason=reason,
            disposition=disposition,
        )
        decided = act(case_tools(app), program_id, case, step, Word(actor=who, disposition=disposition, reason=reason))
    out.print(f"{decided.case_id} is decided: {disposition.value}.", markup=False)


@cases_app.command("show")
def show_case(
    case: CaseArgument, program_id: ProgramIdOption = PROGRAM, workspace: WorkspaceOption = None, json: JsonOption = False
) -> None:
    """Print a case and its timeline: who did what, when and why."""
    with opened(workspace) as app:
        found, lines = app.stores.cases.get(program_id, case), app.stores.cases.timeline(program_id, case)
    if json:
        print_json({"case": found, "timeline": lines})
        return
    out.print(f"{found.case_id}: {found.subject_id}, {found.state.value}", markup=False)
    for line in lines:
        why = f": {line.reason}" if line.reason else ""
        out.print(f"{line.at:%Y-%m-%d %H:%M}  {line.actor_name}  {line.action.value.replace('_', ' ')}{why}", markup=False)


def _print_alerts(alerts: list[Alert]) -> None:
    table = Table(show_edge=False, pad_edge=False)
    for name in ("alert", "subject", "severity"):
        table.add_column(name, no_wrap=True)
    for name in ("risk", "at stake", "seen"):
        table.add_column(name, justify="right")
    table.add_column("why")
    for one in alerts:
        why = one.news or (one.reasons[0].text if one.reasons else "")
        add_plain_row(
            table,
            one.alert_id,
            one.subject_id,
            one.severity.value,
            f"{one.score:.2f}",
            f"{one.expected_loss:,.2f}",
            str(one.times_seen),
            why,
        )
    out.print(table)
