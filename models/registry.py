"""Where fitted models are kept: content-addressed files beside signed manifests, and the only place that unpickles.

A pickle can run code when it is loaded, so nothing is unpickled before the manifest's signature, the file's SHA-256, the feature set and
the versions of the libraries have all been found right.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LIBRARIES = ("joblib", "numpy", "pandas", "scikit-learn", "scipy")


class ModelRefused(Exception):
    """A model file is missing, altered, made for other features or by other libraries; the message says which, and what to do."""


@dataclass(frozen=True)
class ArtefactInfo:
    """What a manifest says of a model: `sha256` and `size` (bytes) of its file, what it was fitted on and how well it did.

    `feature_set_hash` names the features it expects, `libraries` the versions that made it.
    """

    id: str
    name: str
    sha256: str
    size: int
    feature_set_hash: str
    trained_from: datetime
    trained_to: datetime
    created_at: datetime
    metrics: Mapping[str, float]
    libraries: Mapping[str, str]


@dataclass(frozen=True)
class Step:
    """One change of what is live under a name: the model that was live from `at` on, whether it was a step back, who did it and why."""

    id: str
    at: datetime
    back: bool = False
    by: str = ""
    reason: str = ""


class ModelRegistry:
    """Models in a folder: `objects/SHA256.joblib`, `manifests/ID.json`, and `live/NAME.json`, which says what was promoted and when.

    Manifests and records are signed with HMAC-SHA256 under `secret`.
    """

    def __init__(self, folder: Path, secret: bytes) -> None:
        if not secret:
            raise ValueError("A model registry needs a secret to sign its manifests with.")
        self._objects = Path(folder) / "objects"
        self._manifests = Path(folder) / "manifests"
        self._live = Path(folder) / "live"
        self._secret = secret
        self._listed: dict[str, tuple[tuple[int, int], ArtefactInfo]] = {}

    def save(  # noqa: PLR0913 - all but the first two are the manifest's own fields
        self,
        name: str,
        model: object,
        *,
        feature_set_hash: str,
        trained_from: datetime,
        trained_to: datetime,
        metrics: Mapping[str, float],
        created_at: datetime,
    ) -> ArtefactInfo:
        """Keeps a model and its manifest. The same bytes are kept once, whatever they are called; every distinct manifest is kept.

        Raises ValueError for a name that is not lower-case letters, digits, `_` and `-`, and for a time without a zone.
        """
        _require_zones(trained_from, trained_to, created_at)
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} cannot name a model: use lower-case letters, digits, '_' and '-', at most 64.")
        data = _pickled(model)
        sha256 = hashlib.sha256(data).hexdigest()
        _write(self._objects / f"{sha256}.joblib", data)
        fields: dict[str, Any] = {
            "name": name,
            "sha256": sha256,
            "size": len(data),
            "feature_set_hash": feature_set_hash,
            "trained_from": trained_from,
            "trained_to": trained_to,
            "created_at": created_at,
            "metrics": {key: float(figure) for key, figure in metrics.items()},
            "libraries": _installed(),
        }
        info = ArtefactInfo(id=f"{name}-{hashlib.sha256(_canonical(fields)).hexdigest()[:16]}", **fields)
        content = asdict(info)
        signed = {"manifest": json.loads(_canonical(content)), "signature": self._sign(_canonical(content))}
        _write(self._manifests / f"{info.id}.json", json.dumps(signed, indent=1, sort_keys=True).encode())
        return info

    def load(self, reference: str, feature_set_hash: str | None = None) -> Any:
        """The model with this id or SHA-256. Raises ModelRefused, before anything is unpickled, when anything about it is not as signed.

        With `feature_set_hash` the model must have been fitted on exactly those features.
        """
        import joblib  # noqa: PLC0415 - only who loads a model pays for it

        info = self.info(reference)
        if feature_set_hash is not None and info.feature_set_hash != feature_set_hash:
            raise ModelRefused(f"Model {info.id} was fitted on another feature set than this program has now: train it again.")
        _refuse_other_libraries(info)
        data = self._read_object(info)
        return joblib.load(BytesIO(data))

    def made_by_these_libraries(self, info: ArtefactInfo) -> bool:
        """Whether the libraries that made a model have the major versions of those installed: others' models are refused."""
        return _other_library(info) is None

    def info(self, reference: str) -> ArtefactInfo:
        """What the manifest of an id or SHA-256 (the newest, if several) says. Raises ModelRefused when there is none signed by us."""
        if _SHA256.fullmatch(reference):
            found = [self._read_manifest(path) for path in self._manifest_paths() if _claims(path, reference)]
            if found:
                return max(found, key=lambda info: (info.created_at, info.id))
        elif _NAME.fullmatch(reference.rpartition("-")[0]) and (self._manifests / f"{reference}.json").is_file():
            return self._read_manifest(self._manifests / f"{reference}.json")
        raise ModelRefused(f"There is no model {reference!r} in this registry: list what there is, or train one.")

    def list(self) -> Sequence[ArtefactInfo]:
        """Every manifest, newest first. Raises ModelRefused when one of them is not signed by us.

        One that was read before is read again only when its file has changed; whoever loads a model reads its manifest anew.
        """
        infos = [self._listed_manifest(name, state) for name, state in _files_in(self._manifests)]
        return sorted(infos, key=lambda info: (info.created_at, info.id), reverse=True)

    def promote(self, reference: str, at: datetime, by: str = "", reason: str = "") -> ArtefactInfo:
        """Makes a model the live one of its name from now on; `by` and `reason` are kept with the step.

        Raises ModelRefused when it is not here whole and as it was signed.
        """
        _require_zones(at)
        info = self.info(reference)
        self._read_object(info)
        self._write_line(info.name, [*self._line(info.name), {"id": info.id, "at": at.isoformat(), **_told(by, reason)}])
        return info

    def roll_back(self, name: str, at: datetime, by: str = "", reason: str = "") -> ArtefactInfo:
        """Makes the model live again that was live before this one, and keeps the step. Raises ModelRefused when there was none."""
        _require_zones(at)
        line = self._line(name)
        if not line:
            raise ModelRefused(f"No model {name!r} was ever promoted: there is nothing to roll back.")
        stack = _live_stack(line)
        if len(stack) < 2:
            raise ModelRefused(f"No other model {name!r} was live before {stack[-1]}: promote the one you want instead.")
        info = self.info(stack[-2])
        self._read_object(info)
        self._write_line(name, [*line, {"id": info.id, "at": at.isoformat(), "back": True, **_told(by, reason)}])
        return info

    def live(self, name: str) -> ArtefactInfo | None:
        """The live model of a name, or None when none was promoted. Raises ModelRefused when the record was altered."""
        line = self._line(name)
        return self.info(_live_stack(line)[-1]) if line else None

    def before(self, name: str) -> ArtefactInfo | None:
        """The model that a step back would make live; None when there is none. Raises ModelRefused when the record was altered."""
        stack = _live_stack(self._line(name))
        return self.info(stack[-2]) if len(stack) > 1 else None

    def steps(self, name: str) -> Sequence[Step]:
        """Every promotion and step back under a name, newest first. Raises ModelRefused when the record was altered."""
        told = [{**step, "at": datetime.fromisoformat(step["at"])} for step in self._line(name)]
        return [Step(**step) for step in reversed(told)]

    def _line(self, name: str) -> Sequence[dict[str, Any]]:
        """What was promoted and rolled back under a name, oldest first."""
        if not _NAME.fullmatch(name):
            raise ModelRefused(f"{name!r} cannot name a model: use lower-case letters, digits, '_' and '-', at most 64.")
        path = self._live / f"{name}.json"
        if not path.is_file():
            return []
        signed = _parsed(path)
        line: Any = signed.get("line")
        whole = {"name": name, "line": line}
        if not isinstance(line, list) or not hmac.compare_digest(self._sign(_canonical(whole)), str(signed.get("signature"))):
            raise ModelRefused(f"The signature of {path.name}, which says what is live, is wrong: restore it, or promote a model anew.")
        steps: Sequence[dict[str, Any]] = line
        return steps

    def _write_line(self, name: str, line: Sequence[dict[str, Any]]) -> None:
        whole = {"name": name, "line": list(line)}
        signed = {"line": list(line), "signature": self._sign(_canonical(whole))}
        _write(self._live / f"{name}.json", json.dumps(signed, indent=1, sort_keys=True).encode())

    def _manifest_paths(self) -> Iterator[Path]:
        yield from sorted(self._manifests.glob("*.json"))

    def _read_manifest(self, path: Path) -> ArtefactInfo:
        signed = _parsed(path)
        content = signed.get("manifest")
        if not isinstance(content, dict) or not hmac.compare_digest(self._sign(_canonical(content)), str(signed.get("signature"))):
            raise ModelRefused(f"The signature of the manifest {path.name} is wrong: it was altered, or signed with another secret.")
        if path.stem != content["id"]:
            raise ModelRefused(f"The manifest {path.name} says it is {content['id']}: it was renamed.")
        times = {key: datetime.fromisoformat(content[key]) for key in ("trained_from", "trained_to", "created_at")}
        return ArtefactInfo(**(content | times))

    def _listed_manifest(self, name: str, state: tuple[int, int]) -> ArtefactInfo:
        known = self._listed.get(name)
        if known is None or known[0] != state:
            known = self._listed[name] = (state, self._read_manifest(self._manifests / name))
        return known[1]

    def _read_object(self, info: ArtefactInfo) -> bytes:
        path = self._objects / f"{info.sha256}.joblib"
        if not path.is_file():
            raise ModelRefused(f"The file of model {info.id} is missing: restore {path.name}, or train the model again.")
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != info.sha256:
            raise ModelRefused(f"The file of model {info.id} does not match its SHA-256: restore {path.name}, or train again.")
        return data

    def _sign(self, content: bytes) -> str:
        return hmac.new(self._secret, b"model-manifest\x1f" + content, hashlib.sha256).hexdigest()


def _files_in(folder: Path) -> Sequence[tuple[str, tuple[int, int]]]:
    """The names of a folder's manifests, with when each was written and how long it is; none where there is no folder yet."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        found = [(entry.name, entry.stat()) for entry in entries if entry.name.endswith(".json")]
    return [(name, (status.st_mtime_ns, status.st_size)) for name, status in sorted(found)]


def _told(by: str, reason: str) -> Mapping[str, str]:
    return {name: text for name, text in (("by", by), ("reason", reason)) if text}


def _live_stack(line: Sequence[Mapping[str, Any]]) -> Sequence[str]:
    """The ids that were live in turn, the live one last; a step back takes the last one off."""
    stack: list[str] = []
    for step in line:
        if step.get("back"):
            stack.pop()
        elif not stack or stack[-1] != step["id"]:
            stack.append(step["id"])
    return stack


def _require_zones(*times: datetime) -> None:
    if any(moment.tzinfo is None for moment in times):
        raise ValueError("The times of a model need their zone: use UTC.")


def _pickled(model: object) -> bytes:
    import joblib  # noqa: PLC0415 - only who saves a model pays for it

    buffer = BytesIO()
    joblib.dump(model, buffer)
    return buffer.getvalue()


def _canonical(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), default=datetime.isoformat).encode()


def _write(path: Path, data: bytes) -> None:
    """Writes under a temporary name and renames, so that no reader ever sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _parsed(path: Path) -> dict[str, Any]:
    try:
        signed = json.loads(path.read_bytes())
    except ValueError as error:
        raise ModelRefused(f"The manifest {path.name} cannot be read: restore it from a backup, or train the model again.") from error
    if not isinstance(signed, dict):
        raise ModelRefused(f"The manifest {path.name} is not a manifest: restore it from a backup, or train the model again.")
    return signed


def _claims(path: Path, sha256: str) -> bool:
    """Whether a manifest, not yet trusted, says it is about this file."""
    try:
        content = json.loads(path.read_bytes())["manifest"]
        return bool(content["sha256"] == sha256)
    except (ValueError, KeyError, TypeError):
        return False


def _installed() -> dict[str, str]:
    return {"python": ".".join(map(str, sys.version_info[:3])), **{name: version(name) for name in _LIBRARIES}}


def _other_library(info: ArtefactInfo) -> str | None:
    for name, here in _installed().items():
        there = info.libraries.get(name, "none")
        if there.split(".")[0] != here.split(".")[0]:
            return f"{name} {there}, but {here} is installed"
    return None


def _refuse_other_libraries(info: ArtefactInfo) -> None:
    other = _other_library(info)
    if other is not None:
        raise ModelRefused(f"Model {info.id} was made with {other}: train it again.")
