"""The files for running the product elsewhere can be read, and name commands, options and settings that exist."""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from fraud.cli.main import app
from fraud.settings import Settings

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = sorted(path.name for path in DEPLOY.glob("*.service")) + sorted(path.name for path in DEPLOY.glob("*.timer"))
MANIFESTS = sorted(path.name for path in DEPLOY.glob("*.yaml"))


def unit(name: str) -> configparser.ConfigParser:
    parsed = configparser.ConfigParser(interpolation=None)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's names have capitals
    parsed.read_string((DEPLOY / name).read_text())
    return parsed


def documents(name: str) -> list[Any]:
    return list(yaml.safe_load_all((DEPLOY / name).read_text()))


def lists(node: object) -> Iterator[list[str]]:
    """Every list of words in a document."""
    if isinstance(node, dict):
        for value in node.values():
            yield from lists(value)
    elif isinstance(node, list):
        if all(isinstance(one, str) for one in node):
            yield node
        for one in node:
            yield from lists(one)


def commands() -> list[list[str]]:
    """Every command line of `fraud` that the files run."""
    found = [words for name in MANIFESTS for document in documents(name) for words in lists(document) if words[:1] == ["fraud"]]
    found += [unit(name)["Service"]["ExecStart"].split() for name in UNITS if unit(name).has_section("Service")]
    found += [yaml.safe_load(line) for line in re.findall(r"^CMD (.*)$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)]
    return found


def test_there_is_what_the_documents_promise() -> None:
    assert {"fraud.service", "fraud-worker.service", "fraud-scan.service", "fraud-scan.timer"} <= set(UNITS)
    assert MANIFESTS == ["compose.yaml", "kubernetes.yaml"]
    assert {words[1] for words in commands()} == {"serve", "scan", "worker"}


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_line_is_understood(words: list[str]) -> None:
    group = typer.main.get_command(app)
    known = group.commands[words[1]]  # type: ignore[attr-defined]  # the root is a group
    with known.make_context(words[1], list(words[2:]), resilient_parsing=False) as context:
        assert context.params


@pytest.mark.parametrize("name", MANIFESTS)
def test_yaml_can_be_read(name: str) -> None:
    assert all(isinstance(document, dict) for document in documents(name))


@pytest.mark.parametrize("name", UNITS)
def test_units_can_be_read(name: str) -> None:
    assert unit(name)["Unit"]["Description"]
    assert unit(name).has_section("Service") or unit(name)["Timer"]["OnCalendar"].endswith("UTC")


def test_every_setting_that_is_named_exists_and_takes_the_value() -> None:
    known = {f"FRAUD_{name.upper()}" for name in Settings.model_fields}
    named = {found for file in DEPLOY.iterdir() for found in re.findall(r"FRAUD_[A-Z_]+", file.read_text())}
    assert named
    assert named <= known
    given = documents("compose.yaml")[0]["services"]["app"]["environment"]
    plain = {name.removeprefix("FRAUD_").lower(): value for name, value in given.items() if "$" not in value}
    settings = Settings(_env_file=None, **plain)  # type: ignore[call-arg]  # pydantic-settings' own argument
    assert (settings.serve_jobs, settings.nightly) == (False, "02:30")


def test_whoever_stops_the_service_waits_as_long_as_it_may_take() -> None:
    """30 seconds for the job in hand, and 15 for requests."""
    assert {unit(name)["Service"]["TimeoutStopSec"] for name in ("fraud.service", "fraud-worker.service")} == {"45"}
    compose = documents("compose.yaml")[0]["services"]
    deployment = next(one for one in documents("kubernetes.yaml") if one["kind"] == "Deployment")
    assert {compose[name]["stop_grace_period"] for name in ("app", "worker")} == {"45s"}
    assert deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == 45


def test_nothing_runs_as_root_and_no_secret_stands_in_the_files() -> None:
    assert "USER fraud" in (DEPLOY / "Dockerfile").read_text()
    assert all(unit(name)["Service"]["User"] == "fraud" for name in UNITS if unit(name).has_section("Service"))
    services = documents("compose.yaml")[0]["services"].values()
    given = [pair for service in services for pair in service.get("environment", {}).items()]
    secrets = {name: value for name, value in given if name.endswith(("_KEY", "PASSWORD", "_URL")) and value != "redis://redis:6379/0"}
    assert len(secrets) == 5
    assert all("${" in value for value in secrets.values())


def test_an_image_takes_no_secrets_history_or_data_of_whoever_builds_it() -> None:
    left_out = (DEPLOY.parent / ".dockerignore").read_text().splitlines()
    assert {".git", ".venv", "**/.env", "**/*.env", "fraud-data"} <= set(left_out)


def test_every_service_says_how_it_is_and_comes_back_by_itself() -> None:
    services = documents("compose.yaml")[0]["services"]
    assert {name for name, service in services.items() if "healthcheck" not in service} == {"app"}, "which has its image's"
    assert "HEALTHCHECK" in (DEPLOY / "Dockerfile").read_text()
    assert {service["restart"] for service in services.values()} == {"unless-stopped"}
    for name in ("app", "worker"):
        assert {one["condition"] for one in services[name]["depends_on"].values()} == {"service_healthy"}


def test_our_containers_may_write_nowhere_but_into_their_volumes_and_gain_nothing() -> None:
    services = documents("compose.yaml")[0]["services"]
    for name in ("app", "worker", "redis"):
        service = services[name]
        assert (service["read_only"], service["cap_drop"], service["security_opt"]) == (True, ["ALL"], ["no-new-privileges:true"])
    for container in containers():
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def containers() -> list[Any]:
    """The containers of the Kubernetes manifest."""
    pods = [one["spec"]["template"]["spec"] for one in documents("kubernetes.yaml") if one["kind"] == "Deployment"]
    pods += [one["spec"]["jobTemplate"]["spec"]["template"]["spec"] for one in documents("kubernetes.yaml") if one["kind"] == "CronJob"]
    assert all(pod["securityContext"]["runAsNonRoot"] for pod in pods)
    return [container for pod in pods for container in pod["containers"]]


def test_all_agree_on_the_folders() -> None:
    """What is kept, and what is compiled: the image's folders are where the volumes are, and units have folders of the same use."""
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    assert 'VOLUME ["/data", "/var/cache/fraud"]' in dockerfile
    assert "FRAUD_WORKSPACE=/data" in dockerfile
    assert "NUMBA_CACHE_DIR=/var/cache/fraud" in dockerfile
    services = documents("compose.yaml")[0]["services"]
    for name in ("app", "worker"):
        assert [volume.split(":")[1] for volume in services[name]["volumes"]] == ["/data", "/var/cache/fraud"]
    for container in containers():
        assert [mount["mountPath"] for mount in container["volumeMounts"]] == ["/data", "/var/cache/fraud", "/tmp"]
    for name in (name for name in UNITS if unit(name).has_section("Service")):
        service = unit(name)["Service"]
        assert {"FRAUD_WORKSPACE=/var/lib/fraud", "NUMBA_CACHE_DIR=/var/cache/fraud"} <= set(service["Environment"].split())
        assert (service["StateDirectory"], service["CacheDirectory"], service["ProtectSystem"]) == ("fraud", "fraud", "strict")


def test_a_first_start_that_compiles_is_waited_for() -> None:
    probe = containers()[0]["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] >= 300
