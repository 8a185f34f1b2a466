"""What the graph costs: rings and dense blocks from 100,000 to 10 million edges, projection and components beside networkx, what a page
reads of it, and how well dense blocks and simple baselines rank the labelled graphs of the development data.

`make bench-graph` runs all of it; each size runs in a process of its own, so that its peak of memory is its own.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score

from fraud.app.demonstration import SPEC
from fraud.app.graph import FRESH, graph_around, update_graph
from fraud.app.parts import App
from fraud.app.scanning import ingest_files, ingest_options
from fraud.domain.actors import DEFAULT_PROGRAM
from fraud.settings import load_settings
from fraud.simulation.program import simulate
from fraud.simulation.writing import write
from models.arrays import FloatArray, IntArray
from models.graph import find_rings, read_edges
from models.graph.blocks import COLUMN_OFFSET, dense_blocks, densest_block
from models.graph.communities import components
from models.graph.edges import EntityTable
from models.graph.projection import degree_cap, project
from tests.benchmarks.report import peak_mib, section, table
from tests.models.graph.test_blocks import crowd, planted

SIZES = (100_000, 1_000_000, 10_000_000)
RING, SHARED = 5, 60


def made(edges: int, seed: int = 0) -> pd.DataFrame:
    """A program of so many edges: an affiliate for every 500, of very different sizes, whose visitors come from a pool of one for every two
    edges, some of them often; devices and addresses, a carrier address for every 1,000 affiliates, and ten rings of five."""
    rng = np.random.default_rng(seed)
    count = max(edges // 500, 50)
    weight = rng.lognormal(0, 1.2, count)
    owner = rng.choice(count, edges // 2, p=weight / weight.sum())
    person = (rng.random(edges // 2) ** 1.5 * (edges // 2)).astype(np.int64)
    hub = rng.random(edges // 2) < 0.02
    address = np.where(hub, -1 - rng.integers(0, max(count // 1_000, 1), hub.size), person // 2)
    ring = np.repeat(np.arange(10 * RING), SHARED)
    thing = 10 * edges + ring // RING * SHARED + np.tile(np.arange(SHARED), 10 * RING)
    codes = np.repeat([0, 1, 0], [owner.size, owner.size, ring.size]).astype(np.int8)
    kinds = pd.Categorical.from_codes(codes, categories=pd.Index(["device", "ip"]))
    return pd.DataFrame(
        {"affiliate_id": np.concatenate([owner, owner, count + ring]), "kind": kinds, "entity": np.concatenate([person, address, thing])}
    )


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of wall time, and the result."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def one_size(edges: int) -> dict[str, float]:
    """The steps on one made program, in this process."""
    warm = read_edges(made(20_000))
    find_rings(warm), dense_blocks(warm)  # compiles
    frame = made(edges)
    before = peak_mib()
    cpu = time.process_time()
    reading, whole = timed(lambda: read_edges(frame))
    ringing, found = timed(lambda: find_rings(whole))
    blocking, blocks = timed(lambda: dense_blocks(whole))
    processor = time.process_time() - cpu
    links = found.links
    return {
        "edges": float(whole.affiliate.size),
        "pairs": float(links.left.size),
        "read": reading,
        "rings": ringing,
        "blocks": blocking,
        "total": reading + ringing + blocking,
        "processor": processor,
        "peak_mib": peak_mib(),
        "input_mib": before,
        "found_rings": float(sum(len(ring["affiliate_ids"]) == RING for ring in found.rings)),
        "found_blocks": float(len(blocks)),
    }


def beside_networkx(edges: int) -> dict[str, float]:
    """Projection and components of the same frame: ours (median of 5) and networkx's own, which gets the same hubs left out."""
    frame = made(edges)
    ours = []
    for _ in range(5):
        seconds, (whole, _) = timed(lambda: _joined(frame))
        ours.append(seconds)
    chosen = whole.degree
    kept = (chosen >= 2) & (chosen <= degree_cap(whole))
    seconds, pairs = timed(lambda: _by_networkx(whole, kept))
    return {"ours": median(ours), "networkx": seconds, "pairs": float(pairs)}


def _joined(frame: pd.DataFrame) -> tuple[EntityTable, IntArray]:
    whole = read_edges(frame)
    links = project(whole)
    return whole, components(len(whole.affiliates), links.left, links.right)


def _by_networkx(whole: EntityTable, kept: np.ndarray[Any, Any]) -> int:
    rows = kept[whole.entity]
    graph: nx.Graph[Any] = nx.Graph()
    graph.add_edges_from(zip(whole.affiliate[rows].tolist(), (-1 - whole.entity[rows]).tolist(), strict=True))
    affiliates = {node for node in graph if node >= 0}
    projected = nx.bipartite.weighted_projected_graph(graph, affiliates)
    list(nx.connected_components(projected))
    return int(projected.number_of_edges())


def around_somebody() -> dict[str, float]:
    """The neighbourhoods of twenty affiliates of the demonstration's program, as a page asks for them, and the graph's first making."""
    with tempfile.TemporaryDirectory() as folder:
        app = App(load_settings(workspace=Path(folder) / "w", database_url=""))
        program = simulate(SPEC)
        write(program, Path(folder) / "program")
        options = ingest_options(app, "auto", lambda _: None)
        for kind in ("affiliates", "clicks", "conversions"):
            ingest_files(app, DEFAULT_PROGRAM, kind, sorted((Path(folder) / "program").glob(f"{kind}.*")), options)
        making, _ = timed(lambda: update_graph(app, DEFAULT_PROGRAM))
        names = [one.affiliate_id for one in program.truth.affiliates[:20]]
        cpu = time.process_time()
        looks = [timed(partial(graph_around, app, DEFAULT_PROGRAM, name, FRESH))[0] for name in names]
        processor = (time.process_time() - cpu) / len(names)
        clicks = app.lake.count("clicks", DEFAULT_PROGRAM)
        app.close()
    return {"clicks": float(clicks), "making": making, "look": median(looks), "processor": processor}


def in_a_process(*arguments: str) -> dict[str, float]:
    """Runs this file on one task and reads the figures it prints."""
    run = subprocess.run([sys.executable, "-m", "tests.benchmarks.graph", *arguments], capture_output=True, text=True, check=True)
    figures: dict[str, float] = json.loads(run.stdout.splitlines()[-1])
    return figures


def cost(sizes: tuple[int, ...]) -> list[str]:
    """The section on cost."""
    rows = [in_a_process("--one", str(size)) for size in sizes]
    head = ["edges", "pairs", "reading s", "rings s", "blocks s", "all s", "of processor s", "peak MiB", "against E log E"]
    first = rows[0]["processor"] / (rows[0]["edges"] * math.log(rows[0]["edges"]))
    cells = [
        [
            f"{row['edges']:,.0f}",
            f"{row['pairs']:,.0f}",
            *(f"{row[name]:.1f}" for name in ("read", "rings", "blocks", "total", "processor")),
            f"{row['peak_mib']:,.0f}",
            f"{row['processor'] / (row['edges'] * math.log(row['edges'])) / first:.2f}",
        ]
        for row in rows
    ]
    beside, around = in_a_process("--networkx", "1000000"), in_a_process("--around")
    return [
        "Seconds by the clock and of processor time; where the machine was shared the second says more.",
        "",
        "A made-up program (heavy-tailed affiliates, visitors they share, carrier addresses, ten rings of five); reading, rings with",
        "their shuffles, and dense blocks of every kind. The last column is the cost over E log E, relative to the smallest size: up to",
        "1 it grows no faster.",
        "",
        table(head, cells),
        "",
        f"Reading, projection and components of 1,000,000 edges ({beside['pairs']:,.0f} pairs): {beside['ours']:.2f} s (median of five);",
        f"networkx takes {beside['networkx'] / beside['ours']:.0f} times as long for projection and components alone.",
        f"Of the ten planted rings {rows[-1]['found_rings']:.0f} were found whole at the largest size.",
        "",
        f"What lies around one affiliate of a program of {around['clicks']:,.0f} clicks is read in {1_000 * around['look']:.0f} ms",
        f"(median of twenty affiliates; {1_000 * around['processor']:.0f} ms of processor time); the graph is made once",
        f"in {around['making']:.1f} s, and kept.",
    ]


def weak_blocks() -> list[str]:
    """The section on how weak a planted block may be: camouflage of twice its own things, biased to what is popular, in a crowd of 150."""
    sizes, cells = (3, 4, 5, 8, 12, 20), []
    for share in (0.5, 0.4, 0.3, 0.2):
        found = [[_recovered(size, share, seed) for seed in range(3)] for size in sizes]
        cells.append(
            [f"{share:.0%}", *(f"{100 * sum(own for own, _ in one) / (3 * size):.0f}%" for size, one in zip(sizes, found, strict=True))]
        )
        cells[-1].append(str(sum(others for one in found for _, others in one)))
    return [
        "Members found of planted blocks of so many affiliates, each of whom holds a share of the block's thirty things and twice as many",
        "popular ones besides (three seeds, one block at a time); and affiliates of the crowd of 150 that were taken for members.",
        "",
        table(["each holds", *(f"of {size}" for size in sizes), "crowd"], cells),
    ]


def _recovered(size: int, share: float, seed: int) -> tuple[int, int]:
    """How many members of one planted block are found, and how many others."""
    frame = pd.concat([crowd(150, 20_000, seed).astype({"entity": str}), planted("block", size, 2.0, True, 100 * seed + size, share)])
    whole = read_edges(frame)
    found = {whole.affiliates[one] for block in dense_blocks(whole) for one in block.affiliates.tolist()}
    own = sum(name.startswith("block") for name in found)
    return own, len(found) - own


def yelp(folder: Path) -> tuple[IntArray, IntArray, np.ndarray[Any, Any]]:
    """YelpChi's reviews as (reviewer, product) and which reviewers wrote spam."""
    file = folder / "graphs" / "yelpchi" / "UGFraud" / "Yelp_Data" / "YelpChi" / "metadata.gz"
    with gzip.open(file, "rt") as lines:
        rows = pd.read_csv(lines, sep=r"\s+", header=None, names=["user", "product", "rating", "label", "date"])
    user, product = pd.factorize(rows["user"])[0].astype(np.int64), pd.factorize(rows["product"])[0].astype(np.int64)
    bad = np.zeros(user.max() + 1, dtype=np.bool_)
    bad[user[rows["label"].to_numpy() == -1]] = True
    return user, product, bad


def peeled(row: IntArray, column: IntArray, prior: FloatArray | None = None) -> FloatArray:
    """FRAUDAR's density of every row, with the authors' weights of columns."""
    return densest_block(row, column, 1.0 / np.log(np.bincount(column)[column] + COLUMN_OFFSET), prior).row_density


def quality(folder: Path) -> list[str]:
    """The section on the labelled graphs."""
    user, product, bad = yelp(folder)
    degree = np.bincount(user).astype(np.float64)
    scores: list[tuple[str, str, np.ndarray[Any, Any], FloatArray]] = [
        ("yelpchi", "degree", bad, degree),
        ("yelpchi", "few reviews (1 / degree)", bad, 1.0 / degree),
        ("yelpchi", "dense blocks", bad, peeled(user, product)),
        ("yelpchi", "dense blocks, throw-away accounts suspected (1 / degree)", bad, peeled(user, product, 1.0 / degree)),
        ("yelpchi", "the same, columns weighted 1 / sqrt(d)", bad, _peeled_sqrt(user, product, 1.0 / degree)),
    ]
    for name in ("reddit", "books", "inj_cora", "gen_1000", "gen_10000"):
        scores += [(name, *one) for one in _plain_graph(folder / "graphs" / f"{name}.npz")]
    cells = [
        [graph, method, f"{labels.mean():.3f}", f"{roc_auc_score(labels, score):.3f}", f"{average_precision_score(labels, score):.3f}"]
        for graph, method, labels, score in scores
    ]
    return [
        "Unsupervised scores of nodes against labels: reviewers with a spam review (yelpchi), labelled or injected outliers (the others,",
        "whose graphs are peeled as node by neighbour). None of these graphs is of shared identities.",
        "",
        table(["graph", "score", "bad share", "AUROC", "AP"], cells),
    ]


def _peeled_sqrt(row: IntArray, column: IntArray, prior: FloatArray) -> FloatArray:
    return densest_block(row, column, 1.0 / np.sqrt(np.bincount(column)[column].astype(np.float64)), prior).row_density


def _plain_graph(file: Path) -> list[tuple[str, np.ndarray[Any, Any], FloatArray]]:
    data = np.load(file)
    ends, labels = data["edge_index"].astype(np.int64), np.asarray(data["y"]) != 0
    size = labels.size
    both = np.concatenate([ends, ends[::-1]], axis=1)
    keys = np.unique(both[0] * size + both[1])
    left, right = keys // size, keys % size
    degree = np.bincount(left, minlength=size).astype(np.float64)
    density = np.zeros(size)
    rows, row = np.unique(left, return_inverse=True)
    density[rows] = peeled(row, np.unique(right, return_inverse=True)[1])
    forest = -IsolationForest(random_state=0).fit(data["x"]).score_samples(data["x"])
    return [("degree", labels, degree), ("dense blocks", labels, density), ("isolation forest on attributes", labels, forest)]


def main() -> None:
    """Measures what is asked for and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", type=int, help="one size, figures on stdout")
    parser.add_argument("--networkx", type=int, help="the comparison with networkx at one size, figures on stdout")
    parser.add_argument("--largest", type=int, default=SIZES[-1], help="leave out larger sizes")
    parser.add_argument("--around", action="store_true", help="one affiliate's neighbourhood, figures on stdout")
    parser.add_argument("--weak", action="store_true", help="how weak a dense block may be, and nothing else")
    asked = parser.parse_args()
    if asked.weak:
        section("The graph: how weak a dense block may be", weak_blocks())
        return
    if asked.one or asked.networkx or asked.around:
        figures = one_size(asked.one) if asked.one else beside_networkx(asked.networkx) if asked.networkx else around_somebody()
        sys.stdout.write(json.dumps(figures) + "\n")
        return
    lines = cost(tuple(size for size in SIZES if size <= asked.largest))
    sys.stdout.write("\n".join(lines) + "\n")
    section("The graph: cost", lines)
    section("The graph: how weak a dense block may be", weak_blocks())
    if folder := os.environ.get("FRAUD_TEST_DATA"):
        section("The graph: labelled graphs", quality(Path(folder)))


if __name__ == "__main__":
    main()
