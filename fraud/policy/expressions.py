"""The language of rules: comparisons, sets and arithmetic over named facts; no loops, no calls but the five below, nothing that can fail.

An unknown fact makes what is said about it unknown (Kleene's three values), and a rule fires only when its condition is true. Expressions
are checked whole when a pack is loaded: names, types, and whether they can ever be true.
"""

from __future__ import annotations

import ast
import difflib
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

LONGEST = 2_000
MOST_NODES = 300
"""Longer conditions are several rules in one; the bounds also keep reading a pack fast."""


class Kind(StrEnum):
    """What a value is."""

    NUMBER = "number"
    TEXT = "text"
    BOOLEAN = "yes or no"
    TEXTS = "set of texts"


Value = float | str | bool | frozenset[str] | None
"""A fact; `None` is unknown."""

Facts = Mapping[str, Value]
"""Facts by name; a name that is absent is unknown."""


@dataclass(frozen=True)
class Name:
    """A fact that rules may speak of: its kind, its meaning, and for a number the range it lies in."""

    kind: Kind
    doc: str
    least: float = float("-inf")
    most: float = float("inf")


Vocabulary = Mapping[str, Name]


class ExpressionFault(ValueError):
    """Why a text is no condition; `message` is one sentence for whoever wrote it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True)
class Expression:
    """A condition that was checked against a vocabulary."""

    text: str
    names: frozenset[str]
    _step: Callable[[Facts], Any]

    def holds(self, facts: Facts) -> bool | None:
        """Whether the condition is true of these facts; `None` when that cannot be known."""
        found = self._step(facts)
        return None if found is None else bool(found)


@dataclass(frozen=True)
class _Part:
    """A piece of an expression: its kind and how its value is found. Constants carry their value."""

    kind: Kind
    step: Callable[[Facts], Any]
    constant: Any = None
    is_constant: bool = False


def parse(text: str, vocabulary: Vocabulary) -> Expression:
    """The condition that a text says. Raises `ExpressionFault` for what is no condition over this vocabulary."""
    if len(text) > LONGEST:
        raise ExpressionFault(f"The condition has more than {LONGEST:,} characters; make several rules of it.")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as fault:
        raise ExpressionFault(f"The condition cannot be read: {getattr(fault, 'msg', None) or fault}.") from fault
    if sum(1 for _ in ast.walk(tree)) > MOST_NODES:
        raise ExpressionFault(f"The condition has more than {MOST_NODES} parts; make several rules of it.")
    reader = _Reader(vocabulary)
    part = reader.read(tree)
    if part.kind is not Kind.BOOLEAN:
        raise ExpressionFault(f"The condition is a {part.kind.value}, but must be true or false: compare it with something.")
    return Expression(text, frozenset(reader.names), part.step)


_ORDER: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_EQUAL: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {ast.Eq: operator.eq, ast.NotEq: operator.ne}
_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float | None]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda a, b: a / b if b else None,
}
_SETS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {ast.BitAnd: operator.and_, ast.BitOr: operator.or_}


class _Reader:
    """Turns a syntax tree into typed parts."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self.names: set[str] = set()

    def read(self, node: ast.expr) -> _Part:
        """The part that a node says; `ExpressionFault` for anything that the language does not have."""
        match node:
            case ast.BoolOp():
                return self._boolean(node)
            case ast.UnaryOp():
                return self._unary(node)
            case ast.Compare():
                return self._compare(node)
            case ast.BinOp():
                return self._binary(node)
            case ast.Call():
                return self._call(node)
            case ast.Name() | ast.Attribute():
                return self._name(node)
            case ast.Constant():
                return _constant(node.value)
            case ast.Set() | ast.List() | ast.Tuple():
                return self._set(node)
        raise ExpressionFault(f"{ast.unparse(node)!r} is not part of the language of rules; it has comparisons, sets and arithmetic.")

    def _boolean(self, node: ast.BoolOp) -> _Part:
        parts = [self._wanted(value, Kind.BOOLEAN) for value in node.values]
        decisive = isinstance(node.op, ast.Or)

        def step(facts: Facts) -> bool | None:
            found = [part.step(facts) for part in parts]
            if decisive in found:
                return decisive
            return None if None in found else not decisive

        return _Part(Kind.BOOLEAN, step)

    def _unary(self, node: ast.UnaryOp) -> _Part:
        if isinstance(node.op, ast.Not):
            negated = self._wanted(node.operand, Kind.BOOLEAN)
            return _Part(Kind.BOOLEAN, lambda facts: None if (value := negated.step(facts)) is None else not value)
        if isinstance(node.op, ast.USub):
            number = self._wanted(node.operand, Kind.NUMBER)
            constant = -number.constant if number.is_constant else None
            return _Part(Kind.NUMBER, lambda facts: None if (value := number.step(facts)) is None else -value, constant, number.is_constant)
        raise ExpressionFault(f"{ast.unparse(node)!r} is not part of the language of rules.")

    def _compare(self, node: ast.Compare) -> _Part:
        operands = [self.read(value) for value in (node.left, *node.comparators)]
        pairs = [
            _compared(op, left, right, ast.unparse(node)) for op, left, right in zip(node.ops, operands[:-1], operands[1:], strict=True)
        ]

        def step(facts: Facts) -> bool | None:
            found = [pair(facts) for pair in pairs]
            if False in found:
                return False
            return None if None in found else True

        return _Part(Kind.BOOLEAN, step)

    def _binary(self, node: ast.BinOp) -> _Part:
        numbers, sets = _ARITHMETIC.get(type(node.op)), _SETS.get(type(node.op))
        if numbers is not None:
            return _Part(Kind.NUMBER, _both(numbers, self._wanted(node.left, Kind.NUMBER), self._wanted(node.right, Kind.NUMBER)))
        if sets is not None:
            return _Part(Kind.TEXTS, _both(sets, self._wanted(node.left, Kind.TEXTS), self._wanted(node.right, Kind.TEXTS)))
        raise ExpressionFault(f"{ast.unparse(node)!r} is not part of the language of rules; it has +, -, *, / and, for sets, & and |.")

    def _call(self, node: ast.Call) -> _Part:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if node.keywords or name not in {"known", "size", "min", "max", "abs"}:
            raise ExpressionFault(f"There is no function {ast.unparse(node.func)!r}; there are known, size, min, max and abs.")
        if name == "known":
            (about,) = self._arguments(node, name, 1, None)
            return _Part(Kind.BOOLEAN, lambda facts: about.step(facts) is not None)
        if name == "size":
            (texts,) = self._arguments(node, name, 1, Kind.TEXTS)
            return _Part(Kind.NUMBER, lambda facts: None if (value := texts.step(facts)) is None else float(len(value)))
        if name == "abs":
            (number,) = self._arguments(node, name, 1, Kind.NUMBER)
            return _Part(Kind.NUMBER, lambda facts: None if (value := number.step(facts)) is None else abs(value))
        left, right = self._arguments(node, name, 2, Kind.NUMBER)
        return _Part(Kind.NUMBER, _both(min if name == "min" else max, left, right))

    def _arguments(self, node: ast.Call, name: str, count: int, kind: Kind | None) -> list[_Part]:
        if len(node.args) != count:
            raise ExpressionFault(f"{name} takes {count} {'value' if count == 1 else 'values'}, and {len(node.args)} are given.")
        return [self.read(value) if kind is None else self._wanted(value, kind) for value in node.args]

    def _name(self, node: ast.Name | ast.Attribute) -> _Part:
        name = ast.unparse(node)
        known = self._vocabulary.get(name)
        if known is None:
            raise ExpressionFault(f"There is no fact {name!r}{_nearest(name, self._vocabulary)}.")
        self.names.add(name)
        return _Part(known.kind, lambda facts: facts.get(name))

    def _set(self, node: ast.Set | ast.List | ast.Tuple) -> _Part:
        parts = [self.read(value) for value in node.elts]
        if not all(part.is_constant and part.kind is Kind.TEXT for part in parts):
            raise ExpressionFault(f"{ast.unparse(node)!r}: a set holds texts in quotes.")
        texts = frozenset(part.constant for part in parts)
        return _Part(Kind.TEXTS, lambda facts: texts, texts, is_constant=True)

    def _wanted(self, node: ast.expr, kind: Kind) -> _Part:
        part = self.read(node)
        if part.kind is not kind:
            raise ExpressionFault(f"{ast.unparse(node)!r} is a {part.kind.value}, where a {kind.value} is needed.")
        return part


def _constant(value: object) -> _Part:
    match value:
        case bool():
            return _Part(Kind.BOOLEAN, lambda facts: value, value, is_constant=True)
        case int() | float():
            number = float(value)
            return _Part(Kind.NUMBER, lambda facts: number, number, is_constant=True)
        case str():
            return _Part(Kind.TEXT, lambda facts: value, value, is_constant=True)
    raise ExpressionFault(f"{value!r} is not part of the language of rules.")


def _compared(op: ast.cmpop, left: _Part, right: _Part, text: str) -> Callable[[Facts], Any]:
    if isinstance(op, ast.In | ast.NotIn):
        if left.kind is not Kind.TEXT or right.kind is not Kind.TEXTS:
            raise ExpressionFault(f"{text!r}: `in` asks whether a text is in a set of texts.")
        contains = _both(lambda one, many: one in many, left, right)
        return contains if isinstance(op, ast.In) else lambda facts: None if (value := contains(facts)) is None else not value
    if left.kind is not right.kind:
        raise ExpressionFault(f"{text!r} compares a {left.kind.value} with a {right.kind.value}.")
    order, equal = _ORDER.get(type(op)), _EQUAL.get(type(op))
    if order is not None and left.kind is Kind.NUMBER:
        return _both(order, left, right)
    if equal is not None:
        return _both(equal, left, right)
    raise ExpressionFault(f"{text!r}: only numbers are larger or smaller; ask with ==, != or in.")


def _both(operation: Callable[[Any, Any], Any], left: _Part, right: _Part) -> Callable[[Facts], Any]:
    """The operation where both sides are known, else unknown."""

    def step(facts: Facts) -> Any:
        first, second = left.step(facts), right.step(facts)
        return None if first is None or second is None else operation(first, second)

    return step


def _nearest(name: str, vocabulary: Vocabulary) -> str:
    close = difflib.get_close_matches(name, list(vocabulary), 1)
    return f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(sorted(n for n in vocabulary if '.' not in n))}"
