"""A night's scan as a sequence of its parts: periods, counts, rankings, what is left to the caller to keep."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.domain.actors import SYSTEM
from fraud.domain.decisions import Artefact, DecisionKind, SubjectKind
from fraud.domain.scans import SAME_NIGHT, Period
from fraud.errors import InputError
from fraud.policy.loading import load_pack
from fraud.workflows.night import ScanOutcome, ScanRequest, ScanTools
from fraud.workflows.nightly import _happened, periods, scan
from fraud.workflows.ranked import CHARTED
from tests.features.programs import DAY, START, clicks, conversions, lake_of

PACK = load_pack()
NOW = datetime(2026, 4, 1, tzinfo=UTC)
FIRST, LAST = START, START + 30 * DAY
MOMENT = timedelta(microseconds=1)


class Keeper:
    """Remembers what a scan asks to keep."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, Period, dict[str, float]]] = []

    def keep(self, name: str, model: object, trained: Period, metrics: dict[str, float]) -> Artefact:
        self.kept.append((name, trained, metrics))
        return Artefact(id=name, hash="0" * 64)


def scan_of(folder: Path, request: ScanRequest | None = None, **tables: list[dict[str, Any]]) -> tuple[ScanOutcome, Keeper]:
    keeper = Keeper()
    tools = ScanTools(lake=lake_of(folder, **tables), models=keeper, pack=PACK, actor=SYSTEM, now=NOW)
    return scan(request or ScanRequest(program_id="p"), tools), keeper


def month(affiliates: int = 12) -> list[dict[str, Any]]:
    """A month of affiliates who all do much the same."""
    return [
        row
        for a in range(affiliates)
        for row in clicks(f"a{a}", 200, every=30 * 86_400 / 200 + a, ip=lambda n, a=a: f"73.{a}.{n % 40}.1", sub_id=lambda n: f"s{n % 2}")
    ]


class TestPeriods:
    def test_the_newest_days_against_windows_as_long_before_them(self) -> None:
        window, references = periods(ScanRequest(program_id="p"), (FIRST, LAST))
        assert window == Period(start=LAST + MOMENT - 3 * DAY, end=LAST + MOMENT)
        assert len(references) == 9, "as many whole windows as fit into the 28 days"
        assert {period.end - period.start for period in references} == {3 * DAY}
        assert [period.end for period in references] == [*(period.start for period in references[1:]), window.start]

    def test_a_time_without_a_zone_is_utc(self) -> None:
        window, _ = periods(ScanRequest(program_id="p", as_of=datetime(2026, 3, 20)), (FIRST, LAST))  # noqa: DTZ001 - the point
        assert window.end == datetime(2026, 3, 20, tzinfo=UTC)

    def test_no_reference_lies_before_the_first_event(self) -> None:
        _, references = periods(ScanRequest(program_id="p"), (LAST - 6 * DAY, LAST))
        assert len(references) == 1
        assert periods(ScanRequest(program_id="p"), (LAST - 5 * DAY, LAST))[1] == []  # half a window would be half a story

    def test_the_whole_is_the_window_and_nothing_the_reference(self) -> None:
        assert periods(ScanRequest(program_id="p", whole=True), (FIRST, LAST)) == (Period(start=FIRST, end=LAST + MOMENT), [])

    @pytest.mark.parametrize(
        "asked",
        [
            {"as_of": datetime(1, 1, 2, tzinfo=UTC)},
            {"as_of": datetime(9, 1, 1, tzinfo=UTC), "history_days": 10_000},
            {"days": 10**6},
            {"days": 10**10},
        ],
    )
    def test_days_before_all_calendars_are_the_askers_fault(self, asked: dict[str, Any]) -> None:
        with pytest.raises(InputError, match="no calendar"):
            periods(ScanRequest(program_id="p", **asked), (FIRST, LAST))

    def test_a_window_that_begins_with_the_files_ends_the_reference_there(self) -> None:
        window, references = periods(ScanRequest(program_id="p", since=LAST - DAY), (FIRST, LAST))
        assert window == Period(start=LAST - DAY, end=LAST + MOMENT)
        assert references[-1].end == window.start
        assert len(references) == 27

    def test_a_window_longer_than_the_history_has_a_reference_all_the_same(self) -> None:
        window, references = periods(ScanRequest(program_id="p", days=10, history_days=7), (FIRST, LAST))
        assert [period.end for period in references] == [window.start]

    @given(
        first=st.integers(0, 400), length=st.integers(0, 400), days=st.integers(1, 60), history=st.integers(1, 60),
        since=st.none() | st.integers(0, 10**9), as_of=st.none() | st.integers(-500, 500),
    )  # fmt: skip
    def test_references_are_few_adjoin_and_end_where_the_window_begins(
        self, first: int, length: int, days: int, history: int, since: int | None, as_of: int | None
    ) -> None:
        begin = START + timedelta(hours=first)
        end = begin + timedelta(hours=length)
        request = ScanRequest(
            program_id="p",
            days=days,
            history_days=history,
            since=None if since is None else begin + timedelta(microseconds=since),
            as_of=None if as_of is None else end + timedelta(hours=as_of),
        )
        window, references = periods(request, (begin, end))
        assert window.start <= window.end
        assert len(references) <= max(history, 1)
        assert [period.end for period in references] == [*(period.start for period in references[1:]), window.start][: len(references)]
        assert all(period.end > begin for period in references)
        assert all(period.end - period.start >= DAY for period in references)

    def test_nothing_to_scan(self) -> None:
        with pytest.raises(InputError, match="no clicks or conversions to scan"):
            periods(ScanRequest(program_id="p"), None)


class TestANight:
    def test_is_judged_against_what_came_before(self, tmp_path: Path) -> None:
        (outcome, keeper) = scan_of(tmp_path, clicks=month())
        result = outcome.result
        assert isinstance(result.reference, Period)
        assert result.reference.end == result.window.start
        assert [(name.partition("_")[0], trained) for name, trained, _ in keeper.kept] == [("traffic", result.reference)]
        assert keeper.kept[0][2]["rows"] == 12 * 9
        assert result.models == (Artefact(id=keeper.kept[0][0], hash="0" * 64),)

    def test_without_a_past_the_same_night_is_the_reference_and_that_is_said(self, tmp_path: Path) -> None:
        outcome, keeper = scan_of(tmp_path, ScanRequest(program_id="p", whole=True), clicks=month(), conversions=conversions("a1", 3))
        result = outcome.result
        assert result.reference == SAME_NIGHT
        assert keeper.kept[0][1] == result.window
        assert any("same night" in note for note in result.notes)
        assert (result.counts.clicks, result.counts.conversions, result.counts.affiliates) == (12 * 200, 3, 12)

    def test_everybody_active_is_decided_once_sub_ids_when_large_enough(self, tmp_path: Path) -> None:
        outcome, _ = scan_of(tmp_path, ScanRequest(program_id="p", whole=True), clicks=month() + clicks("tiny", 2, sub_id="s"))
        assert len(outcome.decisions) == len({decision.decision_id for decision in outcome.decisions})
        about = {kind: {d.subject_id for d in outcome.decisions if d.subject_kind is kind} for kind in SubjectKind}
        assert about[SubjectKind.AFFILIATE] == {f"a{n}" for n in range(12)} | {"tiny"}
        assert about[SubjectKind.SUB_ID] == {f"a{n}/s{m}" for n in range(12) for m in range(2)}
        assert {decision.kind for decision in outcome.decisions} == {DecisionKind.SCAN}
        assert {decision.run_id for decision in outcome.decisions} == {outcome.result.scan_id}

    def test_names_with_a_slash_are_not_torn_apart(self, tmp_path: Path) -> None:
        outcome, _ = scan_of(tmp_path, ScanRequest(program_id="p", whole=True), clicks=clicks("net/a", 100, sub_id="feed/mobile"))
        assert [(row.affiliate_id, row.sub_id) for row in outcome.result.sub_ids] == [("net/a", "feed/mobile")]

    def test_who_only_converts_is_active_too(self, tmp_path: Path) -> None:
        outcome, _ = scan_of(tmp_path, ScanRequest(program_id="p", whole=True), clicks=month(3), conversions=conversions("seller", 4))
        row = next(row for row in outcome.result.affiliates if row.affiliate_id == "seller")
        assert (row.clicks, row.conversions) == (0, 4)

    def test_the_own_mail_address_on_conversions_alerts_without_a_budget(self, tmp_path: Path) -> None:
        """Evidence that stands alone needs no statistics: it alerts although none may."""
        outcome, _ = scan_of(
            tmp_path,
            ScanRequest(program_id="p", whole=True, budget=0),
            affiliates=[{"affiliate_id": "a1", "email": "hash-of-mine"}],
            clicks=month(),
            conversions=conversions("a1", 20, customer_email="hash-of-mine", commission=2.0, currency="EUR", status="pending"),
        )
        (alert,) = outcome.alerts
        assert alert.subject_id == "a1"
        assert alert.opened_at == NOW
        row = next(row for row in outcome.result.affiliates if row.affiliate_id == "a1")
        assert row.alerted
        assert row.commission_at_risk.currency == "EUR"
        assert alert.expected_loss == 40.0
        assert {row.affiliate_id for row in outcome.result.affiliates if row.alerted} == {"a1"}

    def test_a_ring_is_a_finding_on_each_of_its_members(self, tmp_path: Path) -> None:
        shared = [{"affiliate_id": name, "payout_account": "one-iban"} for name in ("a1", "a2", "a3")]
        outcome, _ = scan_of(tmp_path, ScanRequest(program_id="p", whole=True), clicks=month(), affiliates=shared)
        (ring,) = outcome.result.rings
        assert ring.affiliate_ids == ("a1", "a2", "a3")
        graphed = {row.affiliate_id for row in outcome.result.affiliates if any(reason.family.value == "graph" for reason in row.reasons)}
        assert graphed == set(ring.affiliate_ids)

    def test_the_head_of_the_ranking_has_charts(self, tmp_path: Path) -> None:
        outcome, _ = scan_of(tmp_path, ScanRequest(program_id="p", whole=True), clicks=month(CHARTED + 5))
        charted = [row.rank for row in outcome.result.affiliates if row.peers]
        assert all(rank <= CHARTED for rank in charted)

    def test_a_night_without_events_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="Nothing happened between"):
            scan_of(tmp_path, ScanRequest(program_id="p", as_of=NOW + 60 * DAY), clicks=month(2))

    def test_another_programs_events_are_not_seen(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="no clicks or conversions"):
            scan_of(tmp_path, ScanRequest(program_id="another"), clicks=month(2))


def test_one_event_of_a_wrong_clock_does_not_move_the_window() -> None:
    class Lake:
        def time_range(self, program_id: str, before: datetime | None = None) -> tuple[datetime, datetime]:
            return (FIRST, LAST if before else LAST + 27_000 * DAY)

    tools = SimpleNamespace(lake=Lake(), now=LAST + DAY)
    happened, notes = _happened(ScanRequest(program_id="p"), tools)  # type: ignore[arg-type]  # the two things it looks at
    assert happened == (FIRST, LAST)
    assert "lie in the future" in notes[0]


def test_fdr_mode_waits_for_reviews_and_says_so(tmp_path: Path) -> None:
    clicks = month()
    asked = ScanRequest(program_id="p", fdr=0.1)
    refused = scan_of(tmp_path / "unseen", asked, clicks=clicks)[0].result
    assert refused.mode == "budget"
    assert "0% of the reference's affiliate-windows are reviewed or trusted" in refused.mode_reason
    labels = [{"affiliate_id": name, "label": "good"} for name in sorted({row["affiliate_id"] for row in clicks})]
    granted = scan_of(tmp_path / "seen", asked, clicks=clicks, labels=labels)[0].result
    assert granted.mode == "fdr"
    assert not granted.alerts
