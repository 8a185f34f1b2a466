"""The ranked table of a scan as CSV, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from fraud.domain.scans import RankedSubject, ScanResult
from fraud.reports import words

COLUMNS = (
    "rank",
    "affiliate_id",
    "score",
    "outcome",
    "alerted",
    "typologies",
    "reason_codes",
    "reasons",
    "clicks",
    "conversions",
    "commission",
    "commission_at_risk_low",
    "commission_at_risk_mid",
    "commission_at_risk_high",
    "currency",
    "recommended_cap",
    "decision_id",
)

_FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "|", "%")


def scan_csv(result: ScanResult) -> str:
    """Every affiliate of the scan, riskiest first, a row each; an unknown value is an empty cell."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([_cell(value) for value in _row(subject)] for subject in result.affiliates)
    return out.getvalue()


def table_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Any table as CSV; an unknown value is an empty cell."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _row(subject: RankedSubject) -> tuple[str | float | Decimal | bool | None, ...]:
    risk = subject.commission_at_risk
    return (
        subject.rank,
        subject.affiliate_id,
        subject.score,
        subject.outcome.value,
        subject.alerted,
        "; ".join(subject.typologies),
        "; ".join(reason.code for reason in subject.reasons),
        " ".join(reason.text for reason in subject.reasons),
        subject.clicks,
        subject.conversions,
        subject.commission,
        risk.low,
        risk.mid,
        risk.high,
        risk.currency,
        subject.recommended_cap,
        subject.decision_id,
    )


def _cell(value: str | float | Decimal | bool | None) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return safe_text(value) if isinstance(value, str) else str(value)


def safe_text(text: str) -> str:
    """Text that a spreadsheet shows and never runs: what could begin a formula gets an apostrophe in front (OWASP, CSV injection)."""
    shown = words.clean(text)
    begins_formula = shown.lstrip(" \t\r\n\u00a0\ufeff\u200b").startswith(_FORMULA_STARTS)
    return f"'{shown}" if begins_formula or shown.startswith(("\t", "\r", "\n")) else shown
