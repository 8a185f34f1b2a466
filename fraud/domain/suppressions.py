"""What people have asked not to be told of: subjects or kinds of evidence, for a reason and for a time."""

from __future__ import annotations

from datetime import datetime

import msgspec

from fraud.domain.alerts import Alert


class Suppression(msgspec.Struct, frozen=True, kw_only=True):
    """Alerts about a subject, or resting on one reason code, or both; the empty text is any. What is suppressed is still counted."""

    suppression_id: str
    program_id: str
    reason: str
    created_by: str
    created_at: datetime
    expires_at: datetime
    subject_id: str = ""
    reason_code: str = ""

    def covers(self, alert: Alert, at: datetime) -> bool:
        """Whether it speaks of this alert at that time. A kind of evidence covers an alert that rests on nothing else."""
        about = not self.subject_id or alert.subject_id == self.subject_id
        codes = {reason.code for reason in alert.reasons}
        rests_on = not self.reason_code or codes == {self.reason_code}
        return self.created_at <= at < self.expires_at and about and rests_on
