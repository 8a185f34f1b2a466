"""Are the locked dependencies known to be vulnerable? `make audit`, with or without a network.

With `--advisories PATH` (or `FRAUD_AUDIT_ADVISORIES`) a folder or zip file of OSV records is read, such as OSV's own export of PyPI, and
no network is needed. Without it `pip-audit` is asked, which needs one. Where neither can be had the audit is skipped, and says why.
Exit code 1: something is vulnerable; 0: nothing is, or it was skipped; 2: what was given cannot be used.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.txt", "requirements-dev.txt")
_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)


@dataclass(frozen=True, order=True)
class Vulnerable:
    """A locked package with a known fault, and the version that mends it ("" when there is none)."""

    package: str
    version: str
    advisory: str
    fixed: str
    summary: str


def pinned(text: str) -> dict[str, str]:
    """The packages of a lock file and their versions."""
    return {canonicalize_name(name): version for name, version in _PIN.findall(text)}


def advisories(path: Path) -> Iterator[dict[str, Any]]:
    """The records of a folder or zip file of OSV's JSON files."""
    if path.is_dir():
        for file in sorted(path.rglob("*.json")):
            yield json.loads(file.read_bytes())
        return
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(".json"):
                yield json.loads(archive.read(name))


def vulnerable(packages: Mapping[str, str], records: Iterable[Mapping[str, Any]]) -> list[Vulnerable]:
    """The packages that a record says are affected in the version that is locked; withdrawn records say nothing."""
    found = set()
    for record in records:
        if record.get("withdrawn"):
            continue
        for affected in record.get("affected", ()):
            package = affected.get("package", {})
            name = canonicalize_name(package.get("name", ""))
            version = packages.get(name)
            if package.get("ecosystem") == "PyPI" and version is not None and _affects(affected, version):
                found.add(Vulnerable(name, version, record["id"], _fixed(affected), record.get("summary", "")))
    return sorted(found)


def _affects(affected: Mapping[str, Any], version: str) -> bool:
    if version in affected.get("versions", ()):
        return True
    ranges = [one for one in affected.get("ranges", ()) if one.get("type") == "ECOSYSTEM"]
    return any(_within(one.get("events", ()), Version(version)) for one in ranges)


def _within(events: Sequence[Mapping[str, str]], version: Version) -> bool:
    """Whether a version lies in what is introduced and not fixed yet, walking the events in the order of their versions."""
    inside = False
    for kind, at in sorted(((kind, _version(text)) for event in events for kind, text in event.items()), key=lambda pair: pair[1]):
        if kind == "introduced" and at <= version:
            inside = True
        if (kind == "fixed" and at <= version) or (kind == "last_affected" and at < version):
            inside = False
    return inside


def _version(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion:
        return Version("0")  # an odd one counts from the beginning: rather a false alarm than none


def _fixed(affected: Mapping[str, Any]) -> str:
    fixes = [event["fixed"] for one in affected.get("ranges", ()) for event in one.get("events", ()) if "fixed" in event]
    return max(fixes, key=_version, default="")


def audit_offline(path: Path, packages: Mapping[str, str]) -> int:
    """Says what is vulnerable by the records at `path`."""
    try:
        found = vulnerable(packages, advisories(path))
    except (OSError, zipfile.BadZipFile, ValueError, KeyError) as fault:
        print(f"The advisories {path} cannot be read: {fault}.", file=sys.stderr)
        return 2
    for one in found:
        mend = f"take {one.fixed}" if one.fixed else "no version mends it yet"
        print(f"{one.package} {one.version}: {one.advisory} ({mend}) {one.summary}")
    print(f"{len(packages)} packages, {len(found)} of them in advisories.")
    return 1 if found else 0


def audit_online(locks: Sequence[Path]) -> int:
    """Asks pip-audit; skipped, with the reason, where it is not installed or its service cannot be reached."""
    program = shutil.which("pip-audit")
    if program is None:
        print("Skipped: neither advisories (FRAUD_AUDIT_ADVISORIES) nor pip-audit are here.")
        return 0
    command = [program, "--disable-pip", "--require-hashes", "--format", "json", *(f"--requirement={lock}" for lock in locks)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        listed = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        reason = (done.stderr.strip() or "it said nothing").splitlines()[-1]
        print(f"Skipped: pip-audit could not ask for advisories: {reason}")
        return 0
    found = [(one["name"], one.get("version", ""), fault["id"]) for one in listed for fault in one.get("vulns", ())]
    for name, version, advisory in found:
        print(f"{name} {version}: {advisory}")
    print(f"{len(listed)} packages, {len(found)} advisories.")
    return 1 if found else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Audits the locks of this repository."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--advisories", type=Path, default=os.environ.get("FRAUD_AUDIT_ADVISORIES") or None)
    parser.add_argument("locks", nargs="*", type=Path, default=[ROOT / name for name in LOCKS])
    given = parser.parse_args(arguments)
    packages = {name: version for lock in given.locks for name, version in pinned(lock.read_text()).items()}
    return audit_offline(Path(given.advisories), packages) if given.advisories else audit_online(given.locks)


if __name__ == "__main__":
    sys.exit(main())
