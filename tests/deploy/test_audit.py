"""The audit of the locked dependencies, without a network; and what can always be said of them."""

from __future__ import annotations

import json
import re
import sys
import tomllib
import zipfile
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.deploy.audit import LOCKS, ROOT, main, pinned, vulnerable

COPYLEFT = re.compile(r"\b(A?GPL|GNU (Affero )?General Public)", re.IGNORECASE)
LESSER = re.compile(r"LGPL|Lesser|Library General", re.IGNORECASE)


def record(*events: dict[str, str], name: str = "Some_Package", **more: Any) -> dict[str, Any]:
    affected = {"package": {"ecosystem": "PyPI", "name": name}, "ranges": [{"type": "ECOSYSTEM", "events": list(events)}]}
    return {"id": "PYSEC-1", "summary": "Reads what it should not.", "affected": [affected], **more}


@pytest.mark.parametrize(
    ("version", "events", "is_found"),
    [
        ("1.4.9", [{"introduced": "0"}, {"fixed": "1.5"}], True),
        ("1.5", [{"introduced": "0"}, {"fixed": "1.5"}], False),
        ("1.5rc1", [{"introduced": "0"}, {"fixed": "1.5"}], True),
        ("1.10", [{"introduced": "1.9"}, {"fixed": "1.11"}], True),
        ("2.0", [{"introduced": "1"}, {"last_affected": "2.0"}], True),
        ("2.0.1", [{"introduced": "1"}, {"last_affected": "2.0"}], False),
        ("3.1", [{"introduced": "1"}, {"fixed": "2"}, {"introduced": "3"}, {"fixed": "3.2"}], True),
        ("2.5", [{"introduced": "1"}, {"fixed": "2"}, {"introduced": "3"}, {"fixed": "3.2"}], False),
    ],
)
def test_a_version_is_affected_between_introduced_and_fixed(version: str, events: list[dict[str, str]], is_found: bool) -> None:
    assert bool(vulnerable({"some-package": version}, [record(*events)])) is is_found


def test_others_packages_ecosystems_and_withdrawn_records_say_nothing() -> None:
    always = {"introduced": "0"}
    elsewhere = record(always)
    elsewhere["affected"][0]["package"]["ecosystem"] = "npm"
    records = [record(always, name="other"), elsewhere, record(always, withdrawn="2026-01-01T00:00:00Z")]
    assert vulnerable({"some-package": "1.0"}, records) == []


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=6), st.integers(0, 9))
def test_the_order_of_events_does_not_matter(steps: list[tuple[int, bool]], version: int) -> None:
    events = [{"introduced" if is_new else "fixed": f"{number}.{place}"} for place, (number, is_new) in enumerate(steps)]
    packages = {"some-package": f"{version}.9"}
    assert vulnerable(packages, [record(*events)]) == vulnerable(packages, [record(*reversed(events))])


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    file = tmp_path / "requirements.txt"
    file.write_text("some-package==1.4 \\\n    --hash=sha256:00\nother[extra]==2.0 ; python_version >= '3.11' \\\n    --hash=sha256:11\n")
    return file


@pytest.mark.parametrize("packed", [True, False])
def test_it_fails_on_what_is_vulnerable_and_says_what_mends_it(
    packed: bool, lock: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = json.dumps(record({"introduced": "0"}, {"fixed": "1.5"}))
    path = tmp_path / "advisories"
    if packed:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("PYSEC-1.json", text)
    else:
        path.mkdir()
        (path / "PYSEC-1.json").write_text(text)
    assert main(["--advisories", str(path), str(lock)]) == 1
    said = capsys.readouterr().out
    assert "some-package 1.4: PYSEC-1 (take 1.5)" in said
    assert "2 packages, 1 of them" in said


def test_advisories_that_cannot_be_read_are_no_clean_bill(lock: Path, tmp_path: Path) -> None:
    (tmp_path / "broken").write_bytes(b"no zip")
    assert main(["--advisories", str(tmp_path / "broken"), str(lock)]) == 2


PROGRAMS = {
    "finds": ('{"dependencies": [{"name": "x", "version": "1", "vulns": [{"id": "PYSEC-2"}]}]}', "", 1, "PYSEC-2"),
    "finds nothing": ('{"dependencies": [{"name": "x", "version": "1", "vulns": []}]}', "", 0, "1 packages, 0 advisories"),
    "has no network": ("", "ConnectionError: no route to host", 0, "Skipped: pip-audit could not ask for advisories: ConnectionError"),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_pip_audit_is_asked_where_there_is_one(
    name: str, lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said, complained, code, told = PROGRAMS[name]
    program = tmp_path / "bin" / "pip-audit"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\nimport sys\nprint({said!r})\nprint({complained!r}, file=sys.stderr)\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.delenv("FRAUD_AUDIT_ADVISORIES", raising=False)
    assert main([str(lock)]) == code
    assert told in capsys.readouterr().out


def test_without_anything_it_is_skipped_with_a_reason(
    lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("FRAUD_AUDIT_ADVISORIES", raising=False)
    assert main([str(lock)]) == 0
    assert capsys.readouterr().out.startswith("Skipped: neither advisories")


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_its_hashes(name: str) -> None:
    entries = re.split(r"\n(?=[A-Za-z0-9])", (ROOT / name).read_text().strip())
    packages = [entry for entry in entries if not entry.startswith("#")]
    assert len(packages) > 50
    assert [entry.splitlines()[0] for entry in packages if "--hash=sha256:" not in entry or "==" not in entry] == []


def test_what_is_asked_for_at_run_time_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {canonicalize_name(Requirement(text).name) for text in project["dependencies"]}
    assert wanted - pinned((ROOT / "requirements.txt").read_text()).keys() == set()


def test_nothing_that_is_needed_at_run_time_is_under_the_gpl() -> None:
    """By what the installed packages say of themselves; the lesser licence allows use as a library."""
    needed = pinned((ROOT / "requirements.txt").read_text())
    said: dict[str, str] = {}
    for one in distributions():
        name = canonicalize_name(one.metadata["Name"])
        kinds = [text for text in one.metadata.get_all("Classifier", []) if text.startswith("License")]
        said[name] = " ".join([*(one.metadata.get_all("License-Expression") or []), *kinds])
    looked_at = {name: said[name] for name in said if name in needed}
    assert len(looked_at) > 40
    assert [name for name, text in looked_at.items() if COPYLEFT.search(text) and not LESSER.search(text)] == []
