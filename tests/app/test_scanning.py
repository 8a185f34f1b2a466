"""Scans as the product runs them: what a night says, what it leaves behind, and what it must not depend on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from fraud.app.parts import App
from fraud.app.scanning import OneShotFiles, ScanRun, scan_files
from fraud.app.scoring import newest_click_model
from fraud.domain.actors import DEFAULT_PROGRAM, SYSTEM
from fraud.domain.clock import FixedClock, as_utc
from fraud.domain.decisions import DecisionKind
from fraud.domain.scans import SAME_NIGHT, Period, RankedSubject, ScanResult
from fraud.domain.signals import reason_of
from fraud.errors import InputError
from fraud.simulation.program import SimulatedProgram
from fraud.workflows.night import ScanRequest
from fraud.workflows.ranked import AS_USUAL
from tests.app.conftest import Scanned
from tests.app.products import ingest_one, ingest_program, quiet, scan_newest
from tests.conftest import MORNING, OpenApp, settings_of

DAY = timedelta(days=1)


def scan_once(app: App, clicks: Path, **files: object) -> ScanRun:
    """A one-shot scan of the whole of a click file."""
    one_shot = OneShotFiles(clicks=[clicks], **files)  # type: ignore[arg-type]  # the files' names and the format
    return scan_files(app, one_shot, ScanRequest(program_id=DEFAULT_PROGRAM, whole=True), (SYSTEM, "", quiet))


def written(table: pd.DataFrame, path: Path) -> Path:
    table.to_parquet(path, index=False)
    return path


def scores(result: ScanResult) -> dict[str, float]:
    return {row.affiliate_id: row.score for row in result.affiliates}


def everyone(result: ScanResult) -> Iterator[RankedSubject]:
    yield from result.affiliates
    yield from result.sub_ids


class TestAWorkspacesNight:
    def test_compares_the_newest_days_with_those_before(self, scanned: Scanned, program: SimulatedProgram) -> None:
        result = scanned.run.result
        newest = as_utc(max(program.clicks["clicked_at"].max(), program.conversions["converted_at"].max()).to_pydatetime())
        assert result.window == Period(start=newest + timedelta(microseconds=1) - 3 * DAY, end=newest + timedelta(microseconds=1))
        assert isinstance(result.reference, Period)
        assert result.reference.end == result.window.start

    def test_ranks_everybody_who_was_active_and_nobody_else(self, scanned: Scanned, program: SimulatedProgram) -> None:
        result = scanned.run.result
        start = pd.Timestamp(result.window.start)
        clicks = program.clicks[program.clicks["clicked_at"] >= start]
        conversions = program.conversions[program.conversions["converted_at"] >= start]
        active = set(clicks["affiliate_id"].astype("str")) | set(conversions["affiliate_id"].astype("str"))
        assert {row.affiliate_id for row in result.affiliates} == active
        assert [row.rank for row in result.affiliates] == list(range(1, len(active) + 1))
        assert [row.score for row in result.affiliates] == sorted(scores(result).values(), reverse=True)
        assert (result.counts.clicks, result.counts.conversions) == (len(clicks), len(conversions))

    def test_keeps_a_decision_for_every_row(self, scanned: Scanned) -> None:
        for row in everyone(scanned.run.result):
            decision = scanned.app.stores.decisions.get(DEFAULT_PROGRAM, row.decision_id)
            assert (decision.kind, decision.verdict.score) == (DecisionKind.SCAN, row.score)
            assert decision.run_id == scanned.run.result.scan_id

    def test_every_rule_that_fired_is_among_the_reasons(self, scanned: Scanned) -> None:
        decisions = [scanned.app.stores.decisions.find(row.decision_id) for row in everyone(scanned.run.result)]
        fired = {decision.decision_id: [reason_of(signal) for signal in decision.signals if signal.found] for decision in decisions}
        assert any(len(reasons) > 1 for reasons in fired.values())
        for row in everyone(scanned.run.result):
            reasons = [reason for reason in row.reasons if reason.code != AS_USUAL]
            assert row.reasons, "a row without a finding says that nothing stands out"
            assert sorted(reasons, key=repr) == sorted(fired[row.decision_id], key=repr)

    def test_alerts_are_kept_and_belong_to_alerted_rows(self, scanned: Scanned) -> None:
        result = scanned.run.result
        assert {alert.subject_id for alert in result.alerts} == {row.affiliate_id for row in result.affiliates if row.alerted}
        assert {alert.alert_id for alert in scanned.app.stores.alerts.open_alerts(DEFAULT_PROGRAM)} == {a.alert_id for a in result.alerts}

    def test_the_same_night_twice_brings_no_new_alert(self, scanned_copy: App, clock: FixedClock) -> None:
        before = {alert.alert_id: alert for alert in scanned_copy.stores.alerts.open_alerts(DEFAULT_PROGRAM)}
        clock.move_to(clock.now() + timedelta(hours=1))
        again = scan_newest(scanned_copy).result
        after = {alert.alert_id: alert for alert in scanned_copy.stores.alerts.open_alerts(DEFAULT_PROGRAM)}
        assert before
        assert after.keys() == before.keys()
        assert {alert.times_seen for alert in after.values()} == {2}
        assert {alert.opened_at for alert in after.values()} == {clock.now() - timedelta(hours=1)}
        assert {alert.alert_id: alert for alert in again.alerts} == after

    def test_late_events_are_seen_by_the_next_scan(
        self, scanned_copy: App, scanned: Scanned, program: SimulatedProgram, tmp_path: Path
    ) -> None:
        window = scanned.run.result.window
        late = program.clicks.tail(5).assign(click_id=[f"late-{n}" for n in range(5)], affiliate_id="newcomer")
        late["clicked_at"] = pd.Timestamp(window.start + DAY)
        ingest_one(scanned_copy, "clicks", written(late, tmp_path / "late.parquet"))
        result = scan_newest(scanned_copy).result
        assert result.window == window
        assert result.counts.clicks == scanned.run.result.counts.clicks + 5
        assert scores(result).keys() == scores(scanned.run.result).keys() | {"newcomer"}

    def test_an_earlier_night_with_a_shorter_window(self, scanned_copy: App, scanned: Scanned, program: SimulatedProgram) -> None:
        served = newest_click_model(scanned_copy, DEFAULT_PROGRAM)
        end = scanned.run.result.window.end - 2 * DAY
        result = scan_newest(scanned_copy, as_of=end, days=1).result
        clicked = program.clicks["clicked_at"]
        assert result.window == Period(start=end - DAY, end=end)
        assert result.counts.clicks == int(((clicked >= pd.Timestamp(end - DAY)) & (clicked < pd.Timestamp(end))).sum())
        assert served is not None, "and the click model of the later night goes on serving"
        assert newest_click_model(scanned_copy, DEFAULT_PROGRAM) == served

    def test_no_budget_leaves_only_absolute_evidence(self, scanned_copy: App) -> None:
        result = scan_newest(scanned_copy, budget=0).result
        assert all(any(reason.tier.value == "conclusive" for reason in alert.reasons) for alert in result.alerts)

    def test_an_empty_workspace_says_what_to_do(self, app: App) -> None:
        with pytest.raises(InputError, match="run `fraud ingest clicks FILE` first"):
            scan_newest(app)

    def test_a_night_without_events_says_which(self, scanned_copy: App, clock: FixedClock) -> None:
        with pytest.raises(InputError, match=r"Nothing happened between 2026-04-28 06:00 and 2026-05-01 06:00 UTC"):
            scan_newest(scanned_copy, as_of=clock.now() + 30 * DAY)


class TestOneShot:
    def test_keeps_nothing_but_the_decisions(self, app: App, program_folder: Path) -> None:
        run = scan_once(app, program_folder / "clicks.parquet", conversions=[program_folder / "conversions.parquet"])
        assert app.stores.decisions.get(DEFAULT_PROGRAM, run.result.affiliates[0].decision_id)
        assert app.lake.time_range(DEFAULT_PROGRAM) is None
        assert app.stores.scans.latest(DEFAULT_PROGRAM) is None
        assert app.stores.alerts.open_alerts(DEFAULT_PROGRAM) == []
        assert not list(app.workspace.root.glob("one-shot-*"))

    def test_scans_the_whole_of_the_click_files_against_the_same_night(
        self, app: App, program: SimulatedProgram, program_folder: Path
    ) -> None:
        result = scan_once(app, program_folder / "clicks.parquet").result
        assert result.counts.clicks == len(program.clicks)
        assert result.reference == SAME_NIGHT

    def test_days_make_the_rest_of_the_files_the_reference(self, app: App, program_folder: Path) -> None:
        files = OneShotFiles(clicks=[program_folder / "clicks.parquet"])
        result = scan_files(app, files, ScanRequest(program_id=DEFAULT_PROGRAM, days=2), (SYSTEM, "", quiet)).result
        assert result.window.end - result.window.start == 2 * DAY
        assert isinstance(result.reference, Period)
        assert result.reference.end == result.window.start

    def test_history_is_the_reference_of_the_whole_click_file(self, app: App, program: SimulatedProgram, tmp_path: Path) -> None:
        cut = program.clicks["clicked_at"].max().normalize()
        tonight = program.clicks[program.clicks["clicked_at"] >= cut]
        earlier = program.clicks[program.clicks["clicked_at"] < cut]
        clicks = written(tonight, tmp_path / "tonight.parquet")
        history = [written(earlier, tmp_path / "earlier.parquet"), written(program.conversions, tmp_path / "sales.parquet")]
        run = scan_once(app, clicks, history=history)
        assert run.result.counts.clicks == len(tonight)
        assert run.result.window.start == as_utc(tonight["clicked_at"].min().to_pydatetime())
        assert isinstance(run.result.reference, Period)
        assert run.result.reference.end == run.result.window.start
        assert [set(report.kinds) for report in run.ingested] == [{"clicks"}, {"clicks"}, {"conversions"}]

    def test_a_click_file_of_one_moment_has_a_reference_all_the_same(self, app: App, program: SimulatedProgram, tmp_path: Path) -> None:
        last = program.clicks.sort_values("clicked_at").tail(1)
        earlier = program.clicks.drop(last.index)
        result = scan_once(app, written(last, tmp_path / "one.parquet"), history=[written(earlier, tmp_path / "earlier.parquet")]).result
        assert result.counts.clicks == 1
        assert isinstance(result.reference, Period)

    def test_history_that_is_neither_clicks_nor_conversions_is_refused(self, app: App, program_folder: Path) -> None:
        with pytest.raises(InputError, match=r"offers\.csv holds neither clicks nor conversions: .* found: .*offer_id"):
            scan_once(app, program_folder / "clicks.parquet", history=[program_folder / "offers.csv"])

    def test_rows_set_aside_and_repeats_are_counted(self, app: App, tmp_path: Path) -> None:
        rows = ["c1,2026-03-01T10:00:00Z,a", "c1,2026-03-01T10:00:00Z,a", "c2,yesterday,a", "c3,2026-03-01T11:00:00Z,b"]
        file = tmp_path / "clicks.csv"
        file.write_text("\n".join(["click_id,clicked_at,affiliate_id", *rows]) + "\n")
        run = scan_once(app, file)
        counts = run.result.counts
        assert (counts.clicks, counts.duplicate_rows, counts.rejected_rows) == (2, 1, 1)
        (reject,) = run.ingested[0].rejects
        assert (reject.file, reject.line) == (str(file), 4)
        assert "'yesterday' is no time" in reject.reason


@pytest.fixture(scope="module")
def whole(program_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    """Everybody's score when the clicks are scanned as they are."""
    product = App(settings_of(tmp_path_factory.mktemp("whole")), FixedClock(MORNING))
    result = scan_once(product, program_folder / "clicks.parquet").result
    product.close()
    return scores(result)


class TestWhatAScanMustNotDependOn:
    def test_the_names_of_affiliates(self, app: App, whole: dict[str, float], program: SimulatedProgram, tmp_path: Path) -> None:
        """Two who swap their names swap their scores, and nobody else's changes."""
        busiest = program.clicks["affiliate_id"].astype("str").value_counts().index
        one, other = busiest[0], busiest[len(busiest) // 2]
        swapped = program.clicks.assign(affiliate_id=program.clicks["affiliate_id"].astype("str").replace({one: other, other: one}))
        assert whole[one] != whole[other]
        after = scores(scan_once(app, written(swapped, tmp_path / "swapped.parquet")).result)
        assert after == whole | {one: whole[other], other: whole[one]}

    @pytest.mark.parametrize("column", ["user_agent", "referrer"])
    def test_a_column_that_is_missing(
        self, app: App, whole: dict[str, float], program: SimulatedProgram, tmp_path: Path, column: str
    ) -> None:
        """What is not known is not held against anybody: no score rises by more than a fifth."""
        without = scores(scan_once(app, written(program.clicks.drop(columns=column), tmp_path / "without.parquet")).result)
        assert whole.keys() == without.keys()
        assert max(without[name] - whole[name] for name in whole) <= 0.2

    def test_chance(self, scanned: Scanned, program_folder: Path, tmp_path: Path, open_at: OpenApp) -> None:
        """Another workspace with the same events says exactly the same."""
        other = open_at(tmp_path / "other")
        ingest_program(other, program_folder)
        first, second = scanned.run.result, scan_newest(other).result
        assert [spoken(row) for row in everyone(second)] == [spoken(row) for row in everyone(first)]
        assert second.rings == first.rings
        assert [alert.alert_id for alert in second.alerts] == [alert.alert_id for alert in first.alerts]

    def test_the_order_of_the_rows(self, app: App, whole: dict[str, float], program: SimulatedProgram, tmp_path: Path) -> None:
        shuffled = program.clicks.sample(frac=1, random_state=5)
        assert scores(scan_once(app, written(shuffled, tmp_path / "shuffled.parquet")).result) == whole


def spoken(row: RankedSubject) -> tuple[object, ...]:
    """What a row says, to the last digit that is said."""
    reasons = [(reason.code, reason.severity, reason.text) for reason in row.reasons]
    return row.affiliate_id, row.sub_id, row.rank, row.score, row.outcome, row.alerted, row.typologies, row.commission_at_risk, reasons
