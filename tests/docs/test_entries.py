"""Every setting, command, option, check, feature, reason code and endpoint has its entry in the reference; a missing one is noticed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import typer

from fraud.cli import main
from fraud.domain.catalogue import CHECKS
from fraud.features.catalogue import FEATURES
from fraud.features.realtime import CLICK_FEATURES
from fraud.settings import Settings
from tests.docs.pages import ROOT, text_of


def commands() -> Iterator[tuple[str, Any]]:
    """Every command that `--help` leads to, by its whole name."""
    waiting = [("fraud", typer.main.get_command(main.app))]
    while waiting:
        name, command = waiting.pop()
        children = getattr(command, "commands", None)
        waiting += [(f"{name} {key}", child) for key, child in (children or {}).items() if not child.hidden]
        if children is None:
            yield name, command


def endpoints() -> Iterator[str]:
    """Every call of the committed OpenAPI document."""
    paths: dict[str, dict[str, Any]] = json.loads(text_of(ROOT / "docs" / "openapi.json"))["paths"]
    return (f"{method.upper()} {path}" for path, calls in paths.items() for method in calls)


def sections(page: str) -> dict[str, str]:
    """The text under each heading that names something."""
    parts = re.split(r"^#{2,3} `([^`]+)`", page, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def rows(page: str) -> dict[str, str]:
    """The rest of each row of a table whose first cell names something."""
    found = re.findall(r"^\| `([^`]+)` \|(.*)$", page, flags=re.M)
    return {name: rest.strip(" |") for name, rest in found}


def reason_codes(page: str) -> dict[str, str]:
    """Every code that stands by itself, beside the text of its check."""
    return {code: text for text in sections(page).values() for code in re.findall(r"`([a-z_]+\.[a-z_0-9]+)`", text)}


@dataclass(frozen=True)
class Kind:
    """One kind of thing: its page, how entries are read from it, and what must be there."""

    page: str
    read: Callable[[str], dict[str, str]]
    names: frozenset[str]

    def missing(self, page: str) -> set[str]:
        """What has no entry, or one that says nothing."""
        said = {name for name, text in self.read(page).items() if text.strip()}
        return set(self.names - said)


def kind(page: str, read: Callable[[str], dict[str, str]], names: Iterable[str]) -> Kind:
    return Kind(page, read, frozenset(names))


KINDS = {
    "setting": kind("settings.md", rows, (f"FRAUD_{name.upper()}" for name in Settings.model_fields)),
    "command": kind("commands.md", sections, (name for name, _ in commands())),
    "check": kind("checks.md", sections, CHECKS),
    "feature": kind("features.md", sections, (one.name for one in FEATURES)),
    "feature of a click": kind("features.md", rows, (one.name for one in CLICK_FEATURES)),
    "reason code": kind("checks.md", reason_codes, (one.reason_code for one in CHECKS.values())),
    "endpoint": kind("endpoints.md", rows, endpoints()),
}


@pytest.mark.parametrize("name", KINDS)
def test_everything_has_its_entry(name: str) -> None:
    found = KINDS[name]
    assert found.names
    assert found.missing(text_of(ROOT / "docs" / "reference" / found.page)) == set()


@pytest.mark.parametrize("name", KINDS)
def test_an_entry_that_is_taken_out_is_missed(name: str) -> None:
    found = KINDS[name]
    page = text_of(ROOT / "docs" / "reference" / found.page)
    for one in sorted(found.names):
        assert one in found.missing(page.replace(f"`{one}`", "``")), f"{one} could be left out of {found.page} unnoticed"


COMMANDS = dict(commands())


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_and_option_says_what_it_does(name: str) -> None:
    command = COMMANDS[name]
    entry = KINDS["command"].read(text_of(ROOT / "docs" / "reference" / "commands.md"))[name]
    assert (command.help or "").strip()
    for parameter in command.params:
        spoken = parameter.opts[0] if parameter.param_type_name == "option" else parameter.metavar or parameter.name.upper()
        assert spoken in entry
        assert (parameter.help or "").strip(), f"{name} {spoken} says nothing"
