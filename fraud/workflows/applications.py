"""Reads applications and program profiles that people wrote: strictly, and with errors that say which field of which file to change.

An empty cell, a `null` and a missing key all mean unknown. Unknown keys are errors: a misspelt term must not pass for a missing one.
"""

from __future__ import annotations

import csv
import io
import re
import zoneinfo
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit

import idna
import msgspec
import yaml

from fraud.domain.hashing import canonical_json
from fraud.domain.ids import stable_id
from fraud.domain.programs import Application, ProgramProfile
from fraud.errors import ProfileError

Read = TypeVar("Read", Application, ProgramProfile)

MOST_WEBSITES = 25
"""Websites or profiles of one application. Each costs a visit of up to two minutes, and longer lists are those of a network."""
LARGEST_FILE = 20 * 1024 * 1024
"""Bytes; a batch of ten thousand applications has about five million."""

_LISTS = ("websites", "social_profiles", "traffic_sources")
_PERSONAL = ("name", "email", "phone", "address", "payout_account", "tax_id", "signup_ip")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\Z")
_BYTE = re.compile(r"\(byte (\d+)\)")
_AT_FIELD = re.compile(r" - at `\$\.?([^`]*)`")
_UNKNOWN_FIELD = re.compile(r"unknown field `([^`]+)`")


APPLICATION_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,199}")
"""What an application may be called: its dossier's folder has the same name, so it can never leave the folder it is put in."""


def application_from_url(url: str, program_id: str = "") -> Application:
    """An application of which only the website is known; a bare domain will do."""
    application = Application(websites=(website_url(url, "The command line"),))
    return verified(msgspec.structs.replace(application, program_id=program_id) if program_id else application, "The command line")


def application_from_json(path: Path) -> Application:
    """One application from a JSON object."""
    return application_of(_json(path), str(path))


def applications_from_csv(path: Path) -> list[Application]:
    """One application a row, columns named as the fields, lists separated by `;`; the first faulty row is an error that names its line."""
    read = [(application_of(row, f"{path}, line {line}"), line) for line, row in _rows(path)]
    if not read:
        raise ProfileError(f"{path} has no row under its header; write one application a row.")
    return _uniquely_named(read, path)


def read_profile(path: Path) -> ProgramProfile:
    """A program's profile from YAML, or from JSON when the file's name ends so."""
    value = _json(path) if path.suffix.lower() == ".json" else _yaml(path)
    profile = verified_profile(_converted(value, ProgramProfile, str(path)), str(path))
    if Path(profile.policy).suffix in {".yaml", ".yml"}:
        # A pack beside the profile is meant wherever the profile is read from, now or by a service started elsewhere.
        return msgspec.structs.replace(profile, policy=str((path.parent / profile.policy).resolve()))
    return profile


def verified(application: Application, where: str) -> Application:
    """The application with its addresses spelled out and an id, or a `ProfileError` about `where`."""
    if not (application.websites or application.social_profiles):
        raise ProfileError(f"{where}: neither websites nor social_profiles are given; name at least one of them.")
    for name in ("websites", "social_profiles"):
        if len(getattr(application, name)) > MOST_WEBSITES:
            raise ProfileError(f"{where}: the field {name} has more than {MOST_WEBSITES} entries; name the main ones.")
    if application.application_id and not APPLICATION_ID.fullmatch(application.application_id):
        raise ProfileError(
            f"{where}: the field application_id is {application.application_id!r}; use up to 200 letters, digits and . _ : @ -, "
            "beginning with a letter or a digit."
        )
    changes = {
        "websites": tuple(dict.fromkeys(website_url(text, f"{where}: the field websites") for text in application.websites)),
        "social_profiles": tuple(dict.fromkeys(_profile_address(text, where) for text in application.social_profiles)),
        "email": _email(application.email, where),
        "country": _country(application.country, f"{where}: the field country"),
    }
    if application.claimed_monthly_visits is not None and application.claimed_monthly_visits < 0:
        raise ProfileError(f"{where}: the field claimed_monthly_visits is negative; give a number of visits, or leave it out.")
    changed = msgspec.structs.replace(application, **changes)
    return changed if changed.application_id else msgspec.structs.replace(changed, application_id=_id_of(changed))


def verified_profile(profile: ProgramProfile, where: str) -> ProgramProfile:
    """The profile with hosts, countries and languages in one spelling, or a `ProfileError` about `where`."""
    if not profile.name.strip():
        raise ProfileError(f"{where}: the field name is empty; give the program a name.")
    if profile.time_zone and profile.time_zone not in zoneinfo.available_timezones():
        raise ProfileError(f"{where}: the field time_zone names no zone; write one such as Europe/Berlin, or leave it out for UTC.")
    if profile.minimum_domain_age_days is not None and profile.minimum_domain_age_days < 0:
        raise ProfileError(f"{where}: the field minimum_domain_age_days is negative; give a number of days, or leave it out.")
    return msgspec.structs.replace(
        profile,
        domains=tuple(_host(text, f"{where}: the field domains") for text in profile.domains),
        tracking_hosts=tuple(_host(text, f"{where}: the field tracking_hosts") for text in profile.tracking_hosts),
        countries=tuple(_country(text, f"{where}: the field countries") for text in profile.countries),
        languages=tuple(text.strip().lower() for text in profile.languages),
    )


def website_url(text: str, where: str) -> str:
    """A website as http or https URL, or as the bare domain it was given as (tried both ways). `where` opens the error's sentence."""
    spelled = text.strip()
    bare = "//" not in spelled.partition("?")[0] and not re.match(r"[a-zA-Z][\w+.-]*:(?!\d+(/|$))", spelled)
    url = f"https://{spelled}" if bare else spelled
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        _no_website(text, where)
    if parts.scheme not in {"http", "https"} or re.search(r"\s", spelled) or not _is_host(host) or (bare and "." not in host):
        _no_website(text, where)
    return spelled if bare and "://" not in spelled else url


def _no_website(text: str, where: str) -> NoReturn:
    raise ProfileError(f"{where} has {text[:200]!r}, which is not a website; write it as https://example.com or example.com.") from None


def _is_host(host: str) -> bool:
    """Whether the text is a host name or an address; which of them may be visited is the crawler's business."""
    if ":" in host:
        return True  # an IPv6 address, which urlsplit has looked at
    try:
        name = host if host.isascii() else idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        return False
    labels = name.rstrip(".").lower().split(".")
    return len(name) <= 253 and all(len(label) <= 63 and _LABEL.match(label) for label in labels)


def _host(text: str, where: str) -> str:
    spelled = text.strip().lower().removeprefix("https://").removeprefix("http://").rstrip("/")
    if not _is_host(spelled) or ":" in spelled or "." not in spelled:
        raise ProfileError(f"{where} has {text[:200]!r}, which is not a host name; write it as go.example.com, without scheme or path.")
    return spelled


def _profile_address(text: str, where: str) -> str:
    spelled = text.strip()
    if not spelled or re.search(r"\s", spelled):
        raise ProfileError(f"{where}: the field social_profiles has {text[:200]!r}; write the address of the profile, or its @handle.")
    return website_url(spelled, f"{where}: the field social_profiles") if "/" in spelled else spelled


def _email(text: str, where: str) -> str:
    spelled = text.strip()
    local, _, domain = spelled.rpartition("@")
    if spelled and (not local or re.search(r"\s", spelled) or "." not in domain or not _is_host(domain)):
        raise ProfileError(f"{where}: the field email is not an e-mail address; write it as name@example.com, or leave it out.")
    return spelled


def _country(text: str, where: str) -> str:
    code = text.strip().upper()
    if code and not re.fullmatch(r"[A-Z]{2}", code):
        raise ProfileError(f"{where} has {text[:200]!r}; write the two letters of ISO 3166-1, such as DE.")
    return code


def numbered(application: Application, number: int) -> Application:
    """An application without an id of its own under the id that tells it from `number - 1` others exactly like it."""
    return msgspec.structs.replace(application, application_id=_id_of(application, application.application_id, str(number)))


def _id_of(application: Application, *more: str) -> str:
    """A stable name for an application that came without one; personal values have no part in it."""
    public = msgspec.structs.replace(application, **dict.fromkeys(_PERSONAL, ""))
    return stable_id("app", canonical_json(public).decode(), *more)


def _uniquely_named(read: list[tuple[Application, int]], path: Path) -> list[Application]:
    """The rows' applications; alike ones without an id of their own are told apart by their order, alike ids are an error."""
    seen: Counter[str] = Counter()
    named = []
    for application, line in read:
        name = application.application_id
        seen[name] += 1
        if seen[name] > 1 and not name.startswith("app_"):
            raise ProfileError(f"{path}, line {line}: the field application_id repeats {name!r}; give every row its own.")
        number = str(seen[name])
        named.append(
            application if seen[name] == 1 else msgspec.structs.replace(application, application_id=_id_of(application, name, number))
        )
    return named


def application_of(value: Any, where: str) -> Application:
    """The application of a mapping of its fields, verified; a `ProfileError` about `where`."""
    return verified(_converted(value, Application, where), where)


def _converted(value: Any, kind: type[Read], where: str) -> Read:
    if not isinstance(value, Mapping):
        raise ProfileError(f"{where}: expected one object with the fields of {_noun(kind)}, but found {_kind_of(value)}.")
    known = {name: item for name, item in value.items() if item is not None}
    try:
        return msgspec.convert(known, kind)
    except msgspec.ValidationError as fault:
        raise ProfileError(f"{where}: {_said(str(fault), kind)}") from fault


def _said(fault: str, kind: type[Read]) -> str:
    """msgspec's complaint in our words: the field, what is wrong with it, and what to do."""
    if unknown := _UNKNOWN_FIELD.search(fault):
        return f"there is no field {unknown[1]!r} in {_noun(kind)}; the fields are {', '.join(kind.__struct_fields__)}."
    field = _AT_FIELD.search(fault)
    what = _AT_FIELD.sub("", fault)
    hint = "; put such words in quotes (YAML reads NO, yes and on as truth values)" if "got `bool`" in what else ""
    return f"the field {field[1]} cannot be read: {what}{hint}." if field else f"{what}."


def _noun(kind: type[Read]) -> str:
    return "an application" if kind is Application else "a program's profile"


def _kind_of(value: Any) -> str:
    return {list: "a list", str: "text", type(None): "nothing"}.get(type(value), f"a {type(value).__name__}")


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ProfileError(f"{path} is larger than {LARGEST_FILE // 2**20} MB; split it.")
        return path.read_bytes().decode("utf-8-sig")
    except OSError as fault:
        raise ProfileError(f"{path} cannot be opened: {fault.strerror}. Check the name.") from fault
    except UnicodeDecodeError as fault:
        raise ProfileError(f"{path} is not UTF-8 text (byte {fault.start}); save it as UTF-8.") from fault


def _json(path: Path) -> Any:
    text = _text(path)
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as fault:
        byte = _BYTE.search(str(fault))
        line = text.encode()[: int(byte[1])].count(b"\n") + 1 if byte else 1
        raise ProfileError(f"{path}, line {line}: this is not valid JSON ({fault}); correct it there.") from fault
    except RecursionError as fault:
        raise ProfileError(f"{path} is nested too deeply to be read; write one flat object.") from fault


def _yaml(path: Path) -> Any:
    try:
        return yaml.safe_load(_text(path))
    except yaml.MarkedYAMLError as fault:
        line = fault.problem_mark.line + 1 if fault.problem_mark else 1
        raise ProfileError(f"{path}, line {line}: this is not valid YAML ({fault.problem}); correct it there.") from fault
    except RecursionError as fault:
        raise ProfileError(f"{path} is nested too deeply to be read; write one flat mapping.") from fault
    except (yaml.YAMLError, ValueError) as fault:
        raise ProfileError(f"{path}: this is not valid YAML ({fault}); correct it.") from fault


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows of a batch with their line numbers, empty cells left out, lists split."""
    for line, header, cells in raw_rows(path):
        yield line, row_of(header, cells, f"{path}, line {line}")


def raw_rows(path: Path) -> Iterator[tuple[int, list[str], list[str]]]:
    """The rows of a batch that have something in them, as they stand: line number, the file's header, cells."""
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(header, path)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, header, cells
    except csv.Error as fault:
        raise ProfileError(f"{path}, line {reader.line_num}: this is not valid CSV ({fault}); check the quotes.") from fault


def _check_header(header: list[str], path: Path) -> None:
    known = Application.__struct_fields__
    unknown = [name for name in header if name not in known]
    if unknown:
        raise ProfileError(
            f"{path}, line 1: there is no column {unknown[0]!r}; separate columns by commas, and name them {', '.join(known)}."
        )
    if len(set(header)) != len(header):
        raise ProfileError(f"{path}, line 1: a column is named twice; name each column once.")
    if not {"websites", "social_profiles"} & set(header):
        raise ProfileError(f"{path}, line 1: there is neither a column websites nor social_profiles; add one of them.")


def row_of(header: list[str], cells: list[str], where: str) -> dict[str, Any]:
    """One row as the fields of an application; a `ProfileError` about `where`."""
    if len(cells) > len(header):
        raise ProfileError(f"{where}: {len(cells)} cells stand under {len(header)} columns; put cells that hold commas in quotes.")
    filled = {name: cell.strip() for name, cell in zip(header, cells, strict=False) if cell.strip()}
    return {name: _cell(name, cell, where) for name, cell in filled.items()}


def _cell(name: str, cell: str, where: str) -> Any:
    if name in _LISTS:
        return [part.strip() for part in cell.split(";") if part.strip()]
    if name == "claimed_monthly_visits":
        try:
            return int(cell)
        except ValueError:
            raise ProfileError(f"{where}: the field {name} is {cell[:200]!r}; write a whole number in figures only.") from None
    return cell
