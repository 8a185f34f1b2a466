"""Installed packages may put checks of their own in the place of shipped ones, and a decision says so."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint

import pytest

from fraud.checks import plugins
from fraud.checks.applicants.context import VettingFacts, Visit
from fraud.checks.plugins import replacements
from fraud.checks.running import run_applicant_checks
from fraud.domain.catalogue import CHECKS, Limits, Observation
from fraud.domain.signals import Severity, Signal, Status
from fraud.errors import InputError
from tests.checks.applicants.samples import PACK, facts, signals, site


def phone(seen: VettingFacts, limits: Limits) -> Signal:
    """Somebody's own check of the phone number."""
    return CHECKS["application.phone"].finding(seen.subject, Severity.LOW, Observation(text="Nobody answered when we called."))


def thin(visit: Visit, limits: Limits) -> Signal:
    """Somebody's own check of a site."""
    return CHECKS["website.thin"].clear(visit.subject, Observation(text=f"We read {visit.domain} ourselves."))


def installed(monkeypatch: pytest.MonkeyPatch, *entries: tuple[str, str]) -> None:
    points = [EntryPoint(name, value, plugins.GROUP) for name, value in entries]
    monkeypatch.setattr(plugins, "entry_points", lambda group: points)
    replacements.cache_clear()


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    replacements.cache_clear()
    yield
    replacements.cache_clear()


def test_checks_of_a_package_stand_in_for_the_shipped_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, ("application.phone", "tests.checks.test_plugins:phone"), ("website.thin", "tests.checks.test_plugins:thin"))
    found = signals(facts(site()))
    assert found["application.phone"].text == "Nobody answered when we called."
    assert found["website.thin"].text == "We read trailnotes.example ourselves."
    assert found["website.parked"].status is Status.CLEAR
    assert [one.artefact.id for one in replacements()] == ["application.phone of an unnamed package", "website.thin of an unnamed package"]


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (("application.fone", "tests.checks.test_plugins:phone"), "application.fone"),
        (("application.phone", "tests.checks.test_plugins:nothing"), "cannot be loaded"),
        (("application.phone", "no_such_package:phone"), "cannot be loaded"),
    ],
)
def test_a_package_that_does_not_fit_is_told_and_never_passed_over(
    monkeypatch: pytest.MonkeyPatch, entry: tuple[str, str], says: str
) -> None:
    installed(monkeypatch, entry)
    with pytest.raises(InputError, match=says):
        run_applicant_checks(PACK, facts(site()))


def test_without_packages_nothing_is_replaced() -> None:
    assert replacements() == ()
