"""Running commands in tests: in this process, where it is quick, or as a real one, where it must be."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog

from fraud.cli import main

ROOT = Path(__file__).parents[2]
WIDTH = {"COLUMNS": "80", "TERMINAL_WIDTH": "80", "NO_COLOR": "1"}
"""A terminal as narrow as terminals are."""


@dataclass(frozen=True)
class Ran:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, which must be JSON and nothing else."""
        return msgspec.json.decode(self.out)


def fraud(*arguments: object, env: Mapping[str, str] | None = None) -> Ran:
    """Runs `fraud` with these arguments inside this process, through the same entry as the installed command."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        for name, value in {**WIDTH, **(env or {})}.items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", ["fraud", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main.run()
    structlog.reset_defaults()
    code = ended.value.code
    return Ran(code if isinstance(code, int) else 0, out.getvalue(), err.getvalue())


def fraud_process(*arguments: object, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Ran:
    """Runs `fraud` as a process of its own, as a user does."""
    done = subprocess.run(
        command(*arguments), env=environment(env), cwd=cwd or ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-c", "from fraud.cli.main import run; run()", *map(str, arguments)]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    return {**os.environ, "PYTHONWARNINGS": "", **WIDTH, **(extra or {})}


def sentence_of(ran: Ran) -> str:
    """The one sentence a command that failed must say, and nothing else."""
    assert ran.code == 1, ran
    assert "Traceback" not in ran.err
    (line,) = ran.err.splitlines()
    assert line.startswith("Error: ")
    assert line.endswith(".")
    return line.removeprefix("Error: ")
