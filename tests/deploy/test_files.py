"""The files for running the product elsewhere can be read, and name commands and settings that exist."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest
import yaml

from fraud.settings import Settings

DEPLOY = Path(__file__).parents[2] / "deploy"


@pytest.mark.parametrize("name", ["compose.yaml", "kubernetes.yaml"])
def test_yaml_can_be_read(name: str) -> None:
    documents = list(yaml.safe_load_all((DEPLOY / name).read_text()))
    assert all(isinstance(document, dict) for document in documents)


@pytest.mark.parametrize("name", ["fraud.service", "fraud-scan.service", "fraud-scan.timer"])
def test_units_can_be_read(name: str) -> None:
    unit = configparser.ConfigParser(interpolation=None)
    unit.read_string((DEPLOY / name).read_text())
    assert unit.has_section("Unit")


def test_every_setting_that_is_named_exists() -> None:
    known = {f"FRAUD_{name.upper()}" for name in Settings.model_fields}
    named = {found for file in DEPLOY.iterdir() for found in re.findall(r"FRAUD_[A-Z_]+", file.read_text())}
    assert named
    assert named <= known
