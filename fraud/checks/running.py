"""Runs checks under a policy pack: switched-off checks are left out, and one that breaks says so instead of looking clear.

`run_checks` and `prepare` are for every job. What an applicant's checks need besides, a run per website, is `run_applicant_checks`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import msgspec
import structlog

from crawlers.facts import SiteFacts
from fraud.checks.applicants import APPLICATION_CHECKS, NAME_CHECKS, SITE_CHECKS
from fraud.checks.applicants.context import VettingFacts, Visit
from fraud.checks.plugins import replaced, require_known
from fraud.domain.catalogue import CHECKS, CheckSpec, Limits
from fraud.domain.decisions import DecisionKind
from fraud.domain.programs import ProgramProfile
from fraud.domain.signals import Evidence, Signal

Facts = TypeVar("Facts")
Facts_contra = TypeVar("Facts_contra", contravariant=True)

Check = Callable[[Facts_contra, Limits], Signal | tuple[Signal, ...]]
"""A check: facts and the thresholds of the policy in, one signal or several out."""

_log = structlog.get_logger(__name__)


class Policy(Protocol):
    """What running checks needs of a policy pack."""

    def profile_under(self, profile: ProgramProfile | None) -> ProgramProfile | None:
        """A program's profile, completed by the terms of the pack."""
        ...

    def enabled(self, kind: DecisionKind) -> tuple[CheckSpec, ...]:
        """The checks of one job that are switched on, in the catalogue's order."""
        ...

    def limits(self, check_id: str) -> Limits:
        """The thresholds of one check, by name."""
        ...


@dataclass(frozen=True)
class PreparedChecks(Generic[Facts]):
    """The checks of one job under one pack, looked up once so that they can be run over many subjects."""

    steps: tuple[tuple[CheckSpec, Check[Facts], Limits], ...]

    def run(self, subject: str, facts: Facts) -> tuple[Signal, ...]:
        """Every check's signals on one subject, in the catalogue's order."""
        return tuple(signal for spec, check, limits in self.steps for signal in run_check(spec, check, subject, facts, limits))


def prepare(policy: Policy, kind: DecisionKind, checks: Mapping[str, Check[Facts]]) -> PreparedChecks[Facts]:
    """The policy's enabled checks of one job, each with its function and thresholds; a check without a function is a `LookupError`."""
    specs = policy.enabled(kind)
    missing = [spec.check_id for spec in specs if spec.check_id not in checks]
    if missing:
        raise LookupError(f"No function was given for {', '.join(missing)}; add it to the checks of its package.")
    return PreparedChecks(tuple((spec, checks[spec.check_id], policy.limits(spec.check_id)) for spec in specs))


def run_checks(policy: Policy, kind: DecisionKind, checks: Mapping[str, Check[Facts]], facts: Facts, subject: str) -> tuple[Signal, ...]:
    """Every enabled check of one job over the facts of one subject; `prepare` once instead where there are many subjects."""
    return prepare(policy, kind, checks).run(subject, facts)


def run_check(spec: CheckSpec, check: Check[Facts], subject: str, facts: Facts, limits: Limits) -> tuple[Signal, ...]:
    """One check's signals; an exception becomes an `error` signal that names the check, and its traceback goes to the log."""
    try:
        given = check(facts, limits)
    except Exception as fault:
        _log.exception("check_failed", check_id=spec.check_id, subject=subject)
        what = f"The check {spec.check_id} broke off ({type(fault).__name__}) and says nothing; the log has the details."
        return (spec.error(subject, what),)
    return (given,) if isinstance(given, Signal) else given


def run_applicant_checks(policy: Policy, facts: VettingFacts) -> tuple[Signal, ...]:
    """Every check of an applicant, in the catalogue's order; checks of a site give one signal for each website of the application.

    Checks of installed packages stand in for the shipped ones of their ids; InputError when one of them cannot be used.
    """
    facts = msgspec.structs.replace(facts, profile=policy.profile_under(facts.profile))
    require_known((*SITE_CHECKS, *APPLICATION_CHECKS))
    sites = {name: _on_each_website(name, check) for name, check in replaced(SITE_CHECKS).items()}
    checks = {**sites, **replaced(APPLICATION_CHECKS)}
    return run_checks(policy, DecisionKind.VET, checks, facts, facts.subject)


def _on_each_website(check_id: str, check: Check[Visit]) -> Check[VettingFacts]:
    spec = CHECKS[check_id]

    def on_each(facts: VettingFacts, limits: Limits) -> tuple[Signal, ...]:
        if not facts.application.websites:
            return (spec.not_applicable(facts.subject, "The application names no website."),)
        return tuple(signal for website in facts.application.websites for signal in _on_website(spec, check, (facts, website), limits))

    return on_each


def _on_website(spec: CheckSpec, check: Check[Visit], where: tuple[VettingFacts, str], limits: Limits) -> tuple[Signal, ...]:
    facts, website = where
    if website in facts.failed_visits:
        return (spec.error(website, f"The visit to {website} broke off, so {spec.check_id} says nothing; the log has the details."),)
    site = next((site for site in facts.sites if site.requested_url == website), None)
    if site is None:
        return (spec.inconclusive(website, f"{website} was not visited."),)
    if site.pages or spec.check_id in NAME_CHECKS:
        return run_check(spec, check, website, Visit(facts, site), limits)
    return (_unreached(spec, site),)


def _unreached(spec: CheckSpec, site: SiteFacts) -> Signal:
    failure = site.failure
    why = failure.message if failure else "no page came back."
    detail = {"kind": failure.kind if failure else "", "hops": [{"url": hop.url, "status": hop.status} for hop in site.hops]}
    evidence = Evidence(url=failure.url if failure else site.requested_url, fetched_at=site.started_at, detail=detail)
    return spec.inconclusive(site.requested_url, f"{site.requested_url} could not be read: {why}", (evidence,))
