"""What pages say of states, steps and what was just done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from fraud.app.hearing import Hearing
from fraud.domain.actors import Role
from fraud.domain.cases import CaseAction, CaseState
from fraud.domain.jobs import JobState
from fraud.domain.nights import NightLine, SubjectLine
from fraud.domain.policies import PolicyState
from fraud.domain.reviews import Disposition
from fraud.policy.pack import Terms
from fraud.reports import words

CASE_STATES: Mapping[CaseState, str] = {
    CaseState.QUEUED: "Waiting",
    CaseState.TAKEN: "In hand",
    CaseState.WAITING: "Waiting for the affiliate",
    CaseState.PROPOSED: "Suspension proposed",
    CaseState.DECIDED: "Decided",
    CaseState.APPEALED: "Contested",
}
CASE_TONES: Mapping[CaseState, str] = {
    CaseState.QUEUED: "calm",
    CaseState.TAKEN: "info",
    CaseState.WAITING: "warn",
    CaseState.PROPOSED: "bad",
    CaseState.DECIDED: "good",
    CaseState.APPEALED: "warn",
}
DISPOSITIONS: Mapping[Disposition, str] = {
    Disposition.CONFIRMED: "risk confirmed",
    Disposition.DISMISSED: "dismissed",
    Disposition.UNCLEAR: "unclear",
}
STEPS_DONE: Mapping[CaseAction, str] = {
    CaseAction.TAKE: "took the case",
    CaseAction.RELEASE: "released the case",
    CaseAction.NOTE: "added a note",
    CaseAction.ASK: "asked the affiliate",
    CaseAction.ANSWER: "took down the affiliate’s answer",
    CaseAction.DECIDE: "decided",
    CaseAction.PROPOSE_SUSPENSION: "proposed a suspension",
    CaseAction.CONFIRM_SUSPENSION: "confirmed the suspension",
    CaseAction.DECLINE_SUSPENSION: "declined the suspension",
    CaseAction.APPEAL: "took down that the affiliate contests it",
    CaseAction.REOPEN: "took the decision back",
}
ROLES: Mapping[Role, str] = {
    Role.SCORE: "score clicks and conversions",
    Role.REVIEW: "decide, and see these pages",
    Role.ADMIN: "do everything, also policies and keys",
}
JOB_STATES: Mapping[JobState, str] = {
    JobState.QUEUED: "Waiting to start",
    JobState.RUNNING: "Running",
    JobState.DONE: "Done",
    JobState.FAILED: "Failed",
}
POLICY_STATES: Mapping[PolicyState, str] = {
    PolicyState.LIVE: "Live",
    PolicyState.SHADOW: "In shadow",
    PolicyState.RETIRED: "Retired",
}

DONE: Mapping[str, str] = {
    "taken": "The case is yours for eight hours.",
    "release": "The case is back in the queue.",
    "note": "The note stands in the timeline.",
    "ask": "The question stands in the timeline; the affiliate has seven days.",
    "answer": "The answer stands in the timeline, and the case is back in the queue.",
    "decide": "Decided. It stands in the record; the affiliate may contest it for 30 days.",
    "propose_suspension": "Proposed. A second person confirms or declines it.",
    "confirm_suspension": "Suspended, and written into the program’s records.",
    "decline_suspension": "Declined. The case is back with whoever proposed it.",
    "reopen": "The case is in your hands again. Decide it anew: the later decision corrects the earlier one, and both stand in the record.",
    "appeal": "Contested. Somebody else than who decided takes it.",
    "snoozed": "Snoozed. It comes back earlier when there is news.",
    "snoozed_many": "Snoozed. They come back earlier when there is news.",
    "woken_many": "Those alerts are back in the queue.",
    "woken": "The alert is back in the queue.",
    "suppressed": "Suppressed. It is counted on, and can be lifted at any time.",
    "lifted": "Lifted. What it covered is back in the queue.",
    "decided": "Your decision stands in the record beside the one that the evidence gave.",
    "decided_many": "Decided. Each decision stands in its own record.",
    "published": "Published. Decisions are made under it from now on.",
    "shadowed": "In shadow: it decides nothing, and you see here what it would have done.",
    "shadow_ended": "The run in shadow has ended; what is live stays live.",
    "revoked": "Revoked. The key opens nothing from now on.",
    "linked": "The link is made. Whoever has its address reads this report until it ends; pass it on to nobody but the affiliate.",
    "mailed": "Sent. The link that stands in the letter is below; who sent it and why stands in the record.",
    "unlinked": "Revoked. The address leads nowhere from now on.",
    "promoted": "It orders the list from the next scan on. Roll back to undo it.",
    "accepted": "It judges from the next scan on. Roll back to undo it.",
    "baseline_back": "Rolled back. The next scan is judged as before.",
    "rolled_back": "Rolled back. The next scan is ordered as before.",
    "empty": "Nothing is waiting: every alert is decided, snoozed or in somebody’s hands.",
    "none_waiting": "No application waits for a decision.",
    "revived": "Those deliveries are tried again from now on.",
}
"""What is said after a step; the key travels in the address."""


def done(code: str) -> str:
    """What was just done, or nothing for a code nobody knows."""
    return DONE.get(code, "")


def disposition(code: str) -> str:
    """What a decision ended with, in words."""
    return DISPOSITIONS[Disposition(code)]


def points(lines: Sequence[NightLine | SubjectLine], figure: str) -> list[tuple[datetime, float | None]]:
    """One figure of each night, for a chart."""
    return [(line.as_of, getattr(line, figure)) for line in lines]


def hearing_stands(hearing: Hearing) -> str:
    """Where an affiliate's matter stands, as it reads it: no name of anybody, no reason that was written for colleagues."""
    until = f" You may contest this until {words.day(hearing.until)}." if hearing.until else ""
    match hearing.state:
        case CaseState.WAITING:
            return "We have a question for you." + (f" Please answer by {words.day(hearing.until)}." if hearing.until else "")
        case CaseState.APPEALED:
            return "You contested the decision. Somebody else than before looks at it next, ahead of everything else that waits."
        case CaseState.DECIDED:
            return f"A person looked at it{_on(hearing.decided_at)} and {_FOUND[hearing.disposition, hearing.suspended]}{until}"
        case CaseState.TAKEN:
            return "Somebody is looking at it now. Nothing is decided yet."
        case _:
            return "It waits for a person to look at it. Nothing is decided yet."


def _on(at: datetime | None) -> str:
    return f" on {words.day(at)}" if at else ""


_FOUND: Mapping[tuple[Disposition | None, bool], str] = {
    (Disposition.CONFIRMED, False): "found that what stood out goes against the program’s terms.",
    (Disposition.CONFIRMED, True): "two people agreed to suspend your account for what stood out.",
    (Disposition.DISMISSED, False): "found it to be in order. Nothing is held against you.",
    (Disposition.UNCLEAR, False): "could not tell either way. Nothing is held against you; it is looked at again if it goes on.",
}

_TERMS: Mapping[str, tuple[str, str]] = {
    "allows_paid_search": ("Paid search on the brand is allowed.", "Paid search on the brand is not allowed."),
    "allows_incentive": ("Incentives for a click or a purchase are allowed.", "Incentives for a click or a purchase are not allowed."),
    "allows_email": ("Promotion by e-mail is allowed.", "Promotion by e-mail is not allowed."),
    "allows_coupon": ("Coupon sites are allowed.", "Coupon sites are not allowed."),
    "requires_disclosure": ("Advertising must be disclosed.", "Disclosure is not asked for."),
}


def terms(told: Terms) -> list[str]:
    """A pack's terms in words; what it does not say is left out."""
    said = [pair[0] if value else pair[1] for name, pair in _TERMS.items() if (value := getattr(told, name)) is not None]
    if told.minimum_domain_age_days is not None:
        said.append(f"A site’s domain is at least {told.minimum_domain_age_days:,} days old.")
    if told.prohibited_categories:
        said.append(f"Not allowed on a site: {', '.join(told.prohibited_categories)}.")
    return said
