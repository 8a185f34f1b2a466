"""What an affiliate can be, beyond ordinary: kinds of fraud and unusual honest kinds, and who plays which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fraud.domain.ids import stable_id
from fraud.errors import InputError
from fraud.simulation.randomness import stream
from fraud.simulation.spec import SimulationSpec
from fraud.simulation.world import DAY_US

_ONSET_SPREAD_DAYS = 2
_SMALLEST_RING = 3


@dataclass(frozen=True)
class Kind:
    """One kind of fraud, or one unusual honest kind: its name, its code in the detection study, and what sort of affiliate can play it.

    `typology` is the contract's name for the fraud (empty for honest kinds). `trades` limits the type of affiliate and `payout_model`
    the offers, `no_paid_search` to those that forbid it; empty is no limit. `when` says from when it acts: `either` (half from the first
    day, half since shortly before the window), `window` (tonight only), `always`. Members of a kind with a `ring_size` play together. A
    `newcomer_days` above 0 joined that many days before the end.
    """

    name: str
    code: str
    typology: str = ""
    trades: tuple[str, ...] = ()
    payout_model: str = ""
    no_paid_search: bool = False
    when: str = "either"
    newcomer_days: int = 0
    ring_size: int = 0

    def promotes(self, payout_model: str, paid_search: bool) -> bool:
        """Whether an affiliate that plays this promotes an offer of that payout model, which allows paid search or not."""
        return self.payout_model in ("", payout_model) and not (self.no_paid_search and paid_search)

    @property
    def bad(self) -> bool:
        """Whether this kind is fraud."""
        return bool(self.typology)


@dataclass(frozen=True)
class Role:
    """A kind that an affiliate plays, how strongly, since when (microseconds), and in which ring, if any."""

    kind: Kind
    intensity: float
    onset_us: int
    ring_id: str | None = None


def chosen_kinds(asked: Sequence[str], kinds: Sequence[Kind]) -> tuple[Kind, ...]:
    """The kinds of those names or codes (all of them when none is asked for); an unknown one is an `InputError` that lists what
    there is.
    """
    known = {key.lower(): kind for kind in kinds for key in (kind.name, kind.code)}
    for name in asked:
        if name.lower() not in known:
            raise InputError(f"Cannot simulate: there is no kind {name!r}; choose from {', '.join(sorted(kind.name for kind in kinds))}.")
    return tuple(dict.fromkeys(known[name.lower()] for name in asked)) if asked else tuple(kinds)


def cast(spec: SimulationSpec, kinds: Sequence[Kind]) -> Mapping[int, Role]:
    """Who plays what: affiliate number to role. Kinds are spread evenly, but a ring takes its whole size; everybody else is ordinary.

    A kind that takes a ring is left out where too few would play it, unless it is the only one.
    """
    rng = stream(spec.seed, "cast")
    everyone = rng.permutation(spec.affiliates).tolist()
    roles: dict[int, Role] = {}
    for bad, share in ((True, spec.bad_share), (False, spec.hard_share)):
        pool = [kind for kind in kinds if kind.bad is bad]
        wanted = _headcount(share, spec.affiliates - len(roles), spec.affiliates) if pool else 0
        for place, (kind, count) in enumerate(_parts(pool, wanted)):
            rings = _rings(kind, count)
            for turn in range(count):
                group = turn % rings if rings else turn
                # A kind that one affiliate plays begins at the start or late by the seed, so that several seeds hold both.
                onset = _onset(spec, kind, group + place + spec.seed, stream(spec.seed, "onset", kind.name, group))
                ring_id = stable_id("ring", "simulated", str(spec.seed), kind.name, str(group)) if rings else None
                roles[everyone[len(roles)]] = Role(kind, spec.intensity if bad else 1.0, onset, ring_id)
    return roles


def _parts(pool: Sequence[Kind], wanted: int) -> list[tuple[Kind, int]]:
    """How many play each kind: evenly, rings whole first where they are no more than their turn's double."""
    if wanted < _SMALLEST_RING * len(pool):
        pool = [kind for kind in pool if not kind.ring_size] or pool
    counts = dict.fromkeys(pool, 0)
    for kind in pool:
        if kind.ring_size and wanted < 2 * kind.ring_size * len(pool):
            counts[kind] = min(kind.ring_size, wanted)
    for place in range(wanted - sum(counts.values())):
        least = min(pool, key=lambda kind: (counts[kind], (pool.index(kind) - place) % len(pool)))
        counts[least] += 1
    return [(kind, count) for kind, count in counts.items() if count]


def _rings(kind: Kind, members: int) -> int:
    """How many rings so many members make; 0 for a kind that everybody plays alone."""
    return max(1, round(members / kind.ring_size)) if kind.ring_size else 0


def _headcount(share: float, left: int, affiliates: int) -> int:
    """That share of all affiliates, at least one where any are asked for, at most those who are left."""
    return min(left, max(1, round(share * affiliates))) if share > 0 else 0


def _onset(spec: SimulationSpec, kind: Kind, turn: int, rng: np.random.Generator) -> int:
    """Alternates within a kind between the first day and up to two days before the window, where there are so many days."""
    before = int(rng.integers(0, _ONSET_SPREAD_DAYS + 1))
    if kind.newcomer_days:
        return max(spec.start_us, spec.end_us - kind.newcomer_days * DAY_US)
    if kind.when == "window":
        return spec.window_us
    if spec.onset_days is not None and kind.bad:
        return spec.end_us - int(spec.onset_days * DAY_US)
    if kind.when == "always" or turn % 2 == 0:
        return spec.start_us
    return max(spec.start_us, spec.window_us - before * DAY_US)
