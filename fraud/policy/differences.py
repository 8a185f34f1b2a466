"""What differs between two packs, value by value, as a person who publishes one reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import msgspec

from fraud.domain.catalogue import CHECKS
from fraud.policy.pack import CheckPolicy, Pack
from fraud.policy.rules import Rule

ABSENT = "absent"
_SECTIONS = {
    "severity_strength": "Strength",
    "family_caps": "Cap of a family",
    "vetting": "Vetting",
    "scan": "Scan",
    "score": "Clicks",
    "terms": "Terms",
}
"""The parts of a pack beside its checks and rules, and what they are called."""


@dataclass(frozen=True)
class Change:
    """One value that differs between two packs, with the reason that the newer one gives for it."""

    where: str
    then: str
    now: str
    reason: str = ""


def changes_between(live: Pack, proposed: Pack) -> list[Change]:
    """Every value, term, loss, weight, threshold, switch and rule that differs, in the packs' order."""
    return [*_part_changes(live, proposed), *_check_changes(live, proposed), *_rule_changes(live, proposed)]


def _part_changes(live: Pack, proposed: Pack) -> Iterator[Change]:
    for part, title in _SECTIONS.items():
        before, after = dict(_values(getattr(live, part))), dict(_values(getattr(proposed, part)))
        for path in dict.fromkeys([*before, *after]):
            if path[-1] != "reason" and before.get(path) != after.get(path):
                reason = after.get((*path[:-1], "reason"), "")
                yield Change(f"{title}: {_spoken(path)}", _said(before.get(path)), _said(after.get(path)), str(reason))


def _values(part: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value of a part, by its path; defaults are values like others."""
    inside = msgspec.structs.asdict(part) if isinstance(part, msgspec.Struct) else part
    if not isinstance(inside, Mapping):
        yield path, inside
        return
    for name, value in inside.items():
        yield from _values(value, (*path, name.value if isinstance(name, Enum) else str(name)))


def _check_changes(live: Pack, proposed: Pack) -> Iterator[Change]:
    for name, after in proposed.checks.items():
        before = live.checks.get(name)
        yield from [Change(f"{_title(name)}: new check", ABSENT, "present")] if before is None else _one_check(name, before, after)
    for name in live.checks:
        if name not in proposed.checks:
            yield Change(f"{_title(name)}: check removed", "present", ABSENT)


def _one_check(name: str, before: CheckPolicy, after: CheckPolicy) -> Iterator[Change]:
    for field, label in (
        ("weight", "weight"),
        ("clear_weight", "weight of a clear result"),
        ("coverage", "share in the coverage"),
        ("enabled", "on"),
    ):
        then, now = getattr(before, field), getattr(after, field)
        if then != now:
            yield Change(f"{_title(name)}: {label}", _said(then), _said(now))
    for key in dict.fromkeys([*before.thresholds, *after.thresholds]):
        was, will = before.thresholds.get(key), after.thresholds.get(key)
        if (was and was.value) != (will and will.value):
            yield Change(
                f"{_title(name)}: {_spoken((key,))}", _said(was and was.value), _said(will and will.value), will.reason if will else ""
            )


def _rule_changes(live: Pack, proposed: Pack) -> Iterator[Change]:
    then, now = {rule.id: rule for rule in live.rules}, {rule.id: rule for rule in proposed.rules}
    for name in dict.fromkeys([*then, *now]):
        if then.get(name) != now.get(name):
            yield Change(f"Rule {name}", _rule(then.get(name)), _rule(now.get(name)))


def _rule(rule: Rule | None) -> str:
    if rule is None:
        return ABSENT
    bound = f"at least {rule.at_least.value}" if rule.at_least else f"at most {rule.at_most.value}" if rule.at_most else ""
    return f"{rule.when} → {bound}{'' if rule.enabled else ' (off)'}"


def _title(check_id: str) -> str:
    return CHECKS[check_id].title if check_id in CHECKS else check_id


def _spoken(path: tuple[str, ...]) -> str:
    return ", ".join(part.replace("_", " ") for part in path)


def _said(value: Any) -> str:
    if value is None:
        return ABSENT
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple | list):
        return "; ".join(str(one) for one in value) or "none"
    return f"{value:g}" if isinstance(value, int | float) else str(value)
