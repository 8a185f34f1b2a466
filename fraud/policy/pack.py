"""What a policy pack holds, read strictly: an unknown key, a missing threshold or a check that does not exist is an error."""

from __future__ import annotations

from functools import cached_property

import msgspec

from fraud.domain.catalogue import CHECKS, CheckSpec, Limits
from fraud.domain.decisions import Artefact, DecisionKind, Outcome
from fraud.domain.hashing import sha256_of
from fraud.domain.programs import ProgramProfile
from fraud.domain.signals import Family, Severity
from fraud.policy.losses import OutcomeLoss, faults_in_losses
from fraud.policy.rules import Fault, Rule, faults_of


class Threshold(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One threshold: its value, why it is what it is, and where that comes from."""

    value: float
    reason: str
    source: str


class CheckPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a pack treats one check. `weight` is the log-odds of a finding at severity `high`; `clear_weight` those of a clear result."""

    weight: float
    clear_weight: float = 0.0
    coverage: float = 1.0
    enabled: bool = True
    thresholds: dict[str, Threshold] = {}


class ExpectedLoss(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a wrong decision costs, in the program's currency (section 7): the outcome with the smallest expected loss is taken."""

    exposure: float
    recoverable_share: float
    margin_of_a_good_affiliate: float
    review_cost: float
    review_sensitivity: float
    review_specificity: float
    reason: str


class VettingPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How applications are decided."""

    prior: float
    minimum_coverage: float
    reject_automatically: bool
    loss: ExpectedLoss


FITTED_BASE_RATE = 0.05
"""The share of bad affiliates at which packs' `half_risk_evidence` is the evidence that makes the risk even."""


class AlertPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When an alert opens again, rests and expires (section 4.4): on evidence that rose by so much (-log10 p), on a stake so many times
    as large, not within so many days of being resolved, and gone when not seen for so many days (Dub's 30)."""

    reopen_evidence: float = 1.0
    reopen_exposure_factor: float = 2.0
    cooldown_days: float = 7.0
    expire_days: float = 30.0


class CapPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How caps and holds come off again: after so many calm nights in a row, by at most this factor a time, and never above `largest`
    conversions a day. Three nights are the scan's own window; doubling brings a tenth of the usual volume back within two weeks."""

    calm_nights: int = 3
    step: float = 2.0
    largest: int = 1_000_000


class DriftPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a baseline is fitted anew, and when the new one waits for a person.

    A baseline serves `refit_days` (a week: section 4.6). A feature has drifted when its stability index reaches `feature_psi` (Lewis 1994)
    and chance gives as much with less than `chance` over all features. A new baseline waits when `feature_share` of the features drifted,
    or the evidence by `evidence_psi` (section 4.6). `growth` is how many times the reference must be as large for an early refit.
    """

    refit_days: float = 7.0
    feature_psi: float = 0.25
    evidence_psi: float = 0.25
    feature_share: float = 0.2
    chance: float = 0.01
    growth: float = 1.25


class ScanPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How a night is decided, and how many alerts it may raise on statistics alone.

    The score is a probability: its odds are (evidence / `half_risk_evidence`) to the power of `evidence_power`, and move with the odds
    of `base_rate`, the share of active affiliates that are expected to be bad, beside the one in twenty that the curve was fitted at.
    `rule_weight` is what a log-odds unit of rules adds to the evidence of statistics, `ranked_rule_weight` to that of a ranker taught by
    reviews, which has seen what most rules rest on: on five tuning programs average precision .952 at .1, .949 without and .937 at .9.
    """

    rule_weight: float
    half_risk_evidence: float
    watch_score: float
    review_score: float
    suspend_automatically: bool
    budget_maximum: int
    budget_share: float
    absolute_alert_limit: int
    minimum_sub_id_clicks: int
    cap_shares: dict[Outcome, float]
    alerts: AlertPolicy = AlertPolicy()
    caps: CapPolicy = CapPolicy()
    drift: DriftPolicy = DriftPolicy()
    evidence_power: float = 1.0
    base_rate: float = FITTED_BASE_RATE
    ranked_rule_weight: float = 0.1
    losses: dict[Outcome, OutcomeLoss] = {}
    """What outcomes cost and save: where it is given, the smallest expected loss chooses between pass, watch and review."""

    def weight_of_rules(self, *, ranked: bool) -> float:
        """What a log-odds unit of rules adds to the evidence: of the statistics, or of a ranker."""
        return self.ranked_rule_weight if ranked else self.rule_weight


class ScorePolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How clicks are decided. `fail_open` answers `allow` when there is no model or no time; otherwise `review`."""

    prior: float
    review_score: float
    fail_open: bool


class Terms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a program of this kind usually allows: it stands wherever the program's own profile does not say. `None` says nothing."""

    allows_paid_search: bool | None = None
    allows_incentive: bool | None = None
    allows_email: bool | None = None
    allows_coupon: bool | None = None
    requires_disclosure: bool | None = None
    minimum_domain_age_days: int | None = None
    prohibited_categories: tuple[str, ...] = ()


class Pack(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True, omit_defaults=True):
    """A policy pack: every threshold, weight, outcome and rule of one program, as data."""

    id: str
    version: int
    title: str
    description: str
    severity_strength: dict[Severity, float]
    family_caps: dict[Family, float]
    vetting: VettingPolicy
    scan: ScanPolicy
    score: ScorePolicy
    checks: dict[str, CheckPolicy]
    rules: tuple[Rule, ...] = ()
    terms: Terms = Terms()

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the pack's canonical JSON: comments and layout of the file do not change it."""
        return sha256_of(self)

    @property
    def artefact(self) -> Artefact:
        """The pack's name and hash, as decisions record them."""
        return Artefact(id=f"{self.id}@{self.version}", hash=self.hash)

    def profile_under(self, profile: ProgramProfile | None) -> ProgramProfile | None:
        """A program's profile, with the pack's terms wherever it does not say; `None` where there is none and the pack has no terms."""
        stated = {name: value for name, value in msgspec.structs.asdict(self.terms).items() if value not in {None, ()}}
        if not stated:
            return profile
        known = profile or ProgramProfile(name="")
        return msgspec.structs.replace(known, **{name: value for name, value in stated.items() if getattr(known, name) in {None, ()}})

    def limits(self, check_id: str) -> Limits:
        """The thresholds of one check, by name."""
        return {name: threshold.value for name, threshold in self.checks[check_id].thresholds.items()}

    def enabled(self, kind: DecisionKind) -> tuple[CheckSpec, ...]:
        """The checks of one job that this pack has switched on, in the catalogue's order.

        A pack that was kept with earlier decisions knows nothing of checks that came later: for it they are switched off.
        """
        known = ((spec, self.checks.get(spec.check_id)) for spec in CHECKS.values() if spec.kind is kind)
        return tuple(spec for spec, policy in known if policy is not None and policy.enabled)


def faults_in(pack: Pack) -> list[Fault]:
    """Everything that is wrong with a pack, and where: checks and thresholds that are missing, unknown or out of range, and rules."""
    losses = [Fault(("scan", "losses", *path), message) for path, message in faults_in_losses(pack.scan.losses)]
    return [*_check_faults(pack), *_table_faults(pack), *_number_faults(pack), *losses, *faults_of(pack.rules, _switched_off(pack))]


def _switched_off(pack: Pack) -> frozenset[str]:
    return frozenset(name for name, check in pack.checks.items() if not check.enabled)


def _check_faults(pack: Pack) -> list[Fault]:
    faults = [Fault(("checks", name), f"there is no check {name!r}") for name in pack.checks if name not in CHECKS]
    for name, spec in CHECKS.items():
        if name not in pack.checks:
            faults.append(Fault(("checks",), f"the check {name!r} is missing"))
            continue
        faults += [Fault(("checks", name, *path), message) for path, message in _one_check(name, spec, pack.checks[name])]
    return faults


def _one_check(name: str, spec: CheckSpec, policy: CheckPolicy) -> list[tuple[tuple[str, ...], str]]:
    given, needed = set(policy.thresholds), {parameter.name for parameter in spec.parameters}
    lost = [((), f"{name} has no threshold {one!r}") for one in sorted(needed - given)]
    odd = [(("thresholds", one), f"{name} takes no threshold {one!r}") for one in sorted(given - needed)]
    return [*lost, *odd, *_range_faults(name, spec, policy)]


def _range_faults(name: str, spec: CheckSpec, policy: CheckPolicy) -> list[tuple[tuple[str, ...], str]]:
    limits = {one: threshold.value for one, threshold in policy.thresholds.items()}
    bounded = [one.name for one in spec.parameters if one.unit in {"share", "probability"} and one.name in limits]
    outside = [one for one in bounded if not 0 <= limits[one] <= 1]
    faults: list[tuple[tuple[str, ...], str]] = [
        (("thresholds", one), f"{name}: {one} is {limits[one]:g}, but must lie between 0 and 1") for one in outside
    ]
    if limits.get("high_share", 1.0) < limits.get("minimum_share", 0.0):
        message = f"{name}: high_share ({limits['high_share']:g}) is below minimum_share ({limits['minimum_share']:g})"
        faults.append((("thresholds", "high_share"), message))
    return faults


def _table_faults(pack: Pack) -> list[Fault]:
    return [
        *(
            Fault(("severity_strength",), f"severity_strength lacks {severity.value!r}")
            for severity in Severity
            if severity not in pack.severity_strength
        ),
        *(Fault(("family_caps",), f"family_caps lacks {family.value!r}") for family in Family if family not in pack.family_caps),
    ]


def _number_faults(pack: Pack) -> list[Fault]:
    shares = {
        "vetting.prior": pack.vetting.prior,
        "vetting.minimum_coverage": pack.vetting.minimum_coverage,
        "vetting.loss.recoverable_share": pack.vetting.loss.recoverable_share,
        "vetting.loss.review_sensitivity": pack.vetting.loss.review_sensitivity,
        "vetting.loss.review_specificity": pack.vetting.loss.review_specificity,
        "scan.watch_score": pack.scan.watch_score,
        "scan.review_score": pack.scan.review_score,
        "scan.budget_share": pack.scan.budget_share,
        "scan.base_rate": pack.scan.base_rate,
        "score.prior": pack.score.prior,
        "score.review_score": pack.score.review_score,
    }
    outside = [(name, value) for name, value in shares.items() if not 0 < value < 1]
    return [Fault(tuple(name.split(".")), f"{name} is {value}, but must lie between 0 and 1") for name, value in outside]
