"""What Schemathesis makes up from the OpenAPI document is answered as the document says, and never with a failure of ours."""

from __future__ import annotations

import pytest

from fraud.domain.actors import Role
from tests.api.conftest import KEYS, House
from tests.api.fuzzing import Fuzzer
from tests.api.known import known_things

SEED = 20260301


def fuzzed(house: House, cases: int, seed: int) -> Fuzzer:
    fuzzer = Fuzzer(house.app, KEYS[Role.ADMIN], known_things(house))
    fuzzer.run(cases, seed)
    assert fuzzer.failures == {}
    return fuzzer


def test_some_made_up_requests_are_answered_as_documented(house: House) -> None:
    fuzzer = fuzzed(house, 480, SEED)
    assert fuzzer.answers.total() >= 400
    assert {label for label, _ in fuzzer.answers} == {operation.label for operation in fuzzer.operations()}


@pytest.mark.long
def test_ten_thousand_made_up_requests_are_answered_as_documented(house: House) -> None:
    assert fuzzed(house, 11_500, SEED + 1).answers.total() >= 10_000
