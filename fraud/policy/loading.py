"""Finding and reading policy packs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from fraud.errors import PolicyError
from fraud.policy.pack import Pack, faults_in
from fraud.policy.places import line_of, path_in

SHIPPED = "default"
"""The pack that serves when a program names none."""


def load_pack(name_or_file: str = SHIPPED) -> Pack:
    """A shipped pack by name, or a file of one's own by path."""
    if not name_or_file:
        return load_pack(SHIPPED)
    path = Path(name_or_file)
    if path.suffix in {".yaml", ".yml"} or path.exists():
        return read_pack(_read(path), str(path))
    shipped = resources.files("fraud.policy") / "packs" / f"{name_or_file}.yaml"
    if not shipped.is_file():
        raise PolicyError(f"There is no policy pack {name_or_file!r}: name a YAML file, or one of {', '.join(shipped_packs())}.")
    return read_pack(shipped.read_bytes(), name_or_file)


def shipped_packs() -> list[str]:
    """The names of the packs that come with the product."""
    folder = resources.files("fraud.policy") / "packs"
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))


@lru_cache(maxsize=64)  # services look whether their pack has changed, and reading YAML takes twenty milliseconds from answers
def read_pack(text: bytes, where: str) -> Pack:
    """A pack from YAML, checked whole; `where` names it in errors, and every fault comes with its line.

    A pack that is `based_on` a shipped one says only what differs, and is whole once it is read: that whole is what is hashed and kept.
    """
    try:
        pack = _decoded(text, where)
    except msgspec.ValidationError as fault:
        line = line_of(text, path_in(str(fault)))
        raise PolicyError(f"The policy pack {where} cannot be read: {where}:{line}: {fault}.") from fault
    except msgspec.DecodeError as fault:
        raise PolicyError(f"The policy pack {where} is not valid YAML: {' '.join(str(fault).split())}.") from fault
    if faults := faults_in(pack):
        told = "; ".join(f"{where}:{line_of(text, fault.path)}: {fault.message}" for fault in faults)
        raise PolicyError(f"The policy pack {pack.id!r} does not hold together: {told}.")
    return pack


def _decoded(text: bytes, where: str) -> Pack:
    given = msgspec.yaml.decode(text)
    base = given.pop("based_on", None) if isinstance(given, dict) else None
    if base is None:
        return msgspec.yaml.decode(text, type=Pack, strict=False)
    line = f"{where}:{line_of(text, ('based_on',))}"
    if base not in shipped_packs() or base == given.get("id"):
        choices = ", ".join(name for name in shipped_packs() if name != given.get("id"))
        raise PolicyError(f"{line}: A pack is based on a shipped one ({choices}), and {base!r} is none.")
    for name, threshold in _unexplained(given):
        raise PolicyError(
            f"{where}:{line_of(text, ('checks', name, 'thresholds', threshold))}: {name} changes {threshold} without a reason and a source "
            "of its own; those of the pack it is based on speak of another value."
        )
    return msgspec.convert(_over(msgspec.to_builtins(load_pack(str(base))), given), Pack, strict=False)


def _over(base: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """What is given over what it is based on: mappings are joined, everything else (lists of rules too) takes the place."""
    joined = {key: _over(base[key], value) for key, value in given.items() if isinstance(value, dict) and isinstance(base.get(key), dict)}
    return {**base, **given, **joined}


def _unexplained(given: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The thresholds that are given a value and not why."""
    for name, check in _mapping(given.get("checks")).items():
        for threshold, said in _mapping(_mapping(check).get("thresholds")).items():
            if not {"value", "reason", "source"} <= _mapping(said).keys():
                yield name, threshold


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise PolicyError(f"The policy pack {path} cannot be opened: {fault.strerror}.") from fault
