"""Everything the checks of one conversion look at, in one value that is stored with the decision and read back for a replay."""

from __future__ import annotations

from typing import Literal

import msgspec

from fraud.checks.standing import AffiliateStanding, AgentFacts
from fraud.domain.clock import as_utc
from fraud.domain.events import Click, Conversion, Visit

ClickState = Literal["found", "missing", "unreadable", "unnamed"]
"""What became of looking for the click: it is there, it is nowhere on record, the records could not be read, or none is named."""

FUTURE: Literal["future"] = "future"
CLICKS_UNREADABLE: Literal["clicks_unreadable"] = "clicks_unreadable"

Degraded = Literal["", "future", "clicks_unreadable"]
"""Why a conversion was judged with less than usual: its time is far in the future, so that nothing was counted, or the records of clicks
could not be asked. Empty when all was there."""


class ConversionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One conversion as the checks see it. `features` are by name, `None` where unknown; `own_identities` are the kinds of identity
    (`email`, `phone`, `device`) that the customer shares with the affiliate, `None` when there was nothing to compare;
    `visits` are the reports of the landing page that had come in, to which `visit_…` among the features owe their values."""

    conversion: Conversion
    features: dict[str, float | None]
    click_state: ClickState
    click: Click | None = None
    agent: AgentFacts | None = None
    standing: AffiliateStanding = AffiliateStanding()
    own_identities: tuple[str, ...] | None = None
    visits: tuple[Visit, ...] = ()
    degraded: Degraded = ""

    @property
    def delay_s(self) -> float | None:
        """Seconds from the click to the conversion, negative when the click came after it; `None` without a click."""
        if self.click is None:
            return None
        return (as_utc(self.conversion.converted_at) - as_utc(self.click.clicked_at)).total_seconds()
