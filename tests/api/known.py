"""One of each thing that paths name, in the program `default`."""

from __future__ import annotations

from fraud.domain.actors import DEFAULT_PROGRAM, Role
from tests.api.conftest import TAG, House
from tests.storage.samples import alert, application, decision, dossier, scan


def known_things(house: House) -> dict[str, str]:
    """Parameters of paths by name, and a value for each that is there: as `{"alert_id": …}`."""
    services = house.services
    services.scans.add(scan(program_id=DEFAULT_PROGRAM))
    kept = services.alerts.record([alert(program_id=DEFAULT_PROGRAM)])[0]
    services.applications.save(application(program_id=DEFAULT_PROGRAM))
    services.applications.add_dossier(dossier(program_id=DEFAULT_PROGRAM))
    services.decisions.add([decision(program_id=DEFAULT_PROGRAM)])
    case = house.client(Role.REVIEW).post("/v1/cases/next").json()
    return {
        "alert_id": kept.alert_id,
        "application_id": application().application_id,
        "affiliate_id": scan().affiliates[0].affiliate_id,
        "scan_id": scan().scan_id,
        "decision_id": decision().decision_id,
        "case_id": case["case_id"],
        "tag_id": TAG,
    }
