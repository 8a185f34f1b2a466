"""Results as JSON documents, in the shapes of the contract."""

from __future__ import annotations

from typing import Any

import msgspec

from fraud.domain.scans import ScanResult


def scan_document(result: ScanResult) -> dict[str, Any]:
    """A result as `scan.json` has it: every alert also names its `subject` (CONTRACT 2)."""
    document: dict[str, Any] = msgspec.to_builtins(result)
    document["alerts"] = [{"subject": alert["subject_id"], **alert} for alert in document["alerts"]]
    return document
