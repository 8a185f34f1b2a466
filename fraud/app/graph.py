"""The graph, wired: a program's edges kept up to date in the workspace, and the neighbourhood of one affiliate or applicant."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import timedelta
from functools import cached_property

import duckdb
import msgspec
import networkx as nx
import pandas as pd
import pyarrow as pa
import structlog

from fraud.app.memory import vetted_sites
from fraud.app.parts import App, load_model
from fraud.decisions.inputs import TrafficInputs
from fraud.decisions.ranking import TrafficRanker
from fraud.detection.traffic import TrafficModel
from fraud.domain.actors import Actor
from fraud.domain.clock import as_utc
from fraud.domain.decisions import Decision, DecisionKind
from fraud.domain.graph import GraphPattern
from fraud.domain.graph_view import KnownMatch, Neighbourhood
from fraud.domain.programs import Application
from fraud.domain.scans import Period
from fraud.domain.tables import TABLES
from fraud.errors import ModelError, NotFound, ReplayError
from fraud.links.applicants import applicant_edges, known_matches
from fraud.links.edges import account_edges, declared_groups, shared_addresses
from fraud.links.incremental import counted_days, shared_edges
from fraud.links.neighbourhood import APPLICANT, Standings, near_edges, neighbourhood
from fraud.links.sites import with_sites
from fraud.reports.drawing import draw_neighbourhood
from fraud.storage.link_days import LinkDays, SharedFile
from fraud.workflows.neighbours import Rescored, Rescoring, rescored

_log = structlog.get_logger(__name__)

MOST_APPLICANTS = 5_000
"""Earlier applicants that are held beside affiliates, newest first."""


FRESH = timedelta(days=1)
"""Clicks may be this much newer than a page about them, which says until when it is true; but it never is older than the newest scan."""


def update_graph(app: App, program_id: str) -> SharedFile:
    """What of a program can link anybody, as it now is, kept for whoever looks next; only days of clicks that are new are counted."""
    days, stamp = LinkDays(app.workspace.root / "links"), _stamp(app, program_id)
    known = days.shared(program_id, stamp, app.clock.now())
    if known is not None:
        return known
    seen = app.lake.time_range(program_id)
    as_of = as_utc(seen[1]) + timedelta(microseconds=1) if seen else app.clock.now()
    with app.lake.connect(program_id) as events:
        egress = shared_addresses(events, Period(start=as_of - timedelta(days=28), end=as_of))
        edges = shared_edges(events, counted_days(events, program_id, days), egress)
    return days.put_shared(program_id, stamp, edges, (as_of, app.clock.now()))


def _stamp(app: App, program_id: str) -> str:
    """Changes whenever the files change that a program's edges are read from."""
    files = [file for kind in ("clicks", "conversions", "affiliates") for file in app.lake.all_files(TABLES[kind], program_id)]
    told = [f"{file.parent.name}/{file.name}" for file in files]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]


def graph_around(app: App, program_id: str, affiliate_id: str, within: timedelta = timedelta(0)) -> Neighbourhood:
    """The neighbourhood of an affiliate, or of an applicant named by the application's id. `NotFound` when nothing is known of either.

    Clicks, conversions and accounts are those of now; or of at most `within` ago and no earlier than the newest scan, where they need not
    be read again for it.
    """
    shared = (within and _kept(app, program_id, within)) or update_graph(app, program_id)
    vetted = app.stores.applications.vetted(program_id, MOST_APPLICANTS)
    with closing(duckdb.connect()) as graph:
        name = _whole_graph(app, graph, (program_id, affiliate_id), (shared, [application for application, _ in vetted]))
        near = near_edges(graph, name)
    if near.empty:
        raise NotFound(f"Nothing is known of {affiliate_id!r} in this program: no account, no click, no conversion, no application.")
    return neighbourhood(near, name, _standings(app, program_id, vetted), (program_id, shared.as_of))


def _kept(app: App, program_id: str, within: timedelta) -> SharedFile | None:
    """What can link anybody, as it was last found within that time and since the newest scan's."""
    scans = [night.as_of for night in app.stores.nights.nights(program_id, 1)]
    return LinkDays(app.workspace.root / "links").shared(program_id, "", max([app.clock.now() - within, *scans]))


def _whole_graph(app: App, graph: duckdb.DuckDBPyConnection, asked: tuple[str, str], known: tuple[SharedFile, list[Application]]) -> str:
    """Gives a connection the view `edges`: affiliates and applicants with all that may link them. The name under which the one that was
    `asked` for (program and id) is in it: an affiliate's, else an applicant's."""
    (program_id, affiliate_id), (shared, applications) = asked, known
    graph.read_parquet(str(shared.file)).create_view("kept")
    applied = applicant_edges(applications, app.pepper)
    websites = graph.execute("select * from kept where kind = 'website'").df()
    beside = with_sites(pd.concat([websites, applied], ignore_index=True), vetted_sites(app, program_id)).iloc[len(websites) :]
    graph.register("beside", pa.Table.from_pandas(beside, schema=graph.table("kept").to_arrow_table().schema, preserve_index=False))
    graph.execute("create view edges as select * from kept union all select * from beside")
    (present,) = graph.execute("select count(*) from kept where affiliate_id = ?", [affiliate_id]).fetchall()[0]
    return affiliate_id if present else f"{APPLICANT}{affiliate_id}"


def _standings(app: App, program_id: str, vetted: Iterable[tuple[Application, str]]) -> Standings:
    with app.lake.connect(program_id) as events:
        groups = declared_groups(events)
        labels = events.execute("select affiliate_id, label from labels order by labelled_at nulls first").fetchall()
    standing = {str(name): f"confirmed {label}" for name, label in labels}
    standing |= {f"{APPLICANT}{application.application_id}": f"applied: {outcome}" for application, outcome in vetted}
    return Standings(groups=dict(zip(groups["affiliate_id"], groups["group_id"], strict=True)), standing=standing)


class Acquaintances:
    """Who of a program is known already, for applicants as they come: what affiliates and earlier applicants state, read once.

    Applications vetted meanwhile are added one by one; the rest is never read again.
    """

    def __init__(self, app: App, program_id: str) -> None:
        self._app, self._program_id = app, program_id

    def of(self, application: Application) -> tuple[KnownMatch, ...] | None:
        """Affiliates and earlier applicants who state what this applicant states; `None` when there is nobody, or nothing, to compare.

        The applicant is known from now on.
        """
        edges, standing = self._known
        own = applicant_edges([application], self._app.pepper)
        met = [stated for name, stated in self._met.items() if name != application.application_id]
        everybody = pd.concat([edges, *met], ignore_index=True)
        self._met[application.application_id] = own
        return None if own.empty or everybody.empty else known_matches(application, everybody, standing, self._app.pepper)

    @cached_property
    def _vetted(self) -> list[tuple[Application, str]]:
        return self._app.stores.applications.vetted(self._program_id, MOST_APPLICANTS)

    @cached_property
    def _met(self) -> dict[str, pd.DataFrame]:
        return {application.application_id: applicant_edges([application], self._app.pepper) for application, _ in self._vetted}

    @cached_property
    def _known(self) -> tuple[pd.DataFrame, Mapping[str, str]]:
        with self._app.lake.connect(self._program_id) as events:
            edges = account_edges(events)
        return edges, _standings(self._app, self._program_id, self._vetted).standing


def rescore_linked(app: App, program_id: str, affiliate_id: str, actor: Actor) -> tuple[Rescored, ...]:
    """Scores those again whom the newest scan put together with an affiliate that a reviewer has just confirmed bad or good.

    Their new decisions are kept beside the old ones, and the audit log says of each why it was scored again. An affiliate whose model or
    policy is no longer kept stays as it is; the next scan takes the confirmation in.
    """
    decisions = app.stores.decisions
    earlier = decisions.latest(program_id, DecisionKind.SCAN, affiliate_id)
    if earlier is None or not earlier.inputs:
        return ()
    bad = frozenset(name for name, standing in _standings(app, program_id, ()).standing.items() if standing == "confirmed bad")
    findings = msgspec.convert(earlier.inputs, TrafficInputs).facts.graph
    linked = sorted({other for finding in findings if finding.pattern is not GraphPattern.NEIGHBOUR for other in finding.others} - bad)
    found = [
        _rescored(app, one, affiliate_id, bad, actor) for name in linked if (one := decisions.latest(program_id, DecisionKind.SCAN, name))
    ]
    return tuple(one for one in found if one is not None)


def _rescored(app: App, decision: Decision, because: str, bad: frozenset[str], actor: Actor) -> Rescored | None:
    try:
        models = [load_model(app.registry, kept, decision.feature_set_hash) for kept in decision.models]
        pack = app.pack_of(decision.policy)
    except (ModelError, ReplayError) as gone:
        _log.warning("not_rescored", affiliate_id=decision.subject_id, reason=gone.message)
        return None
    model = next((one for one in models if isinstance(one, TrafficModel)), None)
    if model is None or not decision.inputs:
        return None
    ranker = next((one for one in models if isinstance(one, TrafficRanker)), None)
    tools = Rescoring(pack=pack, model=model, actor_id=actor.actor_id, now=app.clock.now(), ranker=ranker)
    again = rescored(decision, bad, tools)
    if again is None:
        return None
    app.stores.decisions.add([again])
    before, after = decision.verdict.score, again.verdict.score
    text = (
        f"{decision.subject_id} was scored again because {because}, to whom it is linked, was reviewed: risk {before:.2f} to {after:.2f}."
    )
    detail = {"decision_id": again.decision_id, "because": because, "before": before, "after": after, "text": text}
    app.stores.audit.record(actor, decision.program_id, "graph.rescored", decision.subject_id, tools.now, detail)
    return Rescored(affiliate_id=decision.subject_id, decision_id=again.decision_id, before=before, after=after, text=text)


def as_graphml(around: Neighbourhood) -> str:
    """The neighbourhood as GraphML, for Gephi, yEd and the like."""
    graph: nx.Graph[str] = nx.Graph()
    for node in around.nodes:
        graph.add_node(node.node_id, kind=node.kind, label=node.label, role=node.role, standing=node.standing)
    for edge in around.edges:
        told = {"tier": edge.tier, "count": edge.count, "owners": edge.owners, "source": edge.source, "text": edge.text}
        graph.add_edge(edge.affiliate, edge.entity, **told)
    for link in around.links:
        graph.add_edge(link.left, link.right, tier=link.tier, similarity=link.similarity, declared=link.declared, text=link.text)
    written = io.BytesIO()
    nx.write_graphml(graph, written)
    return written.getvalue().decode()


STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#1c2230}.what{fill:#5b6474}.spoke{stroke:#9aa3b2;stroke-width:1.2;opacity:.6}"
    ".member{fill:#2f6fdb}.centre{fill:#c2410c}.declared{fill:#15803d}.applicant{fill:#7c3aed}"
    ".hub{fill:#fff;stroke:#cbd2dc}.identity{stroke:#c2410c;stroke-width:1.6}.strong{stroke:#2f6fdb}"
)
"""The colours of a drawing that stands alone; in a report the page's own style sheet gives them."""


def as_svg(around: Neighbourhood) -> str:
    """The neighbourhood as a drawing that stands alone."""
    drawn = str(draw_neighbourhood(around))
    return drawn.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1).replace(">", f"><style>{STYLE}</style>", 1)
