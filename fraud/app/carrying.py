"""The process that carries records of the journal on behind a busy service; started by `fraud.app.beside`."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import msgspec

from fraud.app.beside import Done, Task, read_line, write_line
from fraud.app.keeping import destinations_of
from fraud.app.logs import configure_logs
from fraud.app.parts import App
from fraud.errors import FraudError
from fraud.settings import Settings, load_settings
from fraud.storage.journal import read_records
from fraud.workflows.carrying import Carrier


def main() -> None:
    """Does what the service asks until it asks no more. Replies go where standard output went; anything else printed, to the log."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the service's, which lets this process finish
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    carrier = _carrier(load_settings(**read_line(sys.stdin.buffer, dict)))
    for line in sys.stdin.buffer:
        write_line(replies, _done(carrier, msgspec.json.decode(line, type=Task)))


def _done(carrier: Carrier, task: Task) -> Done:
    try:
        if task.most:
            return Done(carrier.keep(Path(task.segment), task.offset, task.most))
        carrier.finish(Path(task.segment))
    except FraudError as fault:
        return Done(fault=fault.message)
    except FileNotFoundError:
        return Done(fault=f"{task.segment} is gone: the service has carried it on itself.")
    return Done()


def _carrier(settings: Settings) -> Carrier:
    configure_logs(settings)
    return Carrier(read_records, destinations_of(App(settings)))


if __name__ == "__main__":
    main()
