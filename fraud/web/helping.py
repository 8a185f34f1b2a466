"""What the figures mean: every label's definition, and every feature's."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request, Response

from fraud.reports.definitions import DEFINITIONS
from fraud.web.rendering import page
from fraud.web.routing import Route, routes
from fraud.web.visits import Door


@dataclass(frozen=True)
class Helping:
    """The pages that explain."""

    door: Door

    def routes(self) -> list[Route]:
        """Where they stand."""
        return routes(
            (
                ("/help", self.figures),
                ("/features/{name}", self.feature),
            ),
        )

    def figures(self, request: Request) -> Response:
        """Every figure of the pages, in words."""
        return page("help.html", self.door.enter(request), {"title": "What the figures mean", "definitions": DEFINITIONS})

    def feature(self, request: Request, name: str) -> Response:
        """One feature of the catalogue; a feature of an earlier version is said to be gone, because kept nights still name it."""
        from fraud.features.catalogue import BY_NAME  # noqa: PLC0415 - the catalogue brings DuckDB, which no other page needs

        visit = self.door.enter(request)
        return page("feature.html", visit, {"title": "A feature", "feature": BY_NAME.get(name), "name": name})
