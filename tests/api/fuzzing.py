"""Schemathesis over the whole OpenAPI document: what it makes up is asked of the application in this process, without a socket."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, cast

import hypothesis
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.python.asgi import ASGIClient
from schemathesis.specs.openapi import checks
from structlog.testing import capture_logs

from fraud.api.main import openapi_document

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]
"""No 5xx, no undocumented status, no undocumented media type, no body that is not as documented."""

_MEANT: dict[str, Any] = {
    "clicked_at": "2026-03-01T10:00:00Z",
    "converted_at": 1772359200,
    "websites": ["https://blog.example.org"],
    "social_profiles": ["https://social.example/@ada"],
}

Names = dict[str, str]
"""Parameters of paths by name, and a value for each that is really there."""


class Fuzzer:
    """Asks what Schemathesis makes up with one key, counts the answers by operation and status, and notes the first failure of each."""

    def __init__(self, app: FastAPI, key: str, known: Names) -> None:
        self._client = ASGIClient(cast(Any, app))  # ASGI's own types, in other words
        self._client.headers["X-API-Key"] = key
        self._known = known
        self.schema = schemathesis.openapi.from_dict(openapi_document(app))
        self.schema.app = app
        self.answers: Counter[tuple[str, int]] = Counter()
        self.failures: dict[tuple[str, int], str] = {}

    def operations(self) -> Iterator[Any]:
        """Every operation of the document."""
        for result in self.schema.get_all_operations():
            assert isinstance(result, Ok)
            yield result.ok()

    def run(self, cases: int, seed: int) -> None:
        """Asks about so many cases, the same number of each operation, half of them as the document wants them and half not."""
        operations = list(self.operations())
        each = -(-cases // (2 * len(operations)))
        with self._client, capture_logs():
            for operation in operations:
                for mode in GenerationMode:
                    _examples(operation.as_strategy(generation_mode=mode), self._ask, each, seed)

    def _ask(self, case: Case[Any], *, real: bool) -> None:
        """Sends one case; what is made up seldom exists, so half of the cases name what does."""
        if real:
            case.path_parameters = {name: self._known.get(name, value) for name, value in (case.path_parameters or {}).items()}
            case.query = _plausible(case.query)
            case.headers.clear()  # the session's own key, and none that is made up
            case.body = _plausible(case.body)
        response = case.call(session=self._client)
        self.answers[case.operation.label, response.status_code] += 1
        try:
            case.validate_response(response, checks=CHECKS)
        except (AssertionError, FailureGroup) as failure:  # noted, so that one run tells of every operation
            self.failures.setdefault((case.operation.label, response.status_code), str(failure))


def _plausible(given: Any) -> Any:
    """The same with times, addresses and programs that mean something: a text made up never does."""
    if isinstance(given, list):
        return [_plausible(one) for one in given]
    if not isinstance(given, dict):
        return given
    kept = {name: value for name, value in given.items() if name not in {"program_id", "key", "backlinks_file"}}
    return kept | {name: _MEANT[name] for name in kept.keys() & _MEANT.keys()}


def _examples(strategy: st.SearchStrategy[Case[Any]], ask: Callable[..., None], count: int, seed: int) -> None:
    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(case=strategy, real=st.booleans())
    def one(case: Case[Any], real: bool) -> None:
        ask(case, real=real)

    with suppress(Unsatisfiable):  # where an operation takes nothing, nothing can be sent wrongly
        one()
