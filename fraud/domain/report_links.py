"""Links under which one affiliate reads its own report without signing in: signed, ending on a day, revocable."""

from __future__ import annotations

from datetime import datetime

import msgspec


class ReportLink(msgspec.Struct, frozen=True, kw_only=True):
    """One link. Whoever holds its address reads `affiliate_id`'s report until `expires_at`, or until it is revoked."""

    link_id: str
    program_id: str
    affiliate_id: str
    created_at: datetime
    created_by: str
    expires_at: datetime
    revoked_at: datetime | None = None
    revoked_by: str = ""

    def is_open(self, at: datetime) -> bool:
        """Whether it still leads anywhere."""
        return self.revoked_at is None and at < self.expires_at
