"""A pack held against what people found: counted by subject, money behind them, and nothing concluded from nothing."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from fraud.app.parts import App
from fraud.app.policies import backtest_policy
from fraud.domain.actors import DEFAULT_PROGRAM
from fraud.domain.decisions import Decision, DecisionKind, SubjectKind
from fraud.domain.scans import ScanResult
from fraud.errors import InputError
from fraud.workflows.backtesting import LOOKED_AT, Tally, backtest
from fraud.workflows.rejudging import Rejudge
from tests.app.products import ingest_one
from tests.app.test_policies import STRICT
from tests.policy.test_kinds import OVERLAY


@pytest.fixture
def strict(tmp_path: Path) -> str:
    """A pack whose one rule sends every affiliate with a click to review; its path."""
    file = tmp_path / "strict.yaml"
    file.write_bytes(OVERLAY.replace(b"coupon", b"default") + b"rules:\n- " + msgspec.json.encode(STRICT))
    return str(file)


def newest(app: App) -> ScanResult:
    scan = app.stores.scans.latest(DEFAULT_PROGRAM)
    assert scan is not None
    return scan


@pytest.fixture
def labelled(scanned_copy: App, tmp_path: Path) -> App:
    """The scanned program after people have looked: the riskiest five are bad, the quietest twenty honest, the rest unknown."""
    ranked = [one.affiliate_id for one in newest(scanned_copy).affiliates]
    rows = [f"{name},bad,2026-03-01" for name in ranked[:5]] + [f"{name},good,2026-03-01" for name in ranked[-20:]]
    file = tmp_path / "labels.csv"
    file.write_text("affiliate_id,label,labelled_at\n" + "\n".join(rows))
    ingest_one(scanned_copy, "labels", file)
    return scanned_copy


def test_the_same_pack_comes_to_the_same(labelled: App) -> None:
    (result,) = backtest_policy(labelled, DEFAULT_PROGRAM, "default", 3_650, lambda _: None)
    assert result.job is DecisionKind.SCAN
    assert result.then == result.now
    assert (result.then.bad, result.then.good) == (5, 20)
    assert result.unlabelled == len(newest(labelled).affiliates) - 25
    expected = sum(one.outcome in LOOKED_AT for one in newest(labelled).affiliates[:5])
    assert result.then.bad_looked_at == expected > 0


def test_a_pack_that_looks_at_everybody_finds_all_and_troubles_all(labelled: App, strict: str) -> None:
    (result,) = backtest_policy(labelled, DEFAULT_PROGRAM, strict, 3_650, lambda _: None)
    assert (result.now.bad_looked_at, result.now.good_looked_at) == (5, 20)
    assert (result.now.recall, result.now.precision) == (1.0, 0.2)
    assert result.now.bad_stopped == result.then.bad_stopped
    assert sum(result.now.troubled.values()) >= sum(result.then.troubled.values())


def test_without_labels_it_says_so(scanned_copy: App) -> None:
    with pytest.raises(InputError, match="Nothing is labelled yet"):
        backtest_policy(scanned_copy, DEFAULT_PROGRAM, "default", 3_650, lambda _: None)


def test_a_subject_counts_once_however_many_nights(labelled: App) -> None:
    def twice() -> list[Decision]:
        since = labelled.clock.now().replace(year=2000)
        return list(labelled.stores.decisions.decided(DEFAULT_PROGRAM, DecisionKind.SCAN, since)) * 2

    name = newest(labelled).affiliates[0].affiliate_id
    rejudge = Rejudge(labelled.pack(), labelled.pack_of)
    result = backtest(DecisionKind.SCAN, twice(), {name: True}, rejudge)
    assert (result.decisions, result.then.bad) == (2, 1)
    assert all(one.subject_kind is not SubjectKind.SUB_ID for one in twice() if one.subject_id == name)


def test_nothing_looked_at_has_no_precision() -> None:
    empty = Tally(bad=0, good=3, bad_looked_at=0, good_looked_at=0, bad_stopped=0, good_stopped=0, caught={}, troubled={"EUR": Decimal(0)})
    assert (empty.precision, empty.recall) == (None, None)
