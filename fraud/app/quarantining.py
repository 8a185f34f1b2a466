"""What was set aside, wired: on the workspace's own lake."""

from __future__ import annotations

from collections.abc import Callable

from fraud.app.parts import App
from fraud.app.scanning import ingest_options
from fraud.workflows.quarantine import QuarantineReport, RetryReport, quarantine_report, retry


def list_quarantine(app: App, program_id: str, show: int) -> QuarantineReport:
    """What is set aside in a program, with the first `show` rows."""
    return quarantine_report(app.lake, program_id, show)


def retry_quarantine(app: App, program_id: str, format_name: str, progress: Callable[[str], None]) -> RetryReport:
    """Reads what was set aside in a program again, under another format unless it is `auto`."""
    return retry(app.lake, program_id, ingest_options(app, format_name, progress))
