"""The file of sinks: who is told of what, with every secret named by an environment variable and never written down."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from fraud.domain.outbox import EventKind, Sink
from fraud.errors import InputError
from fraud.sinks.channel import Channel
from fraud.sinks.mail import Mailbox
from fraud.sinks.webhook import Webhook

Words = Annotated[str, msgspec.Meta(min_length=1)]


class _Common(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    name: Words
    events: tuple[EventKind, ...] = ()
    programs: tuple[str, ...] = ()


class WebhookEntry(_Common, frozen=True, kw_only=True, tag="webhook"):
    """A signed webhook; `secret_env` names one variable, or two while the secret is rotated."""

    url: Words
    secret_env: tuple[Words, ...] | Words


class ChannelEntry(_Common, frozen=True, kw_only=True, tag="channel"):
    """A Slack-style channel; its address is a secret."""

    url_env: Words


class MailEntry(_Common, frozen=True, kw_only=True, tag="mail"):
    """A mailbox; `password_env` names a variable."""

    host: Words
    sender: Words
    recipients: Annotated[tuple[Words, ...], msgspec.Meta(min_length=1)]
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password_env: str = ""


class SinksFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    sinks: tuple[WebhookEntry | ChannelEntry | MailEntry, ...] = ()


def read_sinks(file: Path, environment: Mapping[str, str]) -> list[Sink]:
    """The sinks of a file, none when there is no file; `InputError` says what in it cannot be used."""
    if not file.exists():
        return []
    try:
        entries = msgspec.yaml.decode(file.read_bytes(), type=SinksFile).sinks
    except (OSError, msgspec.DecodeError) as fault:
        raise InputError(f"The file of sinks {file} cannot be used: {fault}.") from fault
    names = [entry.name for entry in entries]
    if twice := {name for name in names if names.count(name) > 1}:
        raise InputError(f"The file of sinks {file} has two sinks called {', '.join(sorted(twice))}; give each a name of its own.")
    return [_sink(entry, environment, file) for entry in entries]


def _sink(entry: WebhookEntry | ChannelEntry | MailEntry, environment: Mapping[str, str], file: Path) -> Sink:
    def secret(variable: str) -> str:
        if not environment.get(variable):
            raise InputError(f"The sink {entry.name!r} of {file} needs the environment variable {variable}, which is not set.")
        return environment[variable]

    events, programs = frozenset(kind.value for kind in entry.events), frozenset(entry.programs)
    if isinstance(entry, WebhookEntry):
        variables = (entry.secret_env,) if isinstance(entry.secret_env, str) else entry.secret_env
        secrets = tuple(secret(variable) for variable in variables)
        return Webhook(name=entry.name, url=entry.url, secrets=secrets, events=events, programs=programs)
    if isinstance(entry, ChannelEntry):
        return Channel(name=entry.name, url=secret(entry.url_env), events=events, programs=programs)
    return Mailbox(
        name=entry.name,
        host=entry.host,
        port=entry.port,
        sender=entry.sender,
        recipients=entry.recipients,
        user=entry.user,
        password=secret(entry.password_env) if entry.password_env else "",
        security=entry.security,
        events=events,
        programs=programs,
    )
