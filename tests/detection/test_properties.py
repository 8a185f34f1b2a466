"""The fourteen properties that a developer may rely on (`detection.md` 10), each under its own name and number."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from crawlers.addresses import is_public
from fraud.app.parts import App
from fraud.app.policies import diff_policy
from fraud.decisions.weighing import findings
from fraud.detection.observations import observations, specs
from fraud.detection.traffic import TrafficModel, fit_traffic_model, judge
from fraud.domain.actors import DEFAULT_PROGRAM
from fraud.domain.clock import FixedClock
from fraud.domain.signals import reason_of
from fraud.features.catalogue import BY_NAME
from fraud.features.table import FeatureTable
from fraud.links import evidence
from fraud.simulation.program import SimulatedProgram, simulate
from fraud.simulation.spec import SimulationSpec
from fraud.workflows.night import ScanOutcome
from models.baseline import Observations, PeerBaseline
from models.evaluation import average_precision
from models.fusion import display_risk
from models.graph.edges import read_edges
from models.graph.projection import project
from tests.app.products import ingest_one, ingest_program, scan_newest
from tests.conftest import MORNING, settings_of
from tests.detection.nights import all_names, frozen_model, night_of, renamed, scores_of, with_values, without_column
from tests.detection.tables import habitual, table_of
from tests.detection.test_context import windows_of

NAMES = all_names()
SHARES = [name for name in NAMES if BY_NAME[name].kind == "rate"]


@cache
def model() -> TrafficModel:
    """A frozen model, fitted when the first test asks for it."""
    return frozen_model()


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """A product whose workspace stays empty: the nights of these tests are thrown away."""
    opened = App(settings_of(tmp_path_factory.mktemp("properties")), FixedClock(MORNING))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def night(product: App, program: SimulatedProgram) -> ScanOutcome:
    """The session's program, scanned."""
    return night_of(product, program)


@settings(deadline=None, max_examples=60)
@given(share=st.floats(0.0, 1.0), clicks=st.integers(30, 3_000), name=st.sampled_from(SHARES))
def test_property_01_ten_times_the_clicks_with_the_same_shares_are_no_other_affiliate(share: float, clicks: int, name: str) -> None:
    """A residual keeps its side, and grows only because more is known: volume itself is nothing unusual."""
    once, tenfold = (_one_share(name, share, clicks * times) for times in (1, 10))
    z = [baseline_of(name).transform(seen).z[f"{name}:{BY_NAME[name].bad}"].item() for seen in (once, tenfold)]
    signed = [baseline_of(name).signed(seen)[name].item() for seen in (once, tenfold)]
    assert signed[0] * signed[1] >= 0.0 or min(map(abs, signed)) < 0.05
    assert z[1] >= z[0] - 0.05
    assert z[1] <= 1e-9 or signed[0] * signed[1] > 0.0 or abs(signed[0]) < 0.05


def _one_share(name: str, share: float, clicks: int) -> Observations:
    table = table_of(1)
    table.values[name] = share
    return _only(name, replace(table, support=table.support * 0 + clicks, facts=table.facts.assign(clicks=clicks)))


def _only(name: str, table: FeatureTable) -> Observations:
    """One feature of a table, everybody being everybody's peer."""
    seen = observations(table)
    return Observations(
        seen.values[[name]], seen.support[[name]], seen.groups.assign(**dict.fromkeys(map(str, seen.groups), "all")), seen.volume
    )


@cache
def baseline_of(name: str) -> PeerBaseline:
    """The baseline of one feature alone."""
    (spec,) = (spec for spec in specs() if spec.name == name)
    return PeerBaseline([spec]).fit(_only(name, table_of(300)))


class TestProperty02NamesMeanNothing:
    """Swapping affiliates' names swaps their scores."""

    @settings(deadline=None, max_examples=20)
    @given(order=st.permutations(range(30)))
    def test_of_a_frozen_model(self, order: list[int]) -> None:
        table = table_of(30, seed=4)
        names = [f"new{place}" for place in order]
        swapped = replace(table, **{part: getattr(table, part).set_axis(names) for part in ("values", "support", "facts")})
        assert judge(model(), swapped).evidence.tolist() == judge(model(), table).evidence.tolist()

    def test_of_a_whole_night(self, product: App, program: SimulatedProgram, night: ScanOutcome) -> None:
        ids = sorted(program.affiliates["affiliate_id"])
        names = dict(zip(ids, np.random.default_rng(5).permutation(ids).tolist(), strict=True))
        swapped = scores_of(night_of(product, renamed(program, names)).result)
        usual = scores_of(night.result)
        assert {names[name]: score for name, score in usual.items()} == pytest.approx(swapped, abs=1e-6)


def test_property_03_an_average_affiliate_changes_nobodys_frozen_score() -> None:
    table = table_of(40, seed=6)
    average = table_of(1, seed=7)
    average.values.iloc[0] = table_of(300).values.median()
    newcomer = replace(average, **{part: getattr(average, part).set_axis(["newcomer"]) for part in ("values", "support", "facts")})
    joined = replace(table, **{part: pd.concat([getattr(table, part), getattr(newcomer, part)]) for part in ("values", "support", "facts")})
    before, after = judge(model(), table).evidence, judge(model(), joined).evidence
    assert after.drop("newcomer").equals(before)


@cache
def null_model() -> TrafficModel:
    """A model of nights in which nothing happens."""
    return fit_traffic_model(windows_of(6, 300))


@pytest.mark.parametrize("seed", [40, 41, 42, 43, 44])
def test_property_04_p_values_of_a_null_night_are_uniform(seed: int) -> None:
    """By Kolmogorov and Smirnov's two-sample test: the calibration slice, which p-values are ranks in, is a sample itself."""
    judged = judge(null_model(), habitual(300, seed=seed))
    assert ks_2samp(null_model().held_out, judged.evidence.to_numpy()).pvalue > 0.01
    assert 0.02 <= float((judged.p_value < 0.05).mean()) <= 0.09


@pytest.mark.parametrize("kind", ["ip", "device", "payout_account", "network"])
def test_property_05_a_hub_of_a_thousand_affiliates_adds_no_pair(kind: str) -> None:
    pair = [("a1", "tax_id", "one"), ("a2", "tax_id", "one")]
    hub = [(f"a{number}", kind, "everyone") for number in range(1_000)]
    without, with_hub = (project(read_edges(_edges(rows), None, None)) for rows in (pair, [*pair, *hub]))
    assert len(without.similarity) == len(with_hub.similarity) == 1


def _edges(rows: list[tuple[str, str, str]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["affiliate_id", "kind", "entity"])


def test_property_06_knowing_the_carriers_addresses_or_not_alerts_on_nobody_honest(product: App) -> None:
    carriers = simulate(
        SimulationSpec(seed=8, affiliates=40, days=10, clicks_per_day=12.0, bad_share=0.0, hard_share=0.3, kinds=("cgnat_geo",))
    )
    labelled = night_of(product, carriers).result
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evidence, "shared_addresses", lambda events, window: [])
        unlabelled = night_of(product, carriers).result
    behind = {one.affiliate_id for one in carriers.truth.affiliates if one.kind == "cgnat_geo"}
    assert len(behind & set(scores_of(labelled))) >= 5
    assert not {row.affiliate_id for row in labelled.affiliates if row.alerted} & behind
    assert not {row.affiliate_id for row in unlabelled.affiliates if row.alerted} & behind


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("clicks", "ip"),
        ("clicks", "user_agent"),
        ("clicks", "device_id"),
        ("clicks", "country"),
        ("clicks", "referrer"),
        ("clicks", "dwell_ms"),
        ("clicks", "sub_id"),
        ("conversions", "click_id"),
        ("conversions", "amount"),
        ("conversions", "status"),
        ("conversions", "customer_email"),
        ("conversions", "new_customer"),
        ("affiliates", "affiliate_type"),
    ],
)
def test_property_07_a_missing_column_is_unknown(
    product: App, program: SimulatedProgram, night: ScanOutcome, table: str, column: str
) -> None:
    usual, blind = scores_of(night.result), scores_of(night_of(product, without_column(program, table, column)).result)
    jumped = {name: (usual[name], score) for name, score in blind.items() if name in usual and score > usual[name] + 0.2}
    assert not jumped


@pytest.mark.parametrize("name", NAMES)
def test_property_07_an_unknown_feature_raises_no_score(name: str) -> None:
    table = table_of(60, seed=9)
    unknown = replace(table, values=table.values.assign(**{name: np.nan}))
    before, after = (display_risk(judge(model(), one).evidence.to_numpy()) for one in (table, unknown))
    assert (after <= before + 0.2).all()


def test_property_08_the_same_seed_gives_the_same_model_in_every_process() -> None:
    code = (
        "import hashlib, joblib, io\n"
        "from fraud.detection.traffic import TrafficModel, fit_traffic_model, judge\n"
        "from tests.detection.tables import habitual, table_of\n"
        "model = fit_traffic_model(table_of(450), seed=3)\n"
        "buffer = io.BytesIO(); joblib.dump(model, buffer)\n"
        "said = judge(model, table_of(50, seed=2)).evidence.to_numpy().tobytes()\n"
        "print(hashlib.sha256(buffer.getvalue()).hexdigest(), hashlib.sha256(said).hexdigest())\n"
    )
    said = {_in_a_process(code, seed) for seed in ("0", "4711")}
    assert len(said) == 1


def _in_a_process(code: str, hash_seed: str) -> str:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        env={"PYTHONHASHSEED": hash_seed, "PATH": "", "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    return done.stdout


def test_property_09_the_same_night_twice_alerts_on_nobody_new(tmp_path: Path, program_folder: Path) -> None:
    clock = FixedClock(MORNING)
    app = App(settings_of(tmp_path / "workspace"), clock)
    ingest_program(app, program_folder)
    scan_newest(app)
    before = {alert.alert_id: alert.opened_at for alert in app.stores.alerts.open_alerts(DEFAULT_PROGRAM)}
    clock.move_to(clock.now() + timedelta(hours=1))
    scan_newest(app)
    after = {alert.alert_id: alert.opened_at for alert in app.stores.alerts.open_alerts(DEFAULT_PROGRAM)}
    app.close()
    assert before
    assert after == before


def test_property_10_with_unreviewed_fraud_in_the_reference_fdr_mode_refuses(
    tmp_path: Path, program_folder: Path, program: SimulatedProgram
) -> None:
    """A fifth of the reference is planted fraud, and half of the program has been reviewed: fewer than 95%."""
    app = App(settings_of(tmp_path / "workspace"), FixedClock(MORNING))
    ingest_program(app, program_folder)
    honest = [one.affiliate_id for one in program.truth.affiliates if not one.bad][:20]
    labels = tmp_path / "labels.csv"
    pd.DataFrame({"affiliate_id": honest, "label": "good", "labelled_at": "2026-03-25"}).to_csv(labels, index=False)
    ingest_one(app, "labels", labels)
    result = scan_newest(app, fdr=0.1).result
    app.close()
    assert result.mode == "budget"
    assert "95% are needed for FDR mode" in result.mode_reason


def test_property_11_every_rule_that_fired_is_recorded(night: ScanOutcome) -> None:
    assert any(len(findings(decision.signals)) > 1 for decision in night.decisions)
    for decision in night.decisions:
        fired = [reason_of(signal) for signal in decision.signals if signal.found]
        assert sorted(map(repr, decision.verdict.reasons)) == sorted(map(repr, fired))


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True), ("2606:2800:220:1:248:1893:25c8:1946", True), ("127.0.0.1", False), ("10.1.2.3", False),
        ("172.16.0.1", False), ("192.168.1.1", False), ("169.254.169.254", False), ("100.64.0.1", False), ("0.0.0.0", False),
        ("224.0.0.1", False), ("255.255.255.255", False), ("198.18.0.1", False), ("192.0.2.1", False), ("168.63.129.16", False),
        ("::1", False), ("::", False), ("fe80::1", False), ("fc00::1", False), ("ff02::1", False), ("::ffff:127.0.0.1", False),
        ("::ffff:169.254.169.254", False), ("64:ff9b::7f00:1", False), ("64:ff9b:1::1", False), ("2002:7f00:1::", False),
        ("2001:0:7f00:1:0:0:80ff:fffe", False), ("::127.0.0.1", False), ("2001:db8::1", False), ("fec0::1", False),
    ],
)  # fmt: skip
def test_property_12_addresses_that_the_crawler_may_visit(address: str, public: bool) -> None:
    """The table of addresses; that no spelling of a name gets round it is proved in `tests/crawlers/test_safety.py`."""
    assert is_public(ip_address(address)) is public


def test_property_13_a_dry_run_of_a_policy_tells_what_it_would_change_and_changes_nothing(tmp_path: Path, program_folder: Path) -> None:
    app = App(settings_of(tmp_path / "workspace"), FixedClock(MORNING))
    ingest_program(app, program_folder)
    result = scan_newest(app).result
    pack = app.pack_of(result.policy)
    lenient = msgspec.structs.replace(pack, scan=msgspec.structs.replace(pack.scan, review_score=0.99, watch_score=0.98))
    strict = msgspec.structs.replace(pack, scan=msgspec.structs.replace(pack.scan, review_score=0.02, watch_score=0.01))
    with pytest.MonkeyPatch.context() as patch:
        packs = {"same": pack, "lenient": lenient, "strict": strict}
        patch.setattr(app, "pack", lambda name="": packs[name])
        found = {name: diff_policy(app, DEFAULT_PROGRAM, name, 36_500, lambda _: None) for name in packs}
    kept = app.stores.scans.latest(DEFAULT_PROGRAM)
    app.close()
    assert found["same"].changed == 0
    assert all(one.graver for one in found["strict"].examples)
    assert not any(one.graver for one in found["lenient"].examples)
    assert found["strict"].changed > 0
    assert kept == result


def test_property_14_an_explanation_names_a_planted_cause() -> None:
    """One to three features are planted where they are suspicious; the first three reasons name one of them in 95 cases of 100."""
    rng = np.random.default_rng(14)
    table, planted = table_of(300, seed=15), {}
    for number in range(300):
        names = [str(name) for name in rng.choice(SHARES, int(rng.integers(1, 4)), replace=False)]
        planted[f"a{number}"] = set(names)
        table = with_values(table, f"a{number}", {name: _suspicious(name, rng) for name in names})
    judged = judge(model(), table)
    named = [bool({reason.feature for reason in judged.reasons(subject, 3)} & causes) for subject, causes in planted.items()]
    assert np.mean(named) >= 0.95
    mixed = pd.concat([judged.evidence, judge(model(), table_of(300, seed=16)).evidence])
    assert average_precision(np.repeat([1, 0], 300), mixed.to_numpy()) > 0.8


def _suspicious(name: str, rng: np.random.Generator) -> float:
    share = float(rng.uniform(0.55, 0.9))
    return 1.0 - share - 0.09 if BY_NAME[name].bad == "low" else share
