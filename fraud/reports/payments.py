"""A payment run as trackers and spreadsheets take it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from fraud.domain.payments import PayAction, PaymentLine, PaymentRun
from fraud.errors import InputError

Row = Mapping[str, str]


def _plain(line: PaymentLine) -> Row:
    return {
        "conversion_id": line.conversion_id,
        "affiliate_id": line.affiliate_id,
        "offer_id": line.offer_id or "",
        "sub_id": line.sub_id or "",
        "order_id": line.order_id or "",
        "converted_at": f"{line.converted_at:%Y-%m-%dT%H:%M:%SZ}",
        "commission": "" if line.commission is None else f"{line.commission:f}",
        "currency": line.currency or "",
        "action": line.action.value,
        "reasons": " ".join(line.reasons),
        "public_reason": line.public_reason,
        "decision_id": line.decision_id,
    }


_TUNE = {PayAction.PAY: "approved", PayAction.HOLD: "pending", PayAction.REJECT: "rejected"}
_AFFISE = {PayAction.PAY: "1", PayAction.HOLD: "5", PayAction.REJECT: "3"}
_EVERFLOW = {PayAction.PAY: "approved", PayAction.HOLD: "pending", PayAction.REJECT: "rejected"}

FORMATS: Mapping[str, Callable[[PaymentLine], Row]] = {
    "csv": _plain,
    "everflow": lambda line: {"conversion_id": line.conversion_id, "status": _EVERFLOW[line.action], "note": line.public_reason},
    "tune": lambda line: {"id": line.conversion_id, "status": _TUNE[line.action], "note": line.public_reason},
    "affise": lambda line: {"conversion_id": line.conversion_id, "status": _AFFISE[line.action], "comment": line.public_reason},
    "impact": lambda line: {
        "ActionId": line.conversion_id,
        "Amount": "0" if line.action is PayAction.REJECT else "",
        "Reason": "REJECTED" if line.action is PayAction.REJECT else "",
        "Note": line.public_reason,
    },
}
"""How each tracker takes a list of conversions. Formats but `csv` carry what the affiliate may be told, never the full reasons."""

CHANGED_ONLY = frozenset({"impact"})
"""Trackers that are told of changes alone: what is paid or waits is left out."""


def payments_csv(run: PaymentRun, format_name: str) -> str:
    """The run as a CSV file of a format. Cells that a spreadsheet would run as a formula get an apostrophe in front."""
    shape = FORMATS[format_name]
    lines = [line for line in run.lines if format_name not in CHANGED_ONLY or line.action is PayAction.REJECT]
    rows = [shape(line) for line in lines]
    out = io.StringIO()
    head = list(shape(_EMPTY)) if not rows else list(rows[0])
    writer = csv.DictWriter(out, head, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _harmless(value) for name, value in row.items()} for row in rows)
    return out.getvalue()


def _harmless(value: str) -> str:
    return f"'{value}" if value[:1] in {"=", "+", "-", "@", "\t", "\r"} and not _is_number(value) else value


def _is_number(value: str) -> bool:
    return value.lstrip("+-").replace(".", "", 1).isdigit()


def _nobody() -> PaymentLine:
    return PaymentLine(conversion_id="", affiliate_id="", converted_at=datetime(2000, 1, 1, tzinfo=UTC), action=PayAction.PAY, reasons=())


_EMPTY = _nobody()
"""Only its columns are looked at."""


def paid_in(text: str) -> frozenset[str]:
    """The conversions that an earlier run's `csv` file says to pay; `InputError` for another file."""
    rows = csv.DictReader(io.StringIO(text))
    if not {"conversion_id", "action"} <= set(rows.fieldnames or ()):
        raise InputError(
            "This is no list of a payment run: write one with `fraud pay --out FILE` (its columns are conversion_id, action, …)."
        )
    return frozenset(row["conversion_id"].removeprefix("'") for row in rows if row["action"] == PayAction.PAY.value)
