"""Where things stand in a YAML file: so that an error can name the line."""

from __future__ import annotations

import re

import yaml

Path = tuple[str | int, ...]

_STEP = re.compile(r"\.([A-Za-z_][\w]*)|\[(\d+)\]|\[\.\.\.\]")


def line_of(text: bytes, path: Path) -> int:
    """The line (from 1) of what a path of keys and places leads to, or of the last thing on the way that is there."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as fault:
        mark = getattr(fault, "problem_mark", None)
        return mark.line + 1 if mark else 1
    line = 1
    for step in path:
        found = _child(node, step)
        if found is None:
            break
        line, node = found
    return line


def path_in(message: str) -> Path:
    """The path that a msgspec message names (`… - at `$.rules[2].when``), as far as it names one."""
    place = re.search(r" - at `(?:key in )?\$([^`]*)`$", message)
    if place is None:
        return ()
    steps: list[str | int] = []
    for name, number in (match.groups() for match in _STEP.finditer(place[1])):
        if name is None and number is None:
            break  # msgspec does not say which key it was
        steps.append(name if name is not None else int(number))
    return tuple(steps)


def _child(node: yaml.Node | None, step: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        return next(((key.start_mark.line + 1, value) for key, value in node.value if key.value == str(step)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step].start_mark.line + 1, node.value[step]
    return None
