"""The doctor: what this installation has, and what to do about what it has not."""

from __future__ import annotations

from crawlers.social.catalogue import rotten, ways
from fraud.app.baselines import baselines
from fraud.app.enriching import missing_sources, networks, package_artefacts
from fraud.app.examining_service import examine_service
from fraud.app.finding import Finding
from fraud.app.parts import App
from fraud.app.scoring import newest_click_model
from fraud.app.vetting import crawl_settings
from fraud.domain.actors import DEFAULT_PROGRAM
from fraud.errors import FraudError
from fraud.features.engines import spark_session

TABLES_AGE_DAYS = 35
"""From when tables of networks are old: addresses change hands by the month."""


def examine(app: App) -> list[Finding]:
    """Looks at everything there is: what decides, what it knows, and what the service relies on."""
    return [
        Finding(name="workspace", state="ok", text=str(app.workspace.root)),
        _database(app),
        _policy(app),
        _program(app),
        _events(app),
        _models(app),
        _baseline(app),
        _networks(app),
        Finding(name="user agents", state="ok", text=", ".join(artefact.id for artefact in package_artefacts())),
        _keys(app),
        _crawler(app),
        _spark(app),
        *examine_service(app),
    ]


def examine_catalogue() -> list[Finding]:
    """Tries the catalogue of social platforms on its own samples; one that fails is not asked until its entry is mended."""
    faults = rotten()
    names = sorted({*ways(), *faults})
    return [Finding(name=name, state="failing" if name in faults else "ok", text=faults.get(name) or _how(name)) for name in names]


def _how(platform: str) -> str:
    way = ways()[platform]
    how = {"api": "asked without a key", "key": "asked with a key", "page": "its public page is read where robots.txt allows it"}
    return how.get(way.how) or f"unverified unless the operator supplies figures: {way.why}"


def _database(app: App) -> Finding:
    try:
        app.database.ping()
    except FraudError as fault:
        return Finding(name="database", state="failing", text=fault.message)
    return Finding(name="database", state="ok", text=app.database.name)


def _policy(app: App) -> Finding:
    profile = app.profile()
    try:
        pack = app.pack(profile.policy if profile else "")
    except FraudError as fault:
        return Finding(name="policy", state="failing", text=fault.message)
    return Finding(name="policy", state="ok", text=f"{pack.title} ({pack.artefact.id}, {pack.hash[:12]})")


def _program(app: App) -> Finding:
    profile = app.profile()
    if profile is None:
        return Finding(name="program", state="missing", text="No profile yet; name one with `fraud vet --program FILE.yaml`.")
    return Finding(name="program", state="ok", text=profile.name)


def _events(app: App) -> Finding:
    newest = app.lake.time_range(DEFAULT_PROGRAM)
    if newest is None:
        return Finding(name="events", state="missing", text="None yet; run `fraud ingest clicks FILE`.")
    return Finding(name="events", state="ok", text=f"from {newest[0]:%Y-%m-%d} to {newest[1]:%Y-%m-%d}")


def _models(app: App) -> Finding:
    try:
        info = newest_click_model(app, DEFAULT_PROGRAM)
    except FraudError as fault:
        return Finding(name="click model", state="failing", text=fault.message)
    if info is None:
        return Finding(name="click model", state="missing", text="None yet, so scores are degraded; run `fraud scan`.")
    return Finding(
        name="click model", state="ok", text=f"fitted {info.created_at:%Y-%m-%d %H:%M} on {info.metrics.get('clicks', 0):,.0f} clicks"
    )


def _baseline(app: App) -> Finding:
    try:
        found = baselines(app, DEFAULT_PROGRAM)
    except FraudError as fault:
        return Finding(name="baseline", state="failing", text=fault.message)
    serving, held = found.in_force, found.held
    if serving is None:
        return Finding(name="baseline", state="missing", text="None in force yet; `fraud scan` fits one from the nights before.")
    trained = f"of {serving.trained.start:%Y-%m-%d} to {serving.trained.end:%Y-%m-%d}"
    if held is not None:
        text = f"{trained}; a newer one differs much and waits: `fraud models baselines`, then `fraud models accept --why TEXT`."
        return Finding(name="baseline", state="failing", text=text)
    drift = found.newest_scan.night if found.newest_scan is not None else None
    said = f"; newest night: {drift.why}" if drift is not None else ""
    return Finding(name="baseline", state="ok", text=trained + said)


def _networks(app: App) -> Finding:
    try:
        tables, absent = networks(app), missing_sources(app)
    except FraudError as fault:
        return Finding(name="networks", state="failing", text=fault.message)
    if tables is None:
        text = "No tables yet, so the country, network and class of addresses are unknown; run `fraud enrichment refresh`."
        return Finding(name="networks", state="missing", text=text)
    read = [report.kept for report in tables.manifest.sources]
    days = {kept.source.id: (app.clock.now() - kept.fetched_at).days for kept in read}
    said = f"{tables.manifest.version} from " + ", ".join(f"{name} ({age} days old)" for name, age in days.items())
    gaps = f"; without {', '.join(source.id for source in absent)}" if absent else ""
    old = "; old: run `fraud enrichment refresh`" if max(days.values(), default=0) > TABLES_AGE_DAYS else ""
    return Finding(name="networks", state="ok", text=said + gaps + old)


def _keys(app: App) -> Finding:
    count = len(app.stores.actors.keys())
    if not count:
        return Finding(name="keys", state="missing", text="None yet; `fraud serve` makes them on its first start.")
    return Finding(
        name="keys", state="ok", text=f"{count}, written to {app.workspace.keys_file}" if app.workspace.keys_file.exists() else str(count)
    )


def _crawler(app: App) -> Finding:
    try:
        settings = crawl_settings(app.settings)
    except FraudError as fault:
        return Finding(name="crawler", state="failing", text=fault.message)
    route = (
        "through " + ", ".join(f"{host}:{port}" for host, port in settings.connect_to.values())
        if settings.connect_to
        else "straight to the web"
    )
    return Finding(name="crawler", state="ok", text=f"{route}, {settings.delay:g} s between requests to one host")


def _spark(app: App) -> Finding:
    """Java and PySpark: only a fault where `FRAUD_ENGINE` asks for them."""
    lacking, java = spark_session.missing(), spark_session.find_java()
    wanted = app.settings.engine == "spark"
    if lacking:
        return Finding(name="spark", state="failing" if wanted else "ok", text=lacking if wanted else f"not used. {lacking}")
    used = f"used, on {app.settings.spark_master or spark_session.DEFAULT_MASTER}" if wanted else "not used (FRAUD_ENGINE=local)"
    found = f"PySpark {spark_session.pyspark_version()}, Java {java.major if java else 'unknown'} at {java.program if java else '?'}"
    return Finding(name="spark", state="ok", text=f"{found}; {used}")
