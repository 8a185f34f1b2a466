from __future__ import annotations

from pathlib import Path

import pytest

from fraud.domain.catalogue import CHECKS
from fraud.errors import PolicyError
from fraud.policy.loading import load_pack, read_pack, shipped_packs


def default_text() -> str:
    return (Path(__file__).parents[2] / "fraud/policy/packs/default.yaml").read_text()


@pytest.mark.parametrize("name", shipped_packs())
def test_every_shipped_pack_holds_together(name: str) -> None:
    pack = load_pack(name)
    assert set(pack.checks) == set(CHECKS)
    assert all(threshold.reason and threshold.source for check in pack.checks.values() for threshold in check.thresholds.values())


def test_comments_and_layout_do_not_change_the_hash_but_values_do() -> None:
    pack = load_pack()
    assert read_pack(("# another comment\n" + default_text()).encode(), "copy").hash == pack.hash
    assert read_pack(default_text().replace("prior: 0.08", "prior: 0.09").encode(), "copy").hash != pack.hash


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("  website.parked:", "  website.parkd:", "no check 'website.parkd'"),
        ("minimum_coverage: 0.6", "minimum_coverage: 6", "must lie between 0 and 1"),
        ("      signs_for_high:", "      sign_for_high:", "no threshold 'signs_for_high'"),
        ("  reputation: 2.0", "", "family_caps lacks 'reputation'"),
        ("reject_automatically: false", "reject_automaticly: false", "unknown field"),
        ("minimum_share: {value: 0.15,", "minimum_share: {value: 20,", "minimum_share is 20, but must lie between 0 and 1"),
        ("high_share: {value: 0.5,", "high_share: {value: 0.01,", "high_share .* is below minimum_share"),
        ("title: Balanced", "title: [Balanced", "not valid YAML"),
    ],
)
def test_a_pack_that_does_not_hold_together_says_what_is_wrong(old: str, new: str, sentence: str) -> None:
    assert old in default_text()
    with pytest.raises(PolicyError, match=sentence):
        read_pack(default_text().replace(old, new).encode(), "mine.yaml")


def test_a_pack_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(PolicyError, match=r"no policy pack 'strict'.*default"):
        load_pack("strict")


def test_a_pack_of_ones_own_is_read_from_its_file(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(default_text().replace("id: default", "id: mine"))
    assert load_pack(str(mine)).artefact.id == "mine@1"
