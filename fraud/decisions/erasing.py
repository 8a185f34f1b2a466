"""Decisions after an erasure: what was decided, under which policy and for which kinds of reason stays; whom it was about does not.

The SHA-256 of the decision as it stood is kept with it: whoever holds a copy can still prove that it is the one, and nobody else learns
anything. A replay says that the inputs were erased.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from fraud.domain.clock import isoformat
from fraud.domain.decisions import Decision, DecisionKind, Verdict
from fraud.domain.hashing import sha256_of
from fraud.domain.signals import Reason, Signal

ERASED = "[erased]"
"""What stands where a person was named."""


def erased(decision: Decision, values: Sequence[str], at: datetime) -> Decision:
    """The decision without the person.

    A scan's decision is about an affiliate's counts, so only the values themselves go. Of one on a single applicant, click or conversion
    everything that was seen goes: texts, values and evidence, and the inputs.
    """
    mark = {"erased": {"at": isoformat(at), "document_sha256": sha256_of(decision)}}
    if decision.kind is DecisionKind.SCAN:
        return msgspec.structs.replace(
            decision,
            inputs={**_without(decision.inputs, values), **mark},
            signals=_without_in(decision.signals, values, tuple[Signal, ...]),
            verdict=_without_in(decision.verdict, values, Verdict),
        )
    return msgspec.structs.replace(
        decision,
        inputs=mark,
        signals=tuple(bare_signal(signal) for signal in decision.signals),
        verdict=msgspec.structs.replace(decision.verdict, reasons=tuple(_bare_reason(reason) for reason in decision.verdict.reasons)),
        evidence_manifest=(),
    )


def is_erased(decision: Decision) -> bool:
    """Whether its inputs were erased before."""
    return "erased" in decision.inputs


def bare_signal(signal: Signal) -> Signal:
    """What a signal said, short of what it saw."""
    return msgspec.structs.replace(signal, subject=ERASED, text=ERASED, value=None, baseline=None, evidence=())


def _bare_reason(reason: Reason) -> Reason:
    return msgspec.structs.replace(reason, text=ERASED, value=None, baseline=None, evidence=())


def _without_in(part: Any, values: Sequence[str], kind: Any) -> Any:
    return msgspec.convert(_without(msgspec.to_builtins(part), values), kind)


def _without(part: Any, values: Sequence[str]) -> Any:
    if isinstance(part, str):
        for value in values:
            part = part.replace(value, ERASED)
        return part
    if isinstance(part, dict):
        return {_without(key, values): _without(one, values) for key, one in part.items()}
    return [_without(one, values) for one in part] if isinstance(part, list | tuple) else part
