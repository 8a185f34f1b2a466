"""The dossier of an applicant: what follows and why, in words; then signal by signal what was seen, and what was not."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from fraud.domain.decisions import Outcome
from fraud.domain.dossiers import Dossier
from fraud.domain.programs import Application, applicant_name
from fraud.domain.signals import Severity, Signal, Status
from fraud.reports import words
from fraud.reports.templating import Linker, no_links, report_environment, standalone

_ORDER = {Status.FINDING: 0, Status.ERROR: 1, Status.INCONCLUSIVE: 2, Status.CLEAR: 3}
_REASONS_SAID = 3


@dataclass(frozen=True)
class Group:
    """One of the four questions, what can be said about it in a line, and the signals that say it."""

    question: str
    answer: str
    tone: str
    signals: tuple[Signal, ...]


@dataclass(frozen=True)
class DossierView:
    """Everything the template of a dossier shows."""

    dossier: Dossier
    application: Application | None
    subject: str
    why: tuple[str, ...]
    groups: tuple[Group, ...]
    unanswered: tuple[Signal, ...]
    not_applicable: tuple[Signal, ...]
    declared: tuple[tuple[str, str], ...]


def dossier_report(dossier: Dossier, application: Application | None, pictures: Sequence[bytes] = ()) -> str:
    """A dossier as one HTML document that stands alone: style and pictures (PNG) inside, no script, nothing loaded from anywhere."""
    view = dossier_view(dossier, application)
    return standalone(f"{view.subject}: {words.OUTCOMES[dossier.outcome]}", dossier_body(view, more=_pictures(pictures)))


def _pictures(pictures: Sequence[bytes]) -> Markup | str:
    if not pictures:
        return ""
    inside = [f"data:image/png;base64,{base64.b64encode(picture).decode()}" for picture in pictures]
    html = report_environment().get_template("pictures.html").render(pictures=inside)
    return Markup(html)  # noqa: S704 - rendered by an autoescaping template


def dossier_body(view: DossierView, link: Linker = no_links, more: Markup | str = "") -> Markup:
    """The same dossier without a frame; whoever shows more puts it where `more` stands."""
    html = report_environment().get_template("dossier.html").render(view=view, link=link, more=more)
    return Markup(html)  # noqa: S704 - rendered by an autoescaping template


def dossier_view(dossier: Dossier, application: Application | None) -> DossierView:
    """Groups the signals by question and puts the outcome into words."""
    applicable = [signal for signal in dossier.signals if signal.status is not Status.NOT_APPLICABLE]
    return DossierView(
        dossier=dossier,
        application=application,
        subject=subject_of(dossier, application),
        why=why(dossier),
        groups=tuple(_group(question, applicable) for question in words.QUESTIONS),
        unanswered=tuple(signal for signal in applicable if signal.status in {Status.INCONCLUSIVE, Status.ERROR}),
        not_applicable=tuple(signal for signal in dossier.signals if signal.status is Status.NOT_APPLICABLE),
        declared=declared(application) if application else (),
    )


def subject_of(dossier: Dossier, application: Application | None) -> str:
    """What the applicant is called, or the application's id."""
    return (applicant_name(application) if application else "") or dossier.application_id


def why(dossier: Dossier) -> tuple[str, ...]:
    """The outcome's reasons in at most a few sentences: what weighs most, then how much could be looked at."""
    found = sorted((one for one in dossier.signals if one.found), key=lambda one: -one.severity.rank)
    weighty = [one for one in found if one.severity.rank >= Severity.MEDIUM.rank] or found
    said = list(dict.fromkeys(one.text for one in weighty if one.text))[:_REASONS_SAID]
    if not said and dossier.outcome is not Outcome.APPROVE:
        said = ["None of the checks that could answer found anything."]
    return (words.OUTCOME_MEANINGS[dossier.outcome], *said, coverage_in_words(dossier))


def coverage_in_words(dossier: Dossier) -> str:
    """How many of the checks that apply could answer, and how much of the policy's weight that is."""
    applicable = [one for one in dossier.signals if one.status is not Status.NOT_APPLICABLE]
    answered = sum(one.status in {Status.FINDING, Status.CLEAR} for one in applicable)
    checks = words.count(len(applicable), "check")
    return f"{answered:,} of the {checks} that apply could answer: {words.share(dossier.coverage)} of their weight in the policy."


def declared(application: Application) -> tuple[tuple[str, str], ...]:
    """What the applicant said of themselves. Payout, tax and sign-up address are for matching only and are not shown."""
    visits = application.claimed_monthly_visits
    rows = (
        ("Name", application.name),
        ("Company", application.company),
        ("E-mail", application.email if "@" in application.email else ""),
        ("Websites", "\n".join(application.websites)),
        ("Social profiles", "\n".join(application.social_profiles)),
        ("Kind", words.humanise(application.affiliate_type)),
        ("Traffic from", ", ".join(application.traffic_sources)),
        ("Visits a month", "" if visits is None else words.number(visits)),
        ("Declared country", application.country),
        ("In their own words", application.description),
        ("Applied", words.when(application.applied_at) if application.applied_at else ""),
    )
    return tuple((label, value) for label, value in rows if value)


def _group(question: str, signals: Sequence[Signal]) -> Group:
    own = sorted((one for one in signals if words.question_of(one) == question), key=_standing)
    answer, tone = _answer(own)
    return Group(question=question, answer=answer, tone=tone, signals=tuple(own))


def _standing(signal: Signal) -> tuple[int, int, str]:
    return _ORDER.get(signal.status, len(_ORDER)), -signal.severity.rank, signal.check_id


def _answer(signals: Sequence[Signal]) -> tuple[str, str]:
    found = [one for one in signals if one.found]
    if found:
        return words.count(len(found), "finding"), words.status_tone(found[0])
    if not any(one.status is Status.CLEAR for one in signals):
        return "Not known yet", "calm"
    if any(one.status is not Status.CLEAR for one in signals):
        return "Nothing found, not all checked", "info"
    return "Nothing found", "good"
