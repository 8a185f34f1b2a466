"""The lake's upkeep, wired: small files merged, and what is older than the setting allows removed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from fraud.app.parts import App
from fraud.app.privacy import keep_no_longer, programs_of
from fraud.errors import InputError
from fraud.storage.lake_upkeep import Merged, Removed


def compact_lake(app: App, most_files: int) -> Merged:
    """Merges the files of every day that has more than `most_files`."""
    return app.lake.compact(app.clock.now(), most_files)


def retain(app: App, days: int | None = None) -> list[Removed]:
    """Removes events older than `days`, or than the setting; `InputError` when neither is given."""
    kept = days or app.settings.retention_days
    if kept is None:
        raise InputError("Nothing says how long events are kept. Give --days N, or set FRAUD_RETENTION_DAYS.")
    return app.lake.remove_before((app.clock.now() - timedelta(days=kept)).date())


def keep_up(app: App, progress: Callable[[str], None]) -> None:
    """What every night does before its scan: retention, when it is set, and merging."""
    if app.settings.retention_days:
        progress(removed_in_words(retain(app)))
    app.lake.compact(app.clock.now())
    for program_id in programs_of(app):
        if any((erased := keep_no_longer(app, program_id)).values()):
            progress(
                f"Erased for their age in {program_id}: {erased['decisions']:,} decisions' inputs, {erased['applications']:,} applications"
            )


def removed_in_words(removed: Sequence[Removed]) -> str:
    """What retention removed, in a sentence."""
    if not removed:
        return "No event is older than is kept."
    rows = [f"{one.rows:,} {one.kind} of {one.program_id} ({one.first} to {one.last})" for one in removed]
    return f"Removed for their age: {', '.join(rows)}."
