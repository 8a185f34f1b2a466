"""The style rules of a page that bear on whether something can be seen: which apply to an element, and how sure that is.

Read are rules of `<style>` elements with tags, classes, ids, attributes, and descendants or children of such. Rules under a condition
(`@media (max-width: …)`, `:hover`, `@supports`) never hide anything here; they make what the others say uncertain.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from selectolax.lexbor import LexborNode

from crawlers.reading.style import Style, declarations, unescaped, why_contents_hidden, why_hidden, without_comments

MOST_RULES = 2_000
"""Rules that are kept of a page."""
MOST_STYLE = 500_000
"""Characters of style rules that are read of a page: large sites put some 200,000 into it."""
MOST_KNOWN = 20_000
"""Kinds of element (tag, class, id) whose style is remembered."""
MOST_COMPARISONS = 100_000
"""Comparisons of a rule with an element on one page; a second's work for a hostile one, and more than honest pages need."""
MOST_PARENTS = 100
COST_OF_PARENTS = 20
"""Comparisons that looking at what stands around an element counts for."""
MOST_SELECTOR = 300

SEEING = re.compile(
    r"display|visibility|opacity|filter|position|inset|left|top|right|bottom|width|height|margin|transform|translate|scale|zoom|clip|overflow"
)
BRACE = re.compile(r"[{}]")
PLAIN_MEDIA = re.compile(r"@(?:media\s+(?:only\s+)?(?:screen|all)|layer(?:\s[^{;]*)?)\s*\Z", re.IGNORECASE)
NEVER_ON_SCREEN = re.compile(
    r"@media\s+(?:only\s+)?(?:print|speech)\b[^,]*\Z|@(?:font-face|(?:-\w+-)?keyframes|page|property)\b", re.IGNORECASE
)
COMPOUND = re.compile(r"(\*|[a-z][a-z0-9-]{0,30})?((?:[.#][\w-]{1,80}|\[[^\[\]]{1,100}\])*)\Z", re.IGNORECASE)
PART = re.compile(r"([.#])([\w-]+)|\[\s*([\w-]+)\s*(?:([~|^$*]?=)\s*[\"']?([^\"'\]]*?)[\"']?\s*)?\]")
PSEUDO = re.compile(r"::?[\w-]+(?:\([^()]*\))?")
COMBINATOR = re.compile(r"\s*>\s*|\s+")

CONDITIONAL = "a rule of the page that holds under a condition hides it"
SHOWN_ELSEWHERE = "another rule of the page shows it"
NOT_ITS_OWN_RULE = "the rule that hides it was not made for it alone"

Attributes = Mapping[str, str | None]


class Compound(NamedTuple):
    """A selector without combinators (`iframe.ad#x[src]`)."""

    tag: str
    classes: frozenset[str]
    id: str
    attributes: tuple[tuple[str, str, str], ...]

    def fits(self, tag: str, attributes: Attributes) -> bool:
        """Say whether an element is meant."""
        if self.tag not in {"", tag} or self.id not in {"", attributes.get("id") or ""}:
            return False
        if self.classes and not self.classes <= set((attributes.get("class") or "").split()):
            return False
        return all(_has(attributes, *wanted) for wanted in self.attributes)


class Rule(NamedTuple):
    """What a selector's last compound (`subject`, inside `above`) is given; `sure` says that no condition stands around it."""

    subject: Compound
    above: tuple[Compound, ...]
    style: Style
    sure: bool
    weight: tuple[int, int, int, int]

    @property
    def own(self) -> bool:
        """Whether it is made for a class or id, wherever the element stands."""
        return not self.above and not self.subject.attributes and bool(self.subject.classes or self.subject.id)


@dataclass(frozen=True)
class Applied:
    """The style of an element by the rules, what of it rests on rules of its own, and the rules that may change it.

    The same object serves all elements of one kind, so that what follows from it is worked out once.
    """

    style: Style
    own: Style
    others: tuple[Rule, ...]

    @cached_property
    def hidden(self) -> str:
        """By what means these rules alone hide an element, '' when they do not."""
        return why_hidden(self.style) if self.style else ""

    @cached_property
    def hidden_contents(self) -> str:
        """By what means these rules alone hide what is inside an element, '' when they do not."""
        return why_contents_hidden(self.style) if self.style else ""

    @cached_property
    def doubtful(self) -> str:
        """Why that is not certain for an element without a style of its own, '' when it is."""
        return self.doubt({}, self.hidden)

    def doubt(self, inline: Style, hidden: str) -> str:
        """Return why it is not certain that the element is hidden (or, where `hidden` is '', that it is seen); '' when it is."""
        whole = _cascaded([self.style, inline])
        if not hidden:
            hides = any(why_hidden(_cascaded([self.style, rule.style, inline])) for rule in self.others)
            return CONDITIONAL if hides else ""
        if any(not why_hidden(_cascaded([self.style, rule.style, inline])) for rule in self.others):
            return SHOWN_ELSEWHERE
        return "" if not why_hidden(whole) or why_hidden(_cascaded([self.own, inline])) else NOT_ITS_OWN_RULE

    def with_inline(self, inline: Style) -> Style:
        """Return the whole style, the element's own included."""
        return _cascaded([self.style, inline]) if self.style else inline


NOTHING_APPLIES = Applied({}, {}, ())


def rules_of(sheets: list[str]) -> list[Rule]:
    """Return the rules that bear on being seen, of the first 500,000 characters, at most 2,000."""
    found: list[Rule] = []
    left = MOST_STYLE
    for sheet in sheets:
        for selectors, body, sure in _blocks(without_comments(sheet[:left]), True):
            style = {
                name: value
                for name, value in declarations(body).items()
                if SEEING.match(name.removeprefix("max-").removeprefix("-webkit-"))
            }
            for selector in selectors.split(",") if style else ():
                rule = _rule(selector.strip(), style, sure, len(found))
                found += [rule] if rule else []
                if len(found) >= MOST_RULES:
                    return found
        left -= len(sheet)
        if left <= 0:
            break
    return found


class Sheet:
    """The rules of a page, found by class, id or tag. `exhausted` says that the page asked for more comparisons than are made."""

    def __init__(self, rules: list[Rule]) -> None:
        self._by_name: dict[str, list[Rule]] = {}
        self._costs: dict[str, int] = {}
        self._left = MOST_COMPARISONS
        self._known: dict[tuple[str, str | None, str | None], Applied] = {}
        self.exhausted = len(rules) >= MOST_RULES
        for rule in rules:
            for name in _names(rule.subject):
                self._by_name.setdefault(name, []).append(rule)
                self._costs[name] = self._costs.get(name, 0) + (COST_OF_PARENTS if rule.above else 1)

    def applied(self, node: LexborNode, tag: str, attributes: Attributes) -> Applied:
        """Return what the rules say of an element."""
        if not self._by_name:
            return NOTHING_APPLIES
        key = (tag, attributes.get("class"), attributes.get("id"))
        known = self._known.get(key)
        if known is None:
            near = self._near(tag, attributes)
            known = self._applied(near, node, tag, attributes)
            if not any(rule.above or rule.subject.attributes for rule in near) and len(self._known) < MOST_KNOWN:
                self._known[key] = known
        return known

    def _applied(self, near: list[Rule], node: LexborNode, tag: str, attributes: Attributes) -> Applied:
        if not near:
            return NOTHING_APPLIES
        fitting = [rule for rule in near if rule.sure and rule.subject.fits(tag, attributes) and _stands_in(node, rule.above)]
        others = tuple(rule for rule in near if rule not in fitting and rule.subject.tag in {"", tag})
        return Applied(
            _cascaded([rule.style for rule in fitting]),
            _cascaded([rule.style for rule in fitting if rule.own]),
            _relevant(others, tag, attributes),
        )

    def _near(self, tag: str, attributes: Attributes) -> list[Rule]:
        """Return the rules that share a name with the element, weakest first."""
        if not self._by_name:
            return []
        classes = (attributes.get("class") or "").split()[:50]
        found: dict[int, Rule] = {}
        for name in ("*", tag, f"#{attributes.get('id') or ''}", *(f".{one}" for one in classes)):
            rules = self._by_name.get(name, ())
            cost = self._costs.get(name, 0)
            if cost > self._left:
                self.exhausted = True
                return []
            self._left -= cost
            found.update((rule.weight[3], rule) for rule in rules)
        return sorted(found.values(), key=lambda rule: rule.weight)


def _relevant(others: tuple[Rule, ...], tag: str, attributes: Attributes) -> tuple[Rule, ...]:
    """Leave out rules that only concern elements elsewhere: they hide others, or hold for a tag alone."""
    kept = []
    for rule in others:
        could = not rule.sure and rule.subject.fits(tag, attributes)
        shows = bool(rule.subject.classes or rule.subject.id) and not why_hidden(rule.style)
        if could or shows:
            kept.append(rule)
    return tuple(kept)[:50]


def _cascaded(styles: list[Style]) -> Style:
    """Return the declarations that win: the later ones, but important ones first."""
    merged: dict[str, str] = {}
    for style in styles:
        for name, value in style.items():
            if "!important" in value or "!important" not in merged.get(name, ""):
                merged[name] = value
    return merged


def _blocks(sheet: str, sure: bool) -> Iterator[tuple[str, str, bool]]:
    """Yield selectors, body and whether it holds without a condition; what holds for printers only is left out."""
    depth, start, opened = 0, 0, 0
    for brace in BRACE.finditer(sheet):
        if brace.group(0) == "{":
            opened = brace.start() if depth == 0 else opened
            depth += 1
        elif depth == 1:
            head, body = sheet[start:opened].rpartition(";")[2].strip(), sheet[opened + 1 : brace.start()]
            if not head.startswith("@"):
                yield head, body, sure
            elif not NEVER_ON_SCREEN.match(head):
                yield from _inside(body, sure and PLAIN_MEDIA.match(head) is not None)
            depth, start = 0, brace.end()
        elif depth:
            depth -= 1


def _inside(body: str, sure: bool) -> Iterator[tuple[str, str, bool]]:
    """Yield what stands in an at-rule; in one inside another everything holds under a condition."""
    for head, inner, _sure in _flat(body):
        yield head, inner, sure and not _sure


def _flat(body: str) -> Iterator[tuple[str, str, bool]]:
    """Yield the innermost blocks of an at-rule's body and whether they are nested deeper."""
    depth, start = 0, 0
    for brace in BRACE.finditer(body):
        text = body[start : brace.start()].strip()
        if brace.group(0) == "{":
            head, depth = text.rpartition(";")[2].strip(), depth + 1
        elif depth:
            depth -= 1
            if text:
                yield head, text, depth > 0
        start = brace.end()


def _rule(selector: str, style: Style, sure: bool, number: int) -> Rule | None:
    selector = unescaped(selector)[:MOST_SELECTOR]
    plain = PSEUDO.sub("", selector)
    if not plain or "::" in selector or "+" in plain or "~ " in plain or " ~" in plain:
        return None
    compounds = [_compound(part) for part in COMBINATOR.split(plain) if part]
    known = [compound for compound in compounds if compound is not None]
    if not known or len(known) != len(compounds):
        return None
    names = sum(len(one.classes) + len(one.attributes) for one in known)
    weight = (sum(bool(one.id) for one in known), names, sum(bool(one.tag) for one in known), number)
    return Rule(known[-1], tuple(known[:-1]), style, sure and plain == selector, weight)


def _compound(text: str) -> Compound | None:
    match = COMPOUND.match(text)
    if match is None:
        return None
    parts = PART.findall(match.group(2))
    tag = (match.group(1) or "").lower()
    return Compound(
        "" if tag == "*" else tag,
        frozenset(name for mark, name, *_rest in parts if mark == "."),
        next((name for mark, name, *_rest in parts if mark == "#"), ""),
        tuple((name.lower(), sign, value) for mark, _name, name, sign, value in parts if not mark),
    )


def _names(compound: Compound) -> list[str]:
    names = [f".{name}" for name in compound.classes] + ([f"#{compound.id}"] if compound.id else [])
    return names or [compound.tag or "*"]


def _has(attributes: Attributes, name: str, sign: str, value: str) -> bool:
    if name not in attributes:
        return False
    given = attributes[name] or ""
    tests = {"": True, "=": given == value, "~=": value in given.split(), "|=": given.partition("-")[0] == value}
    tests |= {"^=": given.startswith(value), "$=": given.endswith(value), "*=": value in given}
    return tests[sign]


def _stands_in(node: LexborNode, above: tuple[Compound, ...]) -> bool:
    """Say whether the element stands in these, outermost first; a child counts as any descendant."""
    wanted, parent = list(above), node.parent
    for _step in range(MOST_PARENTS):
        if not wanted or parent is None:
            break
        if parent.is_element_node and wanted[-1].fits(parent.tag or "", parent.attributes):
            wanted.pop()
        parent = parent.parent
    return not wanted
