"""Results as files: what `--out DIR` leaves behind."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pandas as pd

from fraud.domain.dossiers import Dossier
from fraud.domain.hashing import readable_json
from fraud.domain.programs import Application, ProgramProfile
from fraud.domain.scans import RankedSubject, ScanResult
from fraud.errors import StorageError
from fraud.reports.documents import scan_document
from fraud.reports.dossier import dossier_report
from fraud.reports.scan import scan_report


def write_scan(result: ScanResult, folder: Path, profile: ProgramProfile | None = None) -> list[Path]:
    """Writes `scan.json`, `affiliates.parquet`, `sub_ids.parquet`, `rings.json` and `report.html`; returns the paths."""
    make_folder(folder)
    return [
        _write(folder / "scan.json", readable_json(scan_document(result))),
        _frame(folder / "affiliates.parquet", result.affiliates),
        _frame(folder / "sub_ids.parquet", result.sub_ids),
        _write(folder / "rings.json", readable_json(result.rings)),
        _write(folder / "report.html", scan_report(result, profile).encode()),
    ]


_PNG = b"\x89PNG\r\n"


def write_dossier(dossier: Dossier, application: Application | None, folder: Path, evidence: dict[str, bytes]) -> list[Path]:
    """Writes `dossier.json`, `dossier.html` and the pages seen as `evidence/SHA256.html.txt`.

    Those are somebody else's pages: as text, no double click runs their scripts. Returns the paths of the first two."""
    make_folder(folder / "evidence")
    for sha256, body in evidence.items():
        _write(folder / "evidence" / f"{sha256}{'.png' if body.startswith(_PNG) else '.html.txt'}", body)
    pictures = [body for body in evidence.values() if body.startswith(_PNG)]
    return [
        _write(folder / "dossier.json", readable_json(dossier)),
        _write(folder / "dossier.html", dossier_report(dossier, application, pictures).encode()),
    ]


def _frame(path: Path, rows: tuple[RankedSubject, ...]) -> Path:
    flat = [
        {
            "affiliate_id": row.affiliate_id,
            "sub_id": None if row.sub_id is msgspec.UNSET else row.sub_id,
            "rank": row.rank,
            "score": row.score,
            "outcome": row.outcome.value,
            "alerted": row.alerted,
            "typologies": list(row.typologies),
            "reason_codes": [reason.code for reason in row.reasons],
            "clicks": row.clicks,
            "conversions": row.conversions,
            "commission": row.commission,
            "commission_at_risk": row.commission_at_risk.mid,
            "currency": row.commission_at_risk.currency,
            "recommended_cap": row.recommended_cap,
            "decision_id": row.decision_id,
        }
        for row in rows
    ]
    pd.DataFrame(flat).to_parquet(path, index=False)
    return path


def make_folder(folder: Path) -> None:
    """Makes the folder of `--out`; a `StorageError` when that cannot be, best before hours of work are lost to it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise StorageError(f"The folder {folder} cannot be made: {fault.strerror}. Name another with --out.") from fault


def _write(path: Path, data: bytes) -> Path:
    try:
        path.write_bytes(data)
    except OSError as fault:
        raise StorageError(f"{path} cannot be written: {fault.strerror}.") from fault
    return path
