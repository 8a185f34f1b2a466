"""impact.com: conversions are reversed. Its API neither ends a contract nor blocks a sub-ID nor holds an action nor caps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote

from fraud.domain.tracker_actions import ActionKind, PlannedCall, TrackerAction
from fraud.trackers.actions.adapter import Adapter, Planner

REVERSAL = "REJECTED"
"""The neutral one among impact.com's codes for a reversal; others name a cause, which is for a person to choose."""


class ImpactActions(Adapter):
    """Works with a brand's account. A reversal may arrive twice without harm."""

    tracker = "impact"
    cannot: ClassVar[Mapping[ActionKind, str]] = {
        ActionKind.BLOCK_AFFILIATE: "impact.com's API ends no contract. Expire the partner's contract on its page.",
        ActionKind.BLOCK_SUB_ID: "impact.com's API blocks no sub-ID. Ask the partner to drop the source, or reverse its actions.",
        ActionKind.HOLD_CONVERSIONS: "impact.com's API holds no action: it stays pending until its locking date. Reverse it before that.",
        ActionKind.SET_CAP: "impact.com's API sets no cap. Set a payout limit in the contract's terms.",
    }

    def planners(self) -> Mapping[ActionKind, Planner]:
        """Reversals alone."""
        return {ActionKind.REJECT_CONVERSIONS: self._reverse}

    def judge(self, answer: Any) -> None:
        """`Status` is `QUEUED` or `OK`."""
        status = str(answer.get("Status", "")) if isinstance(answer, dict) else ""
        if status.upper() not in {"QUEUED", "OK"}:
            raise self.refuse(answer.get("Message") if isinstance(answer, dict) else "the answer does not say that it was done")

    def _reverse(self, action: TrackerAction) -> list[PlannedCall]:
        self.lacking(action, "conversion_ids")
        path = f"Advertisers/{quote(self.client.account.user, safe='')}/Actions"
        return [
            PlannedCall(method="DELETE", path=path, body={"ActionId": one, "DispositionCode": REVERSAL}, form=True)
            for one in action.conversion_ids
        ]
