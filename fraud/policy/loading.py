"""Finding and reading policy packs."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

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


def read_pack(text: bytes, where: str) -> Pack:
    """A pack from YAML, checked whole; `where` names it in errors, and every fault comes with its line."""
    try:
        pack = msgspec.yaml.decode(text, type=Pack, strict=False)
    except msgspec.ValidationError as fault:
        line = line_of(text, path_in(str(fault)))
        raise PolicyError(f"The policy pack {where} cannot be read: {where}:{line}: {fault}.") from fault
    except msgspec.DecodeError as fault:
        raise PolicyError(f"The policy pack {where} is not valid YAML: {' '.join(str(fault).split())}.") from fault
    if faults := faults_in(pack):
        told = "; ".join(f"{where}:{line_of(text, fault.path)}: {fault.message}" for fault in faults)
        raise PolicyError(f"The policy pack {pack.id!r} does not hold together: {told}.")
    return pack


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise PolicyError(f"The policy pack {path} cannot be opened: {fault.strerror}.") from fault
