"""What the scan has to beat, on the same nights: a plain forest, rules of two standard deviations, business rules, and, as the ceiling,
trees that know every label.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.model_selection import StratifiedKFold

from fraud.decisions.ranking import fit_ranker, log_odds_of
from fraud.decisions.weighing import log_odds
from fraud.domain.decisions import Decision
from fraud.domain.scans import Period
from fraud.policy.pack import Pack
from fraud.workflows.training import TOP_SHARE, rows_of
from models.evaluation import RawForestBaseline

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

RAW_FOREST = "isolation forest on raw aggregates"
TWO_SD = "two-standard-deviation rules"
BUSINESS_RULES = "business rules"
CEILING = "trees with all labels (ceiling)"
TAUGHT = "this product, 120 labels of another program"

_SD = 2.0
_SEVERITIES = {"low": 0.25, "medium": 0.5, "high": 1.0}
_PAID = "gclid|gad_source|gad_campaignid|fbclid|fb_action_ids|twclid|msclkid|li_fat_id|rdclid|ttclid"
_TREES = 400
_LEAF = 2


@dataclass(frozen=True)
class Ranking:
    """The scores of a method (higher is riskier) and whom it alerts on, if it says so; both as long as the affiliates."""

    name: str
    scores: Floats
    alerts: Bools | None = None


def forest_on(aggregates: pd.DataFrame) -> Ranking:
    """scikit-learn's isolation forest with a contamination of .05, as tutorials have it."""
    forest = RawForestBaseline().fit(aggregates)
    return Ranking(RAW_FOREST, forest.score_samples(aggregates), forest.alerts(aggregates))


def two_sd_on(aggregates: pd.DataFrame) -> Ranking:
    """How many figures lie more than two standard deviations from their mean, ties by the largest; an alert for three or more."""
    z = ((aggregates - aggregates.mean()) / aggregates.std().replace(0.0, np.nan)).abs().fillna(0.0).to_numpy(dtype=float)
    outside = (z > _SD).sum(axis=1)
    return Ranking(TWO_SD, outside + 1e-3 * np.minimum(z.max(axis=1), 999.0), outside >= 3)


def business_rules_on(events: duckdb.DuckDBPyConnection, window: Period, affiliates: Sequence[str]) -> Ranking:
    """The rules that an open partner platform ships, without statistics: the customer's e-mail is the affiliate's, or
    of its own domain; a disposable customer address; parameters of paid clicks where the offer forbids them; a payout account used twice;
    no social profile; an e-mail of another domain than the site's. An alert for one of high severity.
    """
    found = events.execute(_BUSINESS_RULES, {"starts": window.start, "ends": window.end, "paid": _PAID}).df()
    weight = found["severity"].map(_SEVERITIES).astype(float)
    worst = weight.groupby(found["affiliate_id"]).max().reindex(list(affiliates)).fillna(0.0).to_numpy(dtype=float)
    events_of = found.groupby("affiliate_id")["events"].sum().reindex(list(affiliates)).fillna(0.0).to_numpy(dtype=float)
    return Ranking(BUSINESS_RULES, worst + 1e-3 * np.log1p(events_of), worst >= _SEVERITIES["high"])


_BUSINESS_RULES = """
WITH bought AS (
    SELECT k.affiliate_id, k.customer_email AS hash, k.customer_email_domain AS domain, k.customer_email_kind AS kind,
           a.email AS own_hash, a.email_domain AS own_domain, a.email_kind AS own_kind
    FROM conversions k JOIN affiliates a USING (affiliate_id)
    WHERE k.converted_at >= $starts AND k.converted_at < $ends
), paid AS (
    SELECT c.affiliate_id, count(*) AS events
    FROM clicks c JOIN offers o USING (offer_id)
    WHERE c.clicked_at >= $starts AND c.clicked_at < $ends AND NOT o.allows_paid_search AND regexp_matches(c.landing_url, $paid)
    GROUP BY 1
), shared AS (
    SELECT payout_account FROM affiliates WHERE payout_account IS NOT NULL
    GROUP BY 1 HAVING count(DISTINCT coalesce(group_id, affiliate_id)) > 1
)
SELECT affiliate_id, 'high' AS severity, count(*) AS events FROM bought WHERE hash = own_hash GROUP BY 1
UNION ALL
SELECT affiliate_id, 'medium', count(*) FROM bought WHERE domain = own_domain AND own_kind = 'own' AND hash <> own_hash GROUP BY 1
UNION ALL
SELECT affiliate_id, 'medium', count(*) FROM bought WHERE kind = 'disposable' GROUP BY 1
UNION ALL
SELECT affiliate_id, 'medium', events FROM paid
UNION ALL
SELECT affiliate_id, 'high', 1 FROM affiliates JOIN shared USING (payout_account)
UNION ALL
SELECT affiliate_id, 'medium', 1 FROM affiliates WHERE len(social_profiles) = 0 OR social_profiles IS NULL
UNION ALL
SELECT affiliate_id, 'low', 1 FROM affiliates
WHERE email_kind = 'own' AND NOT list_contains(list_transform(websites, lambda w: regexp_extract(w, '//([^/]+)', 1)), email_domain)
"""


def matrix_of(decisions: Sequence[Decision], affiliates: Sequence[str]) -> pd.DataFrame:
    """Everything the scan knew of each affiliate: features, differences from the peers' medians, evidence and score. Unknown is 0."""
    by_subject = {decision.subject_id: decision for decision in decisions}
    rows = [_row_of(by_subject[affiliate]) for affiliate in affiliates]
    return pd.DataFrame(rows).sort_index(axis=1).fillna(0.0).astype("float64")


def _row_of(decision: Decision) -> dict[str, float]:
    facts: dict[str, Any] = decision.inputs["facts"]
    values, peers = facts["values"], facts["peers"]
    against = {f"{name} against peers": value - peers[name] for name, value in values.items() if name in peers}
    residuals = {f"{one['feature']} {one['side']}": one["z"] for one in facts["residuals"]}
    said = {"evidence": facts["evidence"] or 0.0, "score": decision.verdict.score}
    return {**values, **against, **residuals, **said}


def ceiling_on(matrix: pd.DataFrame, bad: Bools, folds: int = 5) -> Ranking:
    """Extremely randomised trees told the truth about four fifths of the affiliates, judged on the last fifth, five times over."""
    scores, known = np.zeros(len(bad)), matrix.to_numpy()
    for learned, judged in _folds(bad, folds):
        scores[judged] = _trees(known[learned], bad[learned], known[judged])
    return Ranking(CEILING, scores)


def without_kind(matrix: pd.DataFrame, bad: Bools, kinds: Sequence[str], kind: str, folds: int = 5) -> Floats:
    """The ceiling's scores when its labels held no affiliate of one kind of fraud."""
    scores, known, is_kind = np.zeros(len(bad)), matrix.to_numpy(), np.array(kinds) == kind
    for learned, judged in _folds(bad, folds):
        kept = learned[~is_kind[learned]]
        scores[judged] = _trees(known[kept], bad[kept], known[judged])
    return scores


@dataclass(frozen=True)
class Learnable:
    """What a night can teach, or be judged by what another taught: `rows` (affiliates, columns) as the product's ranker sees them, the
    evidence that `rules` add, the truth, and the scan's own scores (affiliates,).
    """

    rows: Floats
    rules: Floats
    bad: Bools
    scores: Floats


def learnable_of(decisions: Sequence[Decision], affiliates: Sequence[str], bad: Bools, pack: Pack) -> Learnable:
    """What the decisions of a night, made under this pack, hold for a ranker."""
    by_subject = {decision.subject_id: decision for decision in decisions}
    chosen = [by_subject[affiliate] for affiliate in affiliates]
    rules = np.array([pack.scan.weight_of_rules(ranked=True) * max(log_odds(pack, one.signals), 0.0) for one in chosen])
    return Learnable(rows_of(chosen), rules, bad, np.array([one.verdict.score for one in chosen], dtype=float))


def taught_by(teacher: Learnable, night: Learnable, labels: int = 120, seed: int = 0) -> Ranking:
    """The product's ranking of a night with so many reviews of another program: two thirds its riskiest there, a third random.

    NaN where the reviews are all alike.
    """
    order = np.argsort(-teacher.scores, kind="stable")
    top, rest = order[: round(labels * TOP_SHARE)], order[round(labels * TOP_SHARE) :]
    chosen = np.concatenate([top, np.random.default_rng(seed).permutation(rest)[: labels - len(top)]])
    if teacher.bad[chosen].all() or not teacher.bad[chosen].any():
        return Ranking(TAUGHT, np.full(len(night.rows), np.nan))
    ranker = fit_ranker(teacher.rows[chosen], teacher.bad[chosen], teacher.rows)
    return Ranking(TAUGHT, ranker.in_evidence(log_odds_of(ranker.ranker, night.rows)) + night.rules)


def _folds(bad: Bools, folds: int) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    many = max(2, min(folds, int(bad.sum()), int((~bad).sum())))
    return list(StratifiedKFold(many, shuffle=True, random_state=0).split(np.zeros(len(bad)), bad))


def _trees(learned: Floats, labels: Bools, judged: Floats) -> Floats:
    forest = ExtraTreesClassifier(_TREES, min_samples_leaf=_LEAF, class_weight="balanced", random_state=0)
    return np.asarray(forest.fit(learned, labels).predict_proba(judged)[:, 1])
