"""Scoring a file of clicks, as the API would have scored them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from fraud.app.affiliates import AffiliateRecords
from fraud.app.parts import App
from fraud.app.recorded import clicks_before
from fraud.app.scanning import ingest_options
from fraud.app.scoring import load_served, newest_click_model, warm_up
from fraud.domain.decisions import Decision
from fraud.storage.counters import MemoryCounters
from fraud.storage.lake import ParquetLake
from fraud.workflows.ingesting import IngestReport, ingest
from fraud.workflows.offline import score_offline
from fraud.workflows.scoring import ClickAnswer, ClickScorer, ScanRisks, ScoringTools

Means = tuple[str, str, Callable[[str], None]]
"""The file's format, the policy that is named, and who is told of the progress."""

MOST_SCORED = 5_000_000
END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)
BATCH = 500


def score_file(app: App, program_id: str, file: Path, means: Means) -> tuple[list[ClickAnswer], IngestReport]:
    """The answers to a file's clicks in event order, and what became of its rows; decisions are kept, the clicks are not."""
    format_name, policy, progress = means
    with tempfile.TemporaryDirectory(prefix="offline-", dir=app.workspace.root) as folder:
        lake = ParquetLake(Path(folder))
        report = ingest(lake, program_id, "clicks", [file], ingest_options(app, format_name, progress))
        clicks = clicks_before(lake, program_id, END_OF_TIME, MOST_SCORED)
    counters = MemoryCounters()
    warm_up(app, program_id, counters, before=clicks[0].clicked_at if clicks else None)
    kept: list[Decision] = []
    info = newest_click_model(app, program_id)
    tools = ScoringTools(
        priors=ScanRisks(app.stores.scans, app.clock, AffiliateRecords(app.lake, app.clock).statuses),
        counters=counters,
        record=kept.append,
        clock=app.clock,
    )
    scorer = ClickScorer(app.pack_for(program_id, policy), load_served(app, info) if info else None, tools)
    answers = [scored.answer for scored in score_offline(clicks, scorer)]
    for start in range(0, len(kept), BATCH):
        app.stores.decisions.add(kept[start : start + BATCH])
    return answers, report
