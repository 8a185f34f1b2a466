"""Where pages stand: each room lists its own addresses, those that only read apart from those that act."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter

Handler = Callable[..., Any]


@dataclass(frozen=True)
class Route:
    """One address and what answers there; `acts` for what changes something, which a form sends."""

    path: str
    handler: Handler
    acts: bool = False


def routes(readings: Iterable[tuple[str, Handler]], actions: Iterable[tuple[str, Handler]] = ()) -> list[Route]:
    """The addresses of one room, in the order in which they are tried: the narrower of two that overlap stands first."""
    return [*(Route(path, read) for path, read in readings), *(Route(path, act, acts=True) for path, act in actions)]


def add_routes(router: APIRouter, found: Iterable[Route]) -> None:
    """Puts addresses onto a router."""
    for one in found:
        router.add_api_route(one.path, one.handler, methods=["POST" if one.acts else "GET"])
