"""Structured logs on stderr: readable on a terminal, JSON for machines. What is secret never reaches them."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import structlog
from pydantic import SecretStr

from fraud.settings import SHORTEST_SECRET, Settings

HIDDEN = "[secret]"
_PATTERNS = (
    re.compile(r"()fk_(?:score|review|admin)_[A-Za-z0-9_-]+"),
    re.compile(r"(Bearer )[^\s\"']+", re.IGNORECASE),
    re.compile(r"([?&](?:key|ticket|token)=)[^&\s\"']+"),
    re.compile(r"(://)[^/@\s:]*:[^/@\s]+(?=@)"),
)
"""Keys of ours, keys in headers and addresses, and passwords in addresses, wherever they stand in a text."""


def configure_logs(settings: Settings) -> None:
    """Sets how the process logs. Standard output stays free for results."""
    level = getattr(logging, settings.log_level.upper())
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if settings.log_format == "json" else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        Hiding(secrets_of(settings)),
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # what it is at the moment
        cache_logger_on_first_use=False,
    )
    _log_server(level, shared, renderer)


def secrets_of(settings: Settings) -> list[str]:
    """The values of all settings that are secret, and the passwords in addresses, as far as they are long enough to be told from words."""
    values = [getattr(settings, name) for name in type(settings).model_fields]
    given = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
    given += [urlsplit(url).password or "" for url in (settings.database_url, settings.counters_url) if "://" in url]
    return [secret for secret in given if len(secret) >= SHORTEST_SECRET // 2]


class Hiding:
    """A structlog processor that takes what is secret out of every text of an entry."""

    def __init__(self, secrets: Sequence[str]) -> None:
        alternatives = "|".join(re.escape(secret) for secret in sorted(secrets, key=len, reverse=True))
        own = [re.compile(f"()(?:{alternatives})")] if secrets else []
        self._patterns = (*own, *_PATTERNS)

    def __call__(self, logger: Any, method: str, entry: structlog.typing.EventDict) -> structlog.typing.EventDict:
        """The entry without secrets."""
        return {name: self._hidden(value) for name, value in entry.items()}

    def _hidden(self, value: Any) -> Any:
        if isinstance(value, str):
            for pattern in self._patterns:
                value = pattern.sub(rf"\1{HIDDEN}", value)
            return value
        if isinstance(value, dict):
            return {name: self._hidden(inner) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self._hidden(inner) for inner in value]
        return value


class _Stderr(logging.Handler):
    """Writes to what standard error is at the moment."""

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one record."""
        sys.stderr.write(self.format(record) + "\n")


def _log_server(level: int, shared: list[structlog.typing.Processor], renderer: structlog.typing.Processor) -> None:
    """What the web server itself says goes the same way."""
    handler = _Stderr()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]
        )
    )
    server = logging.getLogger("uvicorn")
    server.handlers, server.propagate = [handler], False
    server.setLevel(max(level, logging.WARNING))
