"""Conditions that can never be true: found by the ranges that their numbers are held to, and by checks that are switched off."""

from __future__ import annotations

import ast
from collections.abc import Collection
from dataclasses import dataclass

from fraud.policy.expressions import Kind, Vocabulary

_FLIPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE, ast.Eq: ast.Eq}


@dataclass
class _Range:
    """Where a number may still lie; `open_below` and `open_above` when the bound itself is excluded."""

    least: float
    most: float
    open_below: bool = False
    open_above: bool = False

    @property
    def is_empty(self) -> bool:
        return self.least > self.most or (self.least == self.most and (self.open_below or self.open_above))

    def narrow(self, op: type[ast.cmpop], bound: float) -> None:
        if op in {ast.Gt, ast.GtE, ast.Eq} and bound >= self.least:
            self.open_below = op is ast.Gt or (self.open_below and bound == self.least)
            self.least = bound
        if op in {ast.Lt, ast.LtE, ast.Eq} and bound <= self.most:
            self.open_above = op is ast.Lt or (self.open_above and bound == self.most)
            self.most = bound


def impossible(text: str, vocabulary: Vocabulary, switched_off: Collection[str]) -> str:
    """Why a condition (one that was parsed already) can never be true; empty when nothing speaks against it.

    `switched_off` are the checks that cannot find anything. What is joined by `and` is judged together, each side of an `or` alone.
    """
    return _why(ast.parse(text.strip(), mode="eval").body, vocabulary, switched_off)


def _why(node: ast.expr, vocabulary: Vocabulary, switched_off: Collection[str]) -> str:
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
        reasons = [_why(value, vocabulary, switched_off) for value in node.values]
        return reasons[0] if all(reasons) else ""
    parts = _joined(node)
    nested = (_why(part, vocabulary, switched_off) for part in parts if isinstance(part, ast.BoolOp))
    return next((why for why in nested if why), "") or _off(parts, switched_off) or _empty(parts, vocabulary)


def _joined(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
        return [part for value in node.values for part in _joined(value)]
    return [node]


def _off(parts: list[ast.expr], switched_off: Collection[str]) -> str:
    for part in parts:
        match part:
            case ast.Compare(left=ast.Constant(value=str(check)), ops=[ast.In()], comparators=[ast.Name(id="findings" | "conclusive")]):
                if check in switched_off:
                    return f"the check {check!r} is switched off, so it never finds anything"
            case ast.Constant(value=False):
                return "it says false"
    return ""


def _empty(parts: list[ast.expr], vocabulary: Vocabulary) -> str:
    ranges: dict[str, _Range] = {}
    for part in parts:
        for name, op, bound in _bounds(part):
            known = vocabulary.get(name)
            if known is None or known.kind is not Kind.NUMBER:
                continue
            held = ranges.setdefault(name, _Range(known.least, known.most))
            if _outside(held, op, bound):
                return f"{name} cannot be {_words(op)} {bound:g}" + _limits(held)
            held.narrow(op, bound)
            if held.is_empty:
                return f"nothing is left for {name}"
    return ""


def _outside(held: _Range, op: type[ast.cmpop], bound: float) -> bool:
    probe = _Range(held.least, held.most, held.open_below, held.open_above)
    below = bound < held.least and op in {ast.Lt, ast.LtE, ast.Eq}
    above = bound > held.most and op in {ast.Gt, ast.GtE, ast.Eq}
    probe.narrow(op, bound)
    return below or above or probe.is_empty


def _limits(held: _Range) -> str:
    return f" while it lies between {held.least:g} and {held.most:g}"


def _words(op: type[ast.cmpop]) -> str:
    return {ast.Lt: "below", ast.LtE: "at most", ast.Gt: "above", ast.GtE: "at least", ast.Eq: "exactly"}[op]


def _bounds(node: ast.expr) -> list[tuple[str, type[ast.cmpop], float]]:
    """The comparisons of one name with one number that a node makes."""
    if not isinstance(node, ast.Compare):
        return []
    operands = [node.left, *node.comparators]
    found = []
    for op, left, right in zip(node.ops, operands[:-1], operands[1:], strict=True):
        kind, flipped = type(op), _FLIPPED.get(type(op))
        if flipped is None:
            continue
        if isinstance(left, ast.Name | ast.Attribute) and (number := _number(right)) is not None:
            found.append((ast.unparse(left), kind, number))
        elif isinstance(right, ast.Name | ast.Attribute) and (number := _number(left)) is not None:
            found.append((ast.unparse(right), flipped, number))
    return found


def _number(node: ast.expr) -> float | None:
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return float(value)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)) if not isinstance(value, bool):
            return -float(value)
    return None
