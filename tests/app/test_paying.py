"""A payment run over a scanned workspace: every conversion once, nothing that is held is paid."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fraud.app.parts import App
from fraud.app.paying import payment_run
from fraud.domain.actors import DEFAULT_PROGRAM
from fraud.domain.payments import PayAction
from fraud.domain.scans import Period
from fraud.errors import InputError
from tests.app.conftest import Scanned
from tests.conftest import MORNING


def test_every_conversion_of_the_period_has_its_line(scanned: Scanned) -> None:
    period = Period(start=MORNING - timedelta(days=3), end=MORNING)
    run = payment_run(scanned.app, DEFAULT_PROGRAM, period)
    with scanned.app.lake.connect(DEFAULT_PROGRAM) as events:
        query = "select count(*), sum(commission) from conversions where converted_at >= $start and converted_at < $end"
        bounds = {"start": period.start.replace(tzinfo=None), "end": period.end.replace(tzinfo=None)}
        count, commission = events.sql(query, params=bounds).fetchall()[0]
    assert len(run.lines) == len({line.conversion_id for line in run.lines}) == count
    assert sum(total.commission for total in run.totals) == commission
    held = {subject.affiliate_id for subject in scanned.run.result.affiliates if subject.outcome.value in {"hold", "suspend"}}
    assert held
    assert {line.action for line in run.lines if line.affiliate_id in held} <= {PayAction.HOLD, PayAction.REJECT}
    assert any(line.action is PayAction.PAY for line in run.lines)


def test_a_period_without_conversions_says_so(app: App) -> None:
    day = MORNING.replace(year=2020, month=1, day=1, hour=0)
    with pytest.raises(InputError, match="no conversion between 2020-01-01 and 2020-01-02"):
        payment_run(app, DEFAULT_PROGRAM, Period(start=day, end=day + timedelta(days=1)))
