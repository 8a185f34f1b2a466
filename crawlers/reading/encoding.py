"""From bytes to text, as browsers do it: labels are hints, and a body that is valid UTF-8 is UTF-8 whatever its label says."""

from __future__ import annotations

import codecs
import re

from bs4.dammit import EncodingDetector

CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
WHATWG_LABELS = {
    "iso-8859-1": "windows-1252",
    "latin-1": "windows-1252",
    "latin1": "windows-1252",
    "us-ascii": "windows-1252",
    "ascii": "windows-1252",
    "iso-8859-9": "windows-1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "iso-8859-8-i": "iso-8859-8",
    "tis-620": "cp874",
    "iso-8859-11": "cp874",
    "windows-874": "cp874",
}
"""Labels that pages use for a larger encoding than they name (WHATWG Encoding Standard, section 4.2)."""
WRONG_UTF8_ALLOWED = 0.05
"""Share of damaged characters among non-ASCII bytes up to which a page that calls itself UTF-8 is believed."""


def decode(body: bytes, content_type: str) -> tuple[str, str]:
    """Return the page's text and the encoding that was used (a Python codec's name)."""
    for bom, encoding in BOMS:
        if body.startswith(bom):
            return body[len(bom) :].decode(encoding, errors="replace"), encoding
    labels = declared_encodings(body, content_type)
    if "iso2022_jp" not in labels and is_utf8(body):
        return body.decode("utf-8", errors="replace"), "utf-8"
    for encoding in (*labels, "windows-1252"):
        text = body.decode(encoding, errors="replace")
        if encoding != "utf-8" or _damage(text, body) <= WRONG_UTF8_ALLOWED:
            return text, encoding
    raise AssertionError("windows-1252 accepts everything")


def declared_encodings(body: bytes, content_type: str) -> list[str]:
    """Return the encodings that the HTTP header and the page itself name, in this order, known ones only."""
    header = CHARSET.search(content_type)
    in_page = EncodingDetector.find_declared_encoding(body[:4096], is_html=True)
    names = [header.group(1) if header else "", in_page or ""]
    return list(dict.fromkeys(known for name in names if (known := known_encoding(name))))


def known_encoding(label: str) -> str:
    """Return the text codec for a label, '' when there is none. A page whose label we can read is no UTF-16 (WHATWG 12.2.3.2)."""
    name = label.strip().lower()
    name = WHATWG_LABELS.get(name, name)
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return ""
    if not info._is_text_encoding or info.name in {"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "utf-7"}:
        return ""
    return "utf-8" if info.name.startswith(("utf-16", "utf-8")) else info.name


def is_utf8(body: bytes) -> bool:
    """Say whether the body is valid UTF-8, a character cut in two at its end excepted."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(body, final=False)
    except UnicodeDecodeError:
        return False
    return True


def _damage(text: str, body: bytes) -> float:
    high = len(body) - len(body.translate(None, bytes(range(128, 256))))
    return text.count("\ufffd") / high if high else 0.0
