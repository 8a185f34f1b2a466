"""Whatever a tracker answers, a connector ends in rows or in an error of ours."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fraud.domain.clock import FixedClock
from fraud.domain.feeds import Feed, Window
from fraud.domain.tracker_actions import TrackerAction
from fraud.errors import FraudError
from fraud.trackers.actions.adapter import Adapter
from fraud.trackers.actions.registry import ADAPTERS
from fraud.trackers.http import Account, Ask, Patience, TrackerClient
from fraud.trackers.registry import CONNECTORS
from tests.trackers.conftest import NOON
from tests.trackers.fakes import FIRST, KEY
from tests.trackers.test_telling import BLOCK, CAP, REJECT, SUB

NAMES = st.sampled_from(
    "clicks table conversions Actions paging pagination total_count next_page status message response data count pageCount @total "
    "@numpages Status QueuedUri ResultUri errorMessage traffic_controls partner name sub_accounts custom_cap_settings result error "
    "network_custom_cap_setting_id 1 value except".split()
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-2, 10**20)
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.just("COMPLETED")
    | st.just(1)
)
ANSWERS = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12)


class Canned(TrackerClient):
    """A client whose every answer is the same, and which soon tires."""

    def __init__(self) -> None:
        account = Account(feed="shop", base_url="https://api.example.com", auth=("SID1", KEY), secrets=(KEY,))
        super().__init__(account, FixedClock(NOON), Patience(attempts=2), pause=lambda _: None)

    def answering(self, answer: Any) -> Canned:
        """The same client with another answer: to make one takes long."""
        self._body, self._left = json.dumps(answer).encode(), 50
        return self

    def _once(self, ask: Ask, target: Path) -> str:
        self.url(ask.path)
        self._left -= 1
        if self._left < 0:
            raise Tired("enough")
        target.write_bytes(self._body)
        return ""


@pytest.fixture(scope="module")
def canned() -> Iterator[Canned]:
    """One for all tests."""
    with Canned() as client:
        yield client


class Tired(FraudError):
    """So much was asked that we stop looking."""


def feed(tracker: str) -> Feed:
    return Feed(name="shop", tracker=tracker, base_url="https://api.example.com", tables=(), options={"campaign_id": "5", "page_size": "2"})


@pytest.mark.parametrize("tracker", CONNECTORS)
@given(answer=ANSWERS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_answer_breaks_a_connector(canned: Canned, tracker: str, answer: Any) -> None:
    for kind in CONNECTORS[tracker].steps:
        with tempfile.TemporaryDirectory() as folder:
            _ends(partial(_rows, tracker, canned.answering(answer), kind, Path(folder)))


def _rows(tracker: str, client: TrackerClient, kind: str, folder: Path) -> None:
    for page in CONNECTORS[tracker](feed(tracker), client).pages(kind, Window(FIRST, FIRST + timedelta(hours=1)), folder):
        assert page.path.read_bytes().strip()


@pytest.mark.parametrize("tracker", ADAPTERS)
@given(answer=ANSWERS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_answer_breaks_an_adapter(canned: Canned, tracker: str, answer: Any) -> None:
    for action in (BLOCK, SUB, REJECT, CAP):
        _ends(partial(_carry_out, ADAPTERS[tracker](canned.answering(answer)), action))


def _carry_out(adapter: Adapter, action: TrackerAction) -> None:
    for call in adapter.plan(action):
        adapter.send(call)


def _ends(do: Callable[[], object]) -> None:
    message = ""
    try:
        do()
    except FraudError as fault:
        message = fault.message
    assert KEY not in message
