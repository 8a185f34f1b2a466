"""What inline scripts do that honest ones rarely do: run code they decode, mine coins, push programs, hide addresses in base64."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from crawlers.facts import ScriptSign
from crawlers.reading.urls import clean, path_of

DECODES = re.compile(
    r"\beval\s*\(\s*(?:window\.)?(?:atob|unescape|decodeURIComponent|String\.fromCharCode)\s*\("
    r"|\beval\s*\(\s*function\s*\(\s*p\s*,\s*a\s*,\s*c\s*,\s*k"
    r"|\bnew\s+Function\s*\(\s*(?:window\.)?atob\s*\("
    r"|document\s*\.\s*write(?:ln)?\s*\(\s*(?:unescape|(?:window\.)?atob|String\.fromCharCode)\s*\("
)
MINERS = re.compile(
    r"coinhive(?:\.min)?\.js|CoinHive\.|coin-hive\.com|cryptonight|coinimp\.com|webminepool|deepMiner|jsecoin\.com|cryptoloot"
)
ENCODED = re.compile(r"[\"'`](aHR0c[A-Za-z0-9+/]{8,2000}={0,2}|Ly9[A-Za-z0-9+/]{8,2000}={0,2})[\"'`]")
ADDRESS = re.compile(r"(?:https?:)?//[^\s\"'<>\\]{3,500}")
PROGRAMS = (".exe", ".msi", ".apk", ".scr", ".bat", ".crx", ".xpi", ".dmg", ".jar", ".vbs", ".ps1")
MOST_SIGNS = 50
AROUND = 100


def script_signs(scripts: list[str], sources: list[str], moved_to: list[str]) -> tuple[ScriptSign, ...]:
    """Return the signs in inline scripts, in the addresses of script files, and in where the page moves by itself; at most 50."""
    found = [sign for source in scripts for sign in _of(source)]
    found += [ScriptSign(kind="miner", value=url[:300], excerpt=url[:300]) for url in sources if MINERS.search(url)]
    found += [
        ScriptSign(kind="forced_download", value=url, excerpt=url[:300]) for url in moved_to if path_of(url).lower().endswith(PROGRAMS)
    ]
    return tuple(dict.fromkeys(found))[:MOST_SIGNS]


def _of(source: str) -> Iterator[ScriptSign]:
    if "eval" in source or "Function" in source or "document" in source:
        for match in DECODES.finditer(source):
            yield ScriptSign(kind="decodes_and_runs", excerpt=_around(source, match.start()))
    miner = MINERS.search(source)
    if miner:
        yield ScriptSign(kind="miner", value=miner.group(0), excerpt=_around(source, miner.start()))
    for match in ENCODED.finditer(source):
        address = _decoded(match.group(1))
        if address:
            yield ScriptSign(kind="encoded_address", value=address, excerpt=_around(source, match.start()))


def _decoded(text: str) -> str:
    try:
        plain = base64.b64decode(text + "=" * (-len(text) % 4)).decode("ascii", errors="replace")
    except (binascii.Error, ValueError):
        return ""
    match = ADDRESS.match(plain)
    return clean(match.group(0)) if match else ""


def _around(source: str, start: int) -> str:
    return clean(source[max(0, start - AROUND) :][:300])
