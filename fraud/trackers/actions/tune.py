"""TUNE: affiliates are blocked (on one offer or everywhere), sub-IDs by a disabled link, conversions rejected or made pending, caps set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from fraud.domain.tracker_actions import ActionKind, PlannedCall, TrackerAction
from fraud.trackers.actions.adapter import Adapter, Planner
from fraud.trackers.tune import ENDPOINT

CAP_FIELDS = {"day": "conversion_cap", "month": "monthly_conversion_cap"}


class TuneActions(Adapter):
    """Works with a network's token. Every call may arrive twice without harm."""

    tracker = "tune"
    cannot: ClassVar[Mapping[ActionKind, str]] = {}

    def planners(self) -> Mapping[ActionKind, Planner]:
        """Everything."""
        return {
            ActionKind.BLOCK_AFFILIATE: self._block_affiliate,
            ActionKind.BLOCK_SUB_ID: self._block_sub_id,
            ActionKind.REJECT_CONVERSIONS: lambda action: self._status(action, "rejected"),
            ActionKind.HOLD_CONVERSIONS: lambda action: self._status(action, "pending"),
            ActionKind.SET_CAP: self._cap,
        }

    def judge(self, answer: Any) -> None:
        """TUNE answers 200 whatever happens: `response.status` is 1 when it was done, and its data is false when it was not."""
        said = answer.get("response") if isinstance(answer, dict) else None
        if not isinstance(said, dict) or said.get("status") != 1 or said.get("data") is False:
            why = (said.get("errorMessage") if isinstance(said, dict) else None) or "the answer does not say that it was done"
            raise self.refuse(why)

    def send(self, call: PlannedCall) -> Any:
        """The answer without the request that TUNE repeats beside it, in which the token stands."""
        return super().send(call)["response"]

    def _block_affiliate(self, action: TrackerAction) -> list[PlannedCall]:
        self.lacking(action, "affiliate_id")
        if action.offer_id:
            return [_call("Offer", "blockAffiliate", {"id": action.offer_id, "affiliate_id": action.affiliate_id})]
        return [_call("Affiliate", "block", {"id": action.affiliate_id, "reason": action.reason})]

    def _block_sub_id(self, action: TrackerAction) -> list[PlannedCall]:
        self.lacking(action, "affiliate_id", "offer_id", "sub_id")
        link = {"affiliate_id": action.affiliate_id, "offer_id": action.offer_id, "aff_info1": action.sub_id, "strict": "0"}
        return [_call("OfferDisabledLink", "save", {f"data[{name}]": value for name, value in link.items()})]

    def _status(self, action: TrackerAction, status: str) -> list[PlannedCall]:
        self.lacking(action, "conversion_ids")
        return [_call("Conversion", "updateStatus", {"tune_event_id": one, "status": status}) for one in action.conversion_ids]

    def _cap(self, action: TrackerAction) -> list[PlannedCall]:
        self.lacking(action, "affiliate_id", "offer_id", "cap")
        data = {"data[affiliate_id]": action.affiliate_id, f"data[{CAP_FIELDS[action.cap_period]}]": str(action.cap)}
        return [_call("Offer", "setConversionCap", {"id": action.offer_id, **data})]


def _call(target: str, method: str, fields: dict[str, str]) -> PlannedCall:
    return PlannedCall(method="POST", path=ENDPOINT, body={"Target": target, "Method": method, **fields}, form=True)
