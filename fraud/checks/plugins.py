"""Checks of applicants that installed packages put in place of the shipped ones, by the id of the check.

A package registers a function of the same shape under the entry-point group `fraud.applicant_checks`; the entry's name is the id. The
weight and thresholds stay those of the policy for that id. What was replaced is written down with every decision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from fraud.domain.decisions import Artefact
from fraud.domain.hashing import sha256_of
from fraud.errors import InputError

GROUP = "fraud.applicant_checks"


@dataclass(frozen=True)
class Replacement:
    """A check of an installed package: its function, and the package with its version."""

    check_id: str
    function: Callable[..., Any]
    package: str

    @property
    def artefact(self) -> Artefact:
        """How a decision names it."""
        return Artefact(id=f"{self.check_id} of {self.package}", hash=sha256_of([self.check_id, self.package]))


@cache
def replacements() -> tuple[Replacement, ...]:
    """The replacements that are installed. Raises InputError for one that cannot be loaded."""
    return tuple(_loaded(entry_points(group=GROUP)))


def replaced(shipped: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """The shipped checks with the replacements in their places; those of other checks are left out."""
    return {**shipped, **{one.check_id: one.function for one in replacements() if one.check_id in shipped}}


def require_known(known: Iterable[str]) -> None:
    """Raises InputError when a replacement names a check that there is not: a misspelt one must not pass for none."""
    strange = sorted({one.check_id for one in replacements()} - set(known))
    if strange:
        raise InputError(f"Installed packages replace checks that there are not: {', '.join(strange)}. See docs/reference/checks.md.")


def _loaded(points: Iterable[EntryPoint]) -> Iterable[Replacement]:
    for point in points:
        package = f"{point.dist.name} {point.dist.version}" if point.dist else "an unnamed package"
        try:
            function = point.load()
        except (ImportError, AttributeError) as fault:
            raise InputError(f"The check {point.name} of {package} cannot be loaded ({fault}); mend or remove the package.") from fault
        yield Replacement(point.name, function, package)
