"""From the text of a cell to its typed value, as SQL: what is accepted, and the reason in plain words when it is not.

The connection's `TimeZone` must be UTC, which is what a time without a zone means.
"""

from __future__ import annotations

from fraud.events.tables import Column, Type

_ISO = r"\d{4}-\d{1,2}-\d{1,2}([T ]\d{1,2}:\d{2}(:\d{2}(\.\d{1,9})?)?( ?(Z|z|UTC|[+-]\d{2}(:?\d{2})?))?)?"
_PLAIN = r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z?"
_EPOCH = r"\d{1,19}(\.\d{1,9})?"
_INTEGER = r"\d{1,15}(\.0+)?"
_SHORTENED = r"(\d)(?:\.(\d{1,15}))?[eE]\+?(\d{1,2})"
_DECIMAL = r"[+-]?(\d{1,14}(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?"
_COMMA = r"[+-]?(\d{1,14},(\d{1,2}|\d{4,})|\d{1,3}(\.\d{3})+,\d+)"
_GROUPED = r"[+-]?(\d{1,3}(,\d{3})+\.\d*|\d{1,3}(,\d{3}){2,})"
_TRUE = ("true", "t", "yes", "y", "1")
_FALSE = ("false", "f", "no", "n", "0")

_TWELVE_HOURS = r"\d{4}-\d{1,2}-\d{1,2} \d{1,2}:\d{2}(:\d{2})? ?[AaPp][Mm]"

_TWELVE_HOUR_FORMATS = "['%Y-%m-%d %I:%M:%S %p', '%Y-%m-%d %I:%M %p', '%Y-%m-%d %I:%M:%S%p', '%Y-%m-%d %I:%M%p']"

NUL_MARK = "\ufdd0"
"""Stands for a NUL character in text that was copied; a code point that Unicode reserves for a program's own use."""

EARLIEST, LATEST = "1990-01-01", "2100-01-01"
"""Times outside are typing errors or numbers that are no time: affiliate marketing began in 1989 at the earliest."""

SECONDS_BELOW, MILLISECONDS_BELOW, MICROSECONDS_BELOW = 10**11, 10**14, 10**17
"""Epoch numbers are told apart by magnitude: each bound lies between the year 5138 of one unit and 1973 of the next."""


def cell(source: str, spaced: bool = True) -> str:
    """The text of a cell without surrounding space; empty is NULL. Hardly any cell has such space, and looking is faster than trimming.

    A comparison with `!`, the first character after space, is the cheapest look there is; an empty text is less than any other. The last
    character is dearer to look at, and no cell is asked for it that is known not to end in space (`spaced` is false)."""
    spaced_sql = f"{source} < '!' OR {source}[-1] < '!'" if spaced else f"{source} < '!'"
    return f"CASE WHEN {spaced_sql} THEN nullif(trim({source}, ' \t\r\n'), '') ELSE {source} END"


def value(column: Column, text: str) -> str:
    """SQL of the typed value of `text` (an SQL expression that is a `cell`); NULL when it is empty or cannot be read; see `within`."""
    if column.choices:
        return _chosen(text, {choice: quoted(choice) for choice in column.choices})
    match column.type:
        case Type.TIME:
            return _time(text)
        case Type.INTEGER:
            return f"CASE WHEN {_matches(text, _INTEGER)} THEN try_cast({text} AS BIGINT) END"
        case Type.DECIMAL:
            return _decimal(text)
        case Type.BOOLEAN:
            return _chosen(text, dict.fromkeys(_TRUE, "true") | dict.fromkeys(_FALSE, "false"))
        case Type.LIST:
            return _list(column, text)
        case Type.TEXT:
            return _code(column.pattern, text) if column.pattern else text


def within(column: Column, typed: str) -> str:
    """SQL of a typed value (an SQL name), NULL when it lies outside of what its type may say: times have bounds."""
    if column.type is not Type.TIME:
        return typed
    return f"CASE WHEN {typed} >= TIMESTAMP '{EARLIEST}' AND {typed} < TIMESTAMP '{LATEST}' THEN {typed} END"


def wanted(column: Column) -> str:
    """What the column would have accepted, for the reason of a rejected row."""
    if column.choices:
        return f"is none of {', '.join(column.choices)}"
    if column.pattern:
        return f"has not the shape of a code: {column.doc.rstrip('.')}"
    return {
        Type.TIME: f"is no time between {EARLIEST} and {LATEST}: use ISO 8601 or epoch seconds, or say in a mapping how it is written",
        Type.INTEGER: "is no whole number of zero or more",
        Type.DECIMAL: "is no decimal number, or may be read as two: write 1234.56",
        Type.BOOLEAN: "is neither true nor false",
        Type.LIST: "is no list separated by semicolons",
        Type.TEXT: "is no text",
    }[column.type]


def fault(column: Column, text: str, typed: str, odd: bool = False) -> str:
    """SQL of the reason why the cell `text`, read as `typed`, is unusable, NULL when it is usable; `odd` looks for NUL characters too."""
    empty = f"WHEN {text} IS NULL THEN {quoted(column.name + ' is empty')} " if column.required else ""
    nul = f"WHEN contains({text}, chr(0)) OR contains({text}, {quoted(NUL_MARK)}) THEN {quoted(column.name + ' holds a NUL character')} "
    if column.type is Type.TEXT and not column.choices and not column.pattern:
        cases = empty + (nul if odd else "")
        return f"CASE {cases}END" if cases else "NULL"
    unreadable = f"WHEN {text} IS NOT NULL AND {typed} IS NULL THEN {quoted(column.name + ' ')} || chr(39) || left({text}, 80)"
    return f"CASE {empty}{unreadable} || chr(39) || {_complaint(column, text)} END"


def _complaint(column: Column, text: str) -> str:
    """SQL of what is wrong with an unreadable cell."""
    usual = quoted(" " + wanted(column))
    if column.type is not Type.TIME:
        return usual
    lost = quoted(" is a number that a spreadsheet has shortened: export the column as whole numbers or as text")
    return f"CASE WHEN {_matches(text, _SHORTENED)} AND contains({text}, '.') THEN {lost} ELSE {usual} END"


def quoted(text: str) -> str:
    """An SQL string."""
    return "'" + text.replace("'", "''") + "'"


def _time(text: str) -> str:
    number = f"try_cast({text} AS DECIMAL(38, 6))"
    micros = (
        f"CASE WHEN {number} < {SECONDS_BELOW} THEN {number} * 1000000 WHEN {number} < {MILLISECONDS_BELOW} THEN {number} * 1000 "
        f"WHEN {number} < {MICROSECONDS_BELOW} THEN {number} END"
    )
    return (
        f"CASE WHEN {_matches(text, _PLAIN)} THEN try_cast({text} AS TIMESTAMP) "
        f"WHEN {_matches(text, _ISO)} THEN timezone('UTC', try_cast(replace(upper({text}), ' UTC', 'Z') AS TIMESTAMPTZ)) "
        f"WHEN {_matches(text, _EPOCH)} OR ({_whole(text)}) THEN make_timestamp(try_cast({micros} AS BIGINT)) "
        f"WHEN {_matches(text, _TWELVE_HOURS)} THEN try_strptime({text}, {_TWELVE_HOUR_FORMATS}) END"
    )


def _whole(text: str) -> str:
    """SQL: whether a number in scientific notation names every one of its digits; a spreadsheet drops the last ones of a long number."""
    decimals, exponent = (f"regexp_extract({text}, {quoted(_SHORTENED)}, {group})" for group in (2, 3))
    return f"{_matches(text, _SHORTENED)} AND length({decimals}) >= try_cast({exponent} AS INTEGER)"


def _decimal(text: str) -> str:
    """A point, or a comma where it cannot be meant to part thousands; `1,234` may be either, and is neither."""
    point = f"replace(replace({text}, '.', ''), ',', '.')"
    return (
        f"CASE WHEN {_matches(text, _DECIMAL)} THEN try_cast({text} AS DECIMAL(18, 4)) "
        f"WHEN {_matches(text, _COMMA)} THEN try_cast({point} AS DECIMAL(18, 4)) "
        f"WHEN {_matches(text, _GROUPED)} THEN try_cast(replace({text}, ',', '') AS DECIMAL(18, 4)) END"
    )


def _list(column: Column, text: str) -> str:
    parts = f"list_filter(list_transform(string_split({text}, ';'), lambda part: trim(part)), lambda part: part <> '')"
    if not column.pattern:
        return parts
    upper = f"list_transform({parts}, lambda part: upper(part))"
    bad = f"list_filter({parts}, lambda part: NOT {_matches('part', column.pattern)})"
    return f"CASE WHEN len({bad}) = 0 THEN {upper} END"


def _code(pattern: str, text: str) -> str:
    return f"CASE WHEN {_matches(text, pattern)} THEN upper({text}) END"


def _matches(text: str, pattern: str) -> str:
    return f"regexp_full_match({text}, {quoted(pattern)})"


def _chosen(text: str, meanings: dict[str, str]) -> str:
    """The SQL that a word stands for. Not with IN: a longer list becomes a join, and a join loses the order of the rows."""
    cases = " ".join(f"WHEN {quoted(word)} THEN {meaning}" for word, meaning in meanings.items())
    return f"CASE lower({text}) {cases} END"
