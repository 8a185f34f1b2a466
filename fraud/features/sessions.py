"""What a web server's log says of how a session was browsed: rhythm, breadth, what a page drags along, what was answered.

For landing pages and merchants' sites that hand over their access log. Nothing here looks at who the visitor says they are, at addresses
or at the date, so a visitor who hides all of these is still seen by the way the pages are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

REQUEST_COLUMNS = ("session", "time", "method", "path", "status", "bytes", "referrer")
"""What a table of requests must have: any key of a session, a moment, text, text, a number, a number, text (empty or missing: none)."""

SCRIPT, IMAGE, STYLE = (
    (".js", ".mjs"),
    (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".ico", ".avif"),
    (".css", ".woff", ".woff2", ".ttf"),
)
"""Endings of what a browser fetches by itself when it shows a page."""
THINKING = 10.0
"""Seconds after which a person has read something rather than waited for it."""
HASTE = 2.0
"""Seconds in which nobody has read a page."""


@dataclass(frozen=True)
class Session:
    """One session's requests in order of time: `seconds` since its first, and the log's columns (all (requests,))."""

    seconds: Floats
    method: NDArray[np.str_]
    path: NDArray[np.str_]
    status: Floats
    size: Floats
    referrer: NDArray[np.str_]

    @property
    def asset(self) -> NDArray[np.bool_]:
        """Which requests a browser makes by itself: scripts, images, styles."""
        return _ends(self.path, SCRIPT + IMAGE + STYLE)

    @property
    def page(self) -> NDArray[np.bool_]:
        """Which requests ask for a page: GET of something that is no asset."""
        return np.asarray((self.method == "GET") & ~self.asset)


def session_features(requests: pd.DataFrame) -> pd.DataFrame:
    """One row per session (index `session`) with a column per feature, NaN where the session is too short to tell.

    `requests` has `REQUEST_COLUMNS`, in any order. Raises `ValueError` when a column is missing.
    """
    missing = [column for column in REQUEST_COLUMNS if column not in requests.columns]
    if missing:
        raise ValueError(f"The requests lack the columns {', '.join(missing)}.")
    ordered = requests.sort_values(["session", "time"], kind="stable")
    rows = {key: _features(_session(group)) for key, group in ordered.groupby("session", sort=True)}
    return pd.DataFrame.from_dict(rows, orient="index", dtype=np.float64).rename_axis("session")


def _session(group: pd.DataFrame) -> Session:
    moments = pd.to_datetime(group["time"]).to_numpy(dtype="datetime64[us]").astype(np.int64) / 1e6
    text = {name: group[name].astype(object).fillna("").astype(str).to_numpy(dtype=str) for name in ("method", "path", "referrer")}
    paths = np.array([path.split("?", 1)[0].split("#", 1)[0] for path in text["path"]], dtype=str)
    numbers = {name: pd.to_numeric(group[name], errors="coerce").to_numpy(dtype=np.float64) for name in ("status", "bytes")}
    referrers = np.where(text["referrer"] == "-", "", text["referrer"])
    return Session(moments - moments[0], np.char.upper(text["method"]), paths, numbers["status"], numbers["bytes"], referrers)


def _features(session: Session) -> Mapping[str, float]:
    return {name: value for family in FAMILIES for name, value in family(session).items()}


def _rhythm(session: Session) -> dict[str, float]:
    """How fast and how regularly: bots are even, people pause and then click twice."""
    duration = float(session.seconds[-1])
    pages = session.seconds[session.page]
    sent = session.seconds[session.method == "POST"]
    return {
        "requests": float(len(session.seconds)),
        "duration": duration,
        "request_rate": len(session.seconds) / (duration + 1.0),
        "page_rate": len(pages) / (duration + 1.0),
        "post_rate": len(sent) / (duration + 1.0),
        **_gaps("gap", session.seconds),
        **_gaps("page_gap", pages),
        **_gaps("post_gap", sent),
    }


def _gaps(name: str, moments: Floats) -> dict[str, float]:
    gaps = np.diff(moments)
    if gaps.size < 2:
        return dict.fromkeys(
            (f"{name}_{figure}" for figure in ("median", "cv", "longest", "hasty", "thinking", "entropy", "memory")), np.nan
        )
    mean, spread = float(gaps.mean()), float(gaps.std())
    logs = np.log1p(gaps)
    even = logs.std() < 1e-9
    return {
        f"{name}_median": float(np.median(gaps)),
        f"{name}_cv": spread / mean if mean > 0.0 else 0.0,
        f"{name}_longest": float(gaps.max()),
        f"{name}_hasty": float((gaps < HASTE).mean()),
        f"{name}_thinking": float((gaps > THINKING).mean()),
        f"{name}_entropy": _entropy(np.floor(np.log2(gaps + 1.0))),
        f"{name}_memory": 0.0 if even or gaps.size < 4 else _correlation(logs[:-1], logs[1:]),
    }


def _contents(session: Session) -> dict[str, float]:
    """What a page drags along: a browser fetches scripts, images and styles, and its pages report back."""
    pages = max(int(session.page.sum()), 1)
    return {
        "page_share": float(session.page.mean()),
        "script_share": float(_ends(session.path, SCRIPT).mean()),
        "image_share": float(_ends(session.path, IMAGE).mean()),
        "style_share": float(_ends(session.path, STYLE).mean()),
        "assets_per_page": float(session.asset.sum()) / pages,
        "post_share": float((session.method == "POST").mean()),
        "posts_per_page": float((session.method == "POST").sum()) / pages,
        "head_share": float((session.method == "HEAD").mean()),
        "asked_for_robots": float((session.path == "/robots.txt").any()),
    }


def _answers(session: Session) -> dict[str, float]:
    """What the server said: errors are links that no page has, `not modified` is a cache at work."""
    kind = session.status // 100
    return {
        "redirect_share": float((kind == 3).mean()),
        "not_modified_share": float((session.status == 304).mean()),
        "client_error_share": float((kind == 4).mean()),
        "server_error_share": float((kind == 5).mean()),
        "mean_log_bytes": _mean(np.log1p(session.size)),
        "spread_log_bytes": _spread(np.log1p(session.size)),
    }


def _walk(session: Session) -> dict[str, float]:
    """Where the pages lead: how wide, how deep, how often back, and whether each was reached from the one before."""
    pages, came_from = session.path[session.page], session.referrer[session.page]
    if len(pages) == 0:
        names = (
            "distinct",
            "entropy",
            "depth",
            "depth_spread",
            "breadth",
            "revisits",
            "returns",
            "repeats",
            "followed",
            "direct",
            "step_entropy",
        )
        return dict.fromkeys((f"walk_{name}" for name in names), np.nan)
    depth = np.array([path.strip("/").count("/") for path in pages], dtype=np.float64)
    steps = np.char.add(np.char.add(pages[:-1], " > "), pages[1:])
    followed = [origin.endswith(previous) for origin, previous in zip(came_from[1:], pages[:-1], strict=True)]
    return {
        "walk_distinct": float(len(np.unique(pages))),
        "walk_entropy": _entropy(pages),
        "walk_depth": float(depth.mean()),
        "walk_depth_spread": float(depth.std()),
        "walk_breadth": float(len({path.strip("/").split("/", 1)[0] for path in pages})),
        "walk_revisits": 1.0 - len(np.unique(pages)) / len(pages),
        "walk_returns": _mean((pages[2:] == pages[:-2]).astype(np.float64)),
        "walk_repeats": _mean((pages[1:] == pages[:-1]).astype(np.float64)),
        "walk_followed": _mean(np.array(followed, dtype=np.float64)),
        "walk_direct": float((came_from == "").mean()),
        "walk_step_entropy": _entropy(steps) if len(steps) else np.nan,
    }


FAMILIES: tuple[Callable[[Session], dict[str, float]], ...] = (_rhythm, _contents, _answers, _walk)


def _ends(paths: NDArray[np.str_], endings: tuple[str, ...]) -> NDArray[np.bool_]:
    return np.array([path.lower().endswith(endings) for path in paths], dtype=np.bool_)


def _entropy(values: NDArray[np.generic]) -> float:
    """The Shannon entropy of the values' frequencies, in bits."""
    _, counts = np.unique(values, return_counts=True)
    share = counts / counts.sum()
    return float(-(share * np.log2(share)).sum()) + 0.0


def _mean(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else np.nan


def _spread(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.std()) if known.size else np.nan


def _correlation(first: Floats, second: Floats) -> float:
    spread = float(first.std() * second.std())
    return float(((first - first.mean()) * (second - second.mean())).mean() / spread) if spread > 1e-12 else 0.0
