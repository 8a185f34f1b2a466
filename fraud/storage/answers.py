"""What platforms and services answered, kept for some days, so that the same question is not asked of them twice.

One file an answer, by program, kind and question; deleting the folder is safe. A file that cannot be read counts as none.
"""

from __future__ import annotations

import hashlib
import tempfile
from datetime import datetime
from pathlib import Path

import msgspec


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    question: str
    asked_at: datetime
    answer: msgspec.Raw


class AnswerFolder:
    """Answers of one program: `folder` is the workspace's, `program_id` keeps programs apart."""

    def __init__(self, folder: Path, program_id: str) -> None:
        self._folder = folder / hashlib.sha256(program_id.encode()).hexdigest()[:16]

    def get(self, kind: str, question: str, since: datetime) -> bytes | None:
        """The answer to a question as JSON, where it was asked after `since`; None otherwise."""
        try:
            kept = msgspec.json.decode(self._path(kind, question).read_bytes(), type=_Kept)
        except (OSError, msgspec.MsgspecError):
            return None
        return bytes(kept.answer) if kept.question == question and kept.asked_at > since else None

    def put(self, kind: str, question: str, answer: bytes, asked_at: datetime) -> None:
        """Keeps an answer (JSON) in place of an earlier one; a disk that is full costs the saving, not the vetting."""
        path = self._path(kind, question)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
                file.write(msgspec.json.encode(_Kept(question=question, asked_at=asked_at, answer=msgspec.Raw(answer))))
            Path(file.name).replace(path)
        except OSError:
            return

    def forget(self, before: datetime) -> None:
        """Deletes what was asked before a moment."""
        for path in self._folder.glob("*/*.json"):
            if path.stat().st_mtime < before.timestamp():
                path.unlink(missing_ok=True)

    def _path(self, kind: str, question: str) -> Path:
        return self._folder / kind / f"{hashlib.sha256(question.encode('utf-8', 'replace')).hexdigest()}.json"
