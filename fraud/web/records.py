"""The audit log as people read it: what was done in words, and where the thing that it was done to stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fraud.reports import words
from fraud.web.visits import Visit

ACTIONS: Mapping[str, str] = {
    "alert.resolved": "decided on an alert",
    "alert.snoozed": "snoozed an alert",
    "alert.woken": "woke an alert",
    "alerts.suppressed": "suppressed alerts",
    "alerts.unsuppressed": "lifted a suppression",
    "application.decided": "decided on an application",
    "application.submitted": "sent an application",
    "deliveries.revived": "had deliveries tried again",
    "key.created": "made a key",
    "key.live": "let a key go live",
    "key.revoked": "revoked a key",
    "key.shadow": "put a key in shadow",
    "policy.compared_again": "compared a policy again",
    "policy.proposed": "proposed a policy",
    "policy.shadow_ended": "ended a run in shadow",
    "privacy.erased": "erased a person’s data",
    "privacy.exported": "exported a person’s data",
    "report.answered": "answered on its report",
    "report.read": "read its report",
    "report_link.made": "made a link to a report",
    "report_link.mailed": "mailed a link to a report",
    "report_link.revoked": "revoked a link to a report",
    "scan.started": "started a scan",
    "seen.affiliate": "looked at an affiliate",
    "seen.alert": "looked at an alert",
    "seen.applicant": "looked at an applicant",
    "seen.case": "looked at a case",
    "seen.decision": "looked at a decision",
    "session.opened": "signed in",
    "target.ended": "ended a target",
    "target.set": "set a target",
    "try.started": "tried a file",
}
"""What an action of the log is called; one without a name here is spelt out."""

_KINDS = {
    "seen.affiliate": "affiliate",
    "seen.applicant": "application",
    "application.decided": "application",
    "application.submitted": "application",
    "report.answered": "affiliate",
    "report.read": "affiliate",
    "report_link.made": "affiliate",
    "report_link.mailed": "affiliate",
    "report_link.revoked": "affiliate",
    "target.ended": "affiliate",
    "target.set": "affiliate",
}
_PREFIXES = {"alert_": "alert", "dec_": "decision"}


def action(code: str) -> str:
    """What was done, in words."""
    return ACTIONS.get(code, words.humanise(code))


def subject_address(visit: Visit, entry: Mapping[str, Any]) -> str:
    """Where the thing that an entry is about stands; "" for what has no page, or none of its own."""
    subject = entry["subject"]
    kind = _KINDS.get(entry["action"]) or next((kind for prefix, kind in _PREFIXES.items() if subject.startswith(prefix)), "")
    return visit.link(kind, subject) if kind else ""
