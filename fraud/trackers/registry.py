"""The trackers there are connectors for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from fraud.domain.feeds import Feed
from fraud.errors import InputError
from fraud.trackers.affise import Affise
from fraud.trackers.connector import Connector
from fraud.trackers.everflow import Everflow
from fraud.trackers.http import Account
from fraud.trackers.impact import Impact
from fraud.trackers.tune import Tune

CONNECTORS: dict[str, type[Connector]] = {"affise": Affise, "everflow": Everflow, "impact": Impact, "tune": Tune}
"""Every connector by its tracker's name in `feeds.yaml`."""


def account_of(feed: Feed, environment: Mapping[str, str]) -> Account:
    """Who asks, with the secrets that the feed's environment variables hold; `InputError` names a variable that is empty."""
    secrets = {}
    for name, variable in feed.credentials.items():
        secrets[name] = environment.get(variable, "").strip()
        if not secrets[name]:
            raise InputError(f"The feed {feed.name} needs the environment variable {variable}, which is not set. Put its {name} there.")
    account = CONNECTORS[feed.tracker].account(feed, secrets)
    return replace(account, variables=tuple(feed.credentials.values()))
