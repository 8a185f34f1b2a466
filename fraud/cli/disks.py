"""A disk that is full or closed, said in one sentence whichever library met it first."""

from __future__ import annotations

import errno
import re
import sys

_WHY = {
    errno.ENOSPC: "the disk is full; make room and run the command again",
    errno.EDQUOT: "the quota of this user is used up; make room and run the command again",
    errno.EROFS: "the disk is read-only; name another folder, or mount it for writing",
    errno.EACCES: "this user may not; run the command as the owner, or name another folder",
    errno.EPERM: "this user may not; run the command as the owner, or name another folder",
}
_ERRNO = re.compile(r'"errno":\s*"(\d+)"')
_PLACE = re.compile(r'file \\*"(?P<path>[^"\\]+)')


def disk_fault(fault: Exception) -> str | None:
    """What to tell of a failure that is the disk's, `None` of every other."""
    duckdb = sys.modules.get("duckdb")
    if isinstance(fault, OSError):
        number, place = fault.errno, str(fault.filename or "")
    elif duckdb is not None and isinstance(fault, duckdb.IOException):
        found, named = _ERRNO.search(str(fault)), _PLACE.search(str(fault))
        number, place = int(found[1]) if found else None, named["path"] if named else ""
    else:
        return None
    why = _WHY.get(number or 0)
    return f"{place or 'A file'} cannot be used: {why}." if why else None
