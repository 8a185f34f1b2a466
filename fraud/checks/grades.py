"""How a check ends, without its words: what a verdict rests on, told in a fraction of the time that texts take."""

from __future__ import annotations

from fraud.domain.signals import Severity, Status

Grade = Severity | Status
"""A severity is a finding of it; a status is the check's end without a finding."""


GRADES: tuple[Grade, ...] = (*Status, *Severity)
"""Every grade, so that many can be told by number."""

CODES = {grade: code for code, grade in enumerate(GRADES)}
"""The number of each grade: its place in `GRADES`."""


def is_finding(grade: Grade) -> bool:
    """Whether the check found something."""
    return isinstance(grade, Severity)
