"""Affise: affiliates are banned (or taken off one offer), sub-IDs added to their list of blocked ones, conversions declined or held."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from fraud.domain.tracker_actions import ActionKind, PlannedCall, TrackerAction
from fraud.errors import Unsupported
from fraud.trackers.actions.adapter import Adapter, Planner


class AffiseActions(Adapter):
    """Works with an administrator's key. Every call may arrive twice without harm."""

    tracker = "affise"
    cannot: ClassVar[Mapping[ActionKind, str]] = {
        ActionKind.SET_CAP: "Affise's API replaces all caps of an offer at once, so one cannot be set safely. Set it on the offer's page."
    }

    def planners(self) -> Mapping[ActionKind, Planner]:
        """Everything but caps."""
        return {
            ActionKind.BLOCK_AFFILIATE: self._block_affiliate,
            ActionKind.BLOCK_SUB_ID: self._block_sub_id,
            ActionKind.REJECT_CONVERSIONS: lambda action: self._status(action, "declined"),
            ActionKind.HOLD_CONVERSIONS: lambda action: self._status(action, "hold"),
        }

    def judge(self, answer: Any) -> None:
        """`status` is 1 when it was done."""
        if not isinstance(answer, dict) or answer.get("status") != 1:
            why = answer.get("message") or answer.get("error") if isinstance(answer, dict) else None
            raise self.refuse(why or "the answer does not say that it was done")

    def send(self, call: PlannedCall) -> Any:
        """What Affise says of it; the affiliate's whole account, which it may answer with, is left out."""
        answer = super().send(call)
        return {name: answer[name] for name in ("status", "message") if name in answer}

    def _block_affiliate(self, action: TrackerAction) -> list[PlannedCall]:
        self.lacking(action, "affiliate_id")
        affiliate = self.number(action, "affiliate_id")
        if action.offer_id:
            body = {"offer_id": [self.number(action, "offer_id")], "pid": affiliate, "notice": 0}
            return [PlannedCall(method="POST", path="3.0/offer/disable-affiliate", body=body, form=True)]
        banned = {"id": [affiliate], "status": "banned"}
        return [PlannedCall(method="POST", path="3.0/admin/partners/mass-update", body=banned, form=True)]

    def _block_sub_id(self, action: TrackerAction) -> list[PlannedCall]:
        """Adds to the affiliate's list, which Affise only takes as a whole: what stands there now is read first."""
        self.lacking(action, "affiliate_id", "sub_id")
        if action.offer_id or "," in action.sub_id:
            raise Unsupported(
                f"{self.client.account.feed}: Affise blocks a sub-ID for an affiliate as a whole, in a list with commas between. "
                "Leave the offer out, or block it on the offer's page."
            )
        path = f"3.0/admin/partner/{self.number(action, 'affiliate_id')}"
        listed, blocking = _sub1_list(self.read(path, _Answer).partner)
        if listed and not blocking:
            raise Unsupported(
                f"{self.client.account.feed}: the affiliate {action.affiliate_id} has a list of allowed sub-IDs; take this one off it."
            )
        if action.sub_id in listed:
            return []
        body = {"sub_account_1": ",".join([*listed, action.sub_id]), "sub_account_1_except": 1}
        return [PlannedCall(method="POST", path=path, body=body, form=True)]

    def _status(self, action: TrackerAction, status: str) -> list[PlannedCall]:
        self.lacking(action, "conversion_ids")
        body = {"ids": list(action.conversion_ids), "status": status, "comment": action.reason}
        return [PlannedCall(method="POST", path="3.0/admin/conversion/edit", body=body, form=True)]


class _List(msgspec.Struct):
    value: str | None = None
    blocks: int | str | None = msgspec.field(name="except", default=0)


class _Partner(msgspec.Struct):
    sub_accounts: dict[str, _List] | list[_List] | None = None


class _Answer(msgspec.Struct):
    partner: _Partner


def _sub1_list(partner: _Partner) -> tuple[list[str], bool]:
    """An affiliate's list for sub1, and whether it blocks (or allows) what it names. It comes by number, or as a list."""
    accounts = partner.sub_accounts or []
    first = accounts.get("1") if isinstance(accounts, dict) else next(iter(accounts), None)
    entry = first or _List()
    listed = [part.strip() for part in (entry.value or "").split(",") if part.strip()]
    return listed, str(entry.blocks) == "1"
