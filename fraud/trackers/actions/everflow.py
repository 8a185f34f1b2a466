"""Everflow: affiliates are suspended, sub-IDs blocked by a traffic control, conversions rejected, caps set for affiliate and offer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from fraud.domain.tracker_actions import ActionKind, PlannedCall, TrackerAction
from fraud.errors import Unsupported
from fraud.trackers.actions.adapter import Adapter, Planner
from fraud.trackers.connector import MOST_PAGES

CONTROLS = "v1/networks/trafficcontrols"
CAPS = "v1/networks/custom/caps"
CAP_FIELDS = {"day": "daily_conversion_cap", "month": "monthly_conversion_cap"}


class _Control(msgspec.Struct):
    name: str = ""


class _Paging(msgspec.Struct):
    total_count: int = 0


class _Controls(msgspec.Struct):
    traffic_controls: list[_Control] | None = None
    paging: _Paging = msgspec.field(default_factory=_Paging)


class _Cap(msgspec.Struct):
    network_custom_cap_setting_id: int
    network_affiliate_id: int
    network_offer_id: int


class _Caps(msgspec.Struct):
    custom_cap_settings: list[_Cap] | None = None


class EverflowActions(Adapter):
    """Works with a key of the network."""

    tracker = "everflow"
    cannot: ClassVar[Mapping[ActionKind, str]] = {
        ActionKind.HOLD_CONVERSIONS: "Everflow's API can only approve and reject a conversion, not hold it. Hold the payment instead."
    }

    def planners(self) -> Mapping[ActionKind, Planner]:
        """Everything but holding."""
        return {
            ActionKind.BLOCK_AFFILIATE: self._block_affiliate,
            ActionKind.BLOCK_SUB_ID: self._block_sub_id,
            ActionKind.REJECT_CONVERSIONS: self._reject,
            ActionKind.SET_CAP: self._cap,
        }

    def judge(self, answer: Any) -> None:
        """Everflow says `result: false`, or `error`."""
        if isinstance(answer, dict) and (answer.get("result") is False or answer.get("error")):
            raise self.refuse(answer.get("error") or "the result is false")

    def _block_affiliate(self, action: TrackerAction) -> list[PlannedCall]:
        self.lacking(action, "affiliate_id")
        if action.offer_id:
            raise Unsupported(
                f"{self.client.account.feed}: Everflow's API blocks an affiliate as a whole. Leave the offer out, or block sub-IDs."
            )
        field = {"field_type": "account_status", "field_value": "suspended", "operator": "overwrite"}
        body = {"network_affiliate_ids": [self.number(action, "affiliate_id")], "fields": [field]}
        return [PlannedCall(method="PATCH", path="v1/networks/patch/affiliates/apply", body=body)]

    def _block_sub_id(self, action: TrackerAction) -> list[PlannedCall]:
        """A traffic control named after the action, so that one that is there already is seen and not made twice."""
        self.lacking(action, "affiliate_id", "sub_id")
        name = f"fraud {action.action_id}"
        if name in self._control_names():
            return []
        body = {
            "name": name,
            "status": "active",
            "control_type": "blacklist",
            "targeting_action": "block",
            "comparison_method": "exact_match",
            "is_apply_all_affiliates": False,
            "is_apply_all_offers": not action.offer_id,
            "variables": ["sub1"],
            "network_offer_ids": [self.number(action, "offer_id")] if action.offer_id else [],
            "network_affiliate_ids": [self.number(action, "affiliate_id")],
            "network_advertiser_ids": [],
            "values": [action.sub_id],
        }
        return [PlannedCall(method="POST", path=CONTROLS, body=body, harmless_twice=False)]

    def _control_names(self) -> set[str]:
        names: list[str] = []
        for page in range(1, MOST_PAGES):
            answer = self.read(CONTROLS, _Controls, (("page", str(page)), ("page_size", "2000")))
            found = [control.name for control in answer.traffic_controls or ()]
            names += found
            if not found or len(names) >= answer.paging.total_count:
                break
        return set(names)

    def _reject(self, action: TrackerAction) -> list[PlannedCall]:
        self.lacking(action, "conversion_ids")
        body = {"conversion_ids": list(action.conversion_ids), "conversion_status": "rejected"}
        return [PlannedCall(method="PATCH", path="v1/networks/reporting/conversions", body=body)]

    def _cap(self, action: TrackerAction) -> list[PlannedCall]:
        """Changes the cap of the affiliate on the offer, or makes one."""
        self.lacking(action, "affiliate_id", "offer_id", "cap")
        affiliate, offer = self.number(action, "affiliate_id"), self.number(action, "offer_id")
        field = CAP_FIELDS[action.cap_period]
        query = (("filter[network_offer_id]", str(offer)), ("filter[network_affiliate_id]", str(affiliate)))
        settings = self.read(CAPS, _Caps, query).custom_cap_settings or ()
        ids = [
            setting.network_custom_cap_setting_id
            for setting in settings
            if (setting.network_affiliate_id, setting.network_offer_id) == (affiliate, offer)
        ]
        if ids:
            body = {"network_custom_cap_setting_ids": ids, "fields": [{"field_type": field, "field_value": action.cap}]}
            return [PlannedCall(method="PATCH", path=CAPS, body=body)]
        made = {"network_affiliate_id": affiliate, "network_offer_id": offer, "is_soft_cap": False, field: action.cap}
        return [PlannedCall(method="POST", path=CAPS, body=made, harmless_twice=False)]
