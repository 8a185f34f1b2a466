"""Small programs: few affiliates, required columns only, one night without history. The scan says what it lacks, and asks for little."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fraud.cases.alerting import budget_of
from fraud.domain.scans import SAME_NIGHT
from fraud.workflows.night import ScanRequest
from tests.features.programs import DAY, START
from tests.workflows.test_nightly import PACK, scan_of


def bare_night(affiliates: int, seed: int = 0) -> list[dict[str, Any]]:
    """One night of clicks with nothing but the three required columns."""
    rng = np.random.default_rng(seed)
    return [
        {"click_id": f"c{a}-{n}", "clicked_at": START + DAY * float(moment), "affiliate_id": f"a{a}"}
        for a in range(affiliates)
        for n, moment in enumerate(np.sort(rng.random(int(rng.integers(5, 60)))))
    ]


@pytest.mark.parametrize("affiliates", [1, 2, 20, 60, 150])
def test_required_columns_of_one_night_are_ranked_within_an_honest_budget(tmp_path: Path, affiliates: int) -> None:
    result = scan_of(tmp_path, ScanRequest(program_id="p", whole=True), clicks=bare_night(affiliates))[0].result
    assert len(result.affiliates) == affiliates
    assert result.reference == SAME_NIGHT
    assert any("same night" in note for note in result.notes)
    assert any("Too few affiliates for a forest" in note for note in result.notes)
    assert len(result.alerts) <= budget_of(PACK.scan, affiliates, None) <= 3
    assert all(np.isfinite(row.score) and row.score < PACK.scan.review_score for row in result.affiliates)
    assert all(row.commission is None and row.commission_at_risk.mid is None for row in result.affiliates)
    assert all(row.reasons for row in result.affiliates)


def test_what_cannot_be_known_is_inconclusive_and_never_found(tmp_path: Path) -> None:
    decisions = scan_of(tmp_path, ScanRequest(program_id="p", whole=True), clicks=bare_night(20))[0].decisions
    by_check = {
        signal.check_id: {one.status.value for d in decisions for one in d.signals if one.check_id == signal.check_id}
        for signal in decisions[0].signals
    }
    for check in ("traffic.hosting_like", "traffic.refunds", "traffic.self_referral", "traffic.forced_visits", "traffic.country_mismatch"):
        assert by_check[check] <= {"inconclusive", "not_applicable"}, check
    assert all(decision.verdict.coverage < 0.6 for decision in decisions)


def test_a_first_night_in_fdr_mode_says_why_it_is_a_budget(tmp_path: Path) -> None:
    result = scan_of(tmp_path, ScanRequest(program_id="p", whole=True, fdr=0.1), clicks=bare_night(30))[0].result
    assert result.mode == "budget"
    assert "0% of the reference" in result.mode_reason


def test_one_bot_among_twenty_small_affiliates_is_first(tmp_path: Path) -> None:
    """A click every ten seconds from one address and one program: no history is needed to see that nobody else does so."""
    bot = [
        {
            "click_id": f"bot-{n}",
            "clicked_at": START + DAY * (n / 8_640),
            "affiliate_id": "bot",
            "ip": "73.9.9.9",
            "user_agent": "Mozilla/5.0 X",
        }
        for n in range(2_000)
    ]
    rng = np.random.default_rng(1)
    others = [
        row | {"ip": f"73.{rng.integers(1, 99)}.{n % 200}.7", "user_agent": f"Mozilla/5.0 {rng.integers(40)}"}
        for n, row in enumerate(bare_night(20))
    ]
    result = scan_of(tmp_path, ScanRequest(program_id="p", whole=True), clicks=[*others, *bot])[0].result
    assert result.affiliates[0].affiliate_id == "bot"
    assert {alert.subject_id for alert in result.alerts} <= {"bot"}
