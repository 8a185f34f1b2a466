"""Models are kept, found again, and refused before anything of them is run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models import registry as registry_module
from models.baseline import Observations, PeerBaseline
from models.isolation import AnomalyDetector
from models.registry import ArtefactInfo, ModelRefused, ModelRegistry
from tests.models.conftest import SPECS

ROOT = Path(__file__).parents[2]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def registry(tmp_path: Path) -> ModelRegistry:
    """An empty registry."""
    return ModelRegistry(tmp_path / "models", b"secret")


def save(registry: ModelRegistry, model: object, name: str = "forest", created_at: datetime = NOON) -> ArtefactInfo:
    """Saves with figures that do not matter."""
    return registry.save(
        name,
        model,
        feature_set_hash="f1",
        trained_from=NOON - timedelta(days=28),
        trained_to=NOON,
        metrics={"ap": 0.75},
        created_at=created_at,
    )


class Bomb:
    """A pickle that leaves a trace when it is loaded."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.mkdir, (str(self.trace),)


def test_what_was_saved_is_loaded_by_id_and_by_hash(registry: ModelRegistry) -> None:
    rows = np.random.default_rng(0).normal(0, 1, (100, 3))
    detector = AnomalyDetector(n_estimators=10).fit(rows)
    info = save(registry, detector)
    for reference in (info.id, info.sha256):
        assert registry.load(reference, feature_set_hash="f1").score_samples(rows).tolist() == detector.score_samples(rows).tolist()
    assert list(registry.list()) == [info]
    assert (info.trained_to, info.metrics) == (NOON, {"ap": 0.75})


def test_the_same_model_fitted_twice_is_one_file(registry: ModelRegistry, reference: Observations, tmp_path: Path) -> None:
    first = save(registry, PeerBaseline(SPECS).fit(reference))
    second = save(registry, PeerBaseline(SPECS).fit(reference), created_at=NOON + timedelta(days=1))
    assert first.sha256 == second.sha256
    assert len(list((tmp_path / "models" / "objects").iterdir())) == 1
    assert [info.id for info in registry.list()] == [second.id, first.id]
    assert registry.info(first.sha256).id == second.id


def test_saving_again_changes_nothing(registry: ModelRegistry) -> None:
    assert save(registry, [1, 2]) == save(registry, [1, 2])
    assert len(registry.list()) == 1


def test_nothing_half_written_is_left(registry: ModelRegistry, tmp_path: Path) -> None:
    save(registry, {"a": 1})
    assert [path for path in tmp_path.rglob("*") if path.name.startswith(".")] == []


def object_file(folder: Path) -> Path:
    """The one model file of a registry."""
    return next((folder / "models" / "objects").iterdir())


def manifest_file(folder: Path) -> Path:
    """The one manifest of a registry."""
    return next((folder / "models" / "manifests").iterdir())


def test_an_altered_file_is_refused_before_it_can_run(registry: ModelRegistry, tmp_path: Path) -> None:
    info = save(registry, {"weights": [1.0]})
    bomb = registry_module._pickled(Bomb(tmp_path / "ran"))
    object_file(tmp_path).write_bytes(bomb)
    with pytest.raises(ModelRefused, match="does not match its SHA-256"):
        registry.load(info.id)
    assert not (tmp_path / "ran").exists()


def test_the_trace_would_have_been_left(registry: ModelRegistry, tmp_path: Path) -> None:
    registry.load(save(registry, Bomb(tmp_path / "ran")).id)
    assert (tmp_path / "ran").exists()


def test_a_missing_file_is_refused(registry: ModelRegistry, tmp_path: Path) -> None:
    info = save(registry, {"weights": [1.0]})
    object_file(tmp_path).unlink()
    with pytest.raises(ModelRefused, match=r"file of model forest-.* is missing"):
        registry.load(info.sha256)


def test_an_altered_manifest_is_refused(registry: ModelRegistry, tmp_path: Path) -> None:
    info = save(registry, {"weights": [1.0]})
    path = manifest_file(tmp_path)
    content = json.loads(path.read_text())
    content["manifest"]["feature_set_hash"] = "f2"
    path.write_text(json.dumps(content))
    with pytest.raises(ModelRefused, match="signature of the manifest"):
        registry.load(info.id, feature_set_hash="f2")
    with pytest.raises(ModelRefused, match="signature of the manifest"):
        registry.list()


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"manifest": 3, "signature": null}'])
def test_a_broken_manifest_is_refused(registry: ModelRegistry, tmp_path: Path, content: str) -> None:
    info = save(registry, {"weights": [1.0]})
    manifest_file(tmp_path).write_text(content)
    with pytest.raises(ModelRefused, match="manifest"):
        registry.load(info.id)
    with pytest.raises(ModelRefused, match="no model"):
        registry.load(info.sha256)


def test_a_renamed_manifest_is_refused(registry: ModelRegistry, tmp_path: Path) -> None:
    info = save(registry, {"weights": [1.0]})
    manifest_file(tmp_path).rename(manifest_file(tmp_path).with_name("forest-0123456789abcdef.json"))
    with pytest.raises(ModelRefused, match="was renamed"):
        registry.load("forest-0123456789abcdef")
    assert info.id != "forest-0123456789abcdef"


def test_another_secret_trusts_nothing(registry: ModelRegistry, tmp_path: Path) -> None:
    info = save(registry, {"weights": [1.0]})
    with pytest.raises(ModelRefused, match="signed with another secret"):
        ModelRegistry(tmp_path / "models", b"other").load(info.id)


def test_another_feature_set_is_refused(registry: ModelRegistry) -> None:
    info = save(registry, {"weights": [1.0]})
    with pytest.raises(ModelRefused, match="another feature set"):
        registry.load(info.id, feature_set_hash="f2")
    assert registry.load(info.id) == {"weights": [1.0]}


def test_another_major_version_is_refused(registry: ModelRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    info = save(registry, {"weights": [1.0]})
    monkeypatch.setattr(registry_module, "_installed", lambda: dict(info.libraries) | {"numpy": "9.0.0"})
    with pytest.raises(ModelRefused, match=r"made with numpy 2\..* but 9\.0\.0 is installed"):
        registry.load(info.id)


@pytest.mark.parametrize("reference", ["", "forest", "../secret-1", "forest-/../../x", "0" * 64, "forest-0000000000000000"])
def test_what_is_not_there_is_refused(registry: ModelRegistry, reference: str) -> None:
    with pytest.raises(ModelRefused, match="no model"):
        registry.load(reference)


@pytest.mark.parametrize("name", ["", "../x", "Forest", "a/b", "x" * 65])
def test_a_name_that_is_no_file_name_is_refused(registry: ModelRegistry, name: str) -> None:
    with pytest.raises(ValueError, match="cannot name a model"):
        save(registry, {}, name=name)


def test_times_need_zones_and_manifests_a_secret(registry: ModelRegistry, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="need their zone"):
        save(registry, {}, created_at=datetime(2026, 3, 1))  # noqa: DTZ001 - the mistake under test
    with pytest.raises(ValueError, match="needs a secret"):
        ModelRegistry(tmp_path, b"")


def test_what_is_live_is_promoted_and_rolled_back_step_by_step(registry: ModelRegistry) -> None:
    first, second, third = (save(registry, {"version": number}, created_at=NOON + timedelta(days=number)) for number in range(3))
    assert registry.live("forest") is None
    for day, info in enumerate((first, second, second, third)):
        registry.promote(info.id, NOON + timedelta(days=10 + day))
    assert registry.live("forest") == third
    assert registry.roll_back("forest", NOON + timedelta(days=20)) == second
    assert registry.roll_back("forest", NOON + timedelta(days=21)) == first
    assert registry.live("forest") == first
    with pytest.raises(ModelRefused, match="promote the one you want instead"):
        registry.roll_back("forest", NOON + timedelta(days=22))
    registry.promote(third.sha256, NOON + timedelta(days=23))
    assert registry.load(str(registry.live("forest").id)) == {"version": 2}  # type: ignore[union-attr]  # it was promoted above


def test_what_was_never_promoted_or_is_not_whole_cannot_go_live(registry: ModelRegistry, tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match="nothing to roll back"):
        registry.roll_back("forest", NOON)
    info = save(registry, {"a": 1})
    (tmp_path / "models" / "objects" / f"{info.sha256}.joblib").write_bytes(b"other")
    with pytest.raises(ModelRefused, match="does not match its SHA-256"):
        registry.promote(info.id, NOON)
    with pytest.raises(ModelRefused, match="cannot name a model"):
        registry.live("../forest")


def test_an_altered_record_of_what_is_live_is_refused(registry: ModelRegistry, tmp_path: Path) -> None:
    first, second = save(registry, {"a": 1}), save(registry, {"a": 2})
    registry.promote(first.id, NOON)
    path = tmp_path / "models" / "live" / "forest.json"
    path.write_text(path.read_text().replace(first.id, second.id))
    with pytest.raises(ModelRefused, match="what is live, is wrong"):
        registry.live("forest")


FITTED = """
import hashlib, io, sys
import joblib
import numpy as np
import pandas as pd
from models import AnomalyDetector, RiskRanker
rng = np.random.default_rng(0)
rows = pd.DataFrame(rng.normal(0, 1, (200, 4)), columns=list("abcd"))
models = [AnomalyDetector(method, n_estimators=12).fit(rows) for method in ("ensemble", "forest", "extended")]
models.append(RiskRanker(n_estimators=3).fit(rows, rng.random(200) < 0.3))
buffer = io.BytesIO()
joblib.dump(models, buffer)
print(hashlib.sha256(buffer.getvalue()).hexdigest())
"""


def test_two_processes_with_one_seed_make_the_same_file() -> None:
    hashes = {
        subprocess.run(
            [sys.executable, "-c", FITTED], cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(hashes) == 1
