"""Every setting of the product, read once at start from the environment or a `.env` file, and frozen."""

from __future__ import annotations

import ipaddress
import re
from datetime import time
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from fraud.errors import InputError

SHORTEST_SECRET = 16
"""Characters of a secret that signs or keys anything: 16 random ones cannot be guessed."""


class Settings(BaseSettings):
    """The settings of CONTRACT 3. Each field's description is its documentation; `docs/reference/settings.md` is made from it."""

    model_config = SettingsConfigDict(env_prefix="FRAUD_", env_file=".env", env_ignore_empty=True, frozen=True, extra="ignore")

    workspace: Path = Field(Path("fraud-data"), description="The folder that holds the embedded stores.")
    database_url: str = Field("", description="Decisions, cases, alerts, jobs: SQLite in the workspace by default, PostgreSQL by URL.")
    lake_url: str = Field(
        "", description="Events: in the workspace by default, in an object store by URL (`s3://BUCKET/FOLDER`, `gs://…`, `az://…`)."
    )
    retention_days: int | None = Field(
        None,
        ge=1,
        description="Days for which clicks, conversions and rows set aside are kept: older ones are removed nightly. For ever by default.",
    )
    retention_decisions_days: int | None = Field(
        None,
        ge=1,
        description="Days after which decisions on applicants, clicks and conversions keep their outcome, and no longer what they saw. "
        "For ever by default.",
    )
    retention_applications_days: int | None = Field(
        None, ge=1, description="Days after which applications and dossiers no longer say who applied. For ever by default."
    )
    public_url: str = Field(
        "", description="Where others reach the service (`https://risk.example`): links to affiliates' reports begin so."
    )
    counters_url: str = Field("", description="Real-time counters: in each process by default, shared in Redis by `redis://` URL.")
    counters_checkpoint: float = Field(
        300.0,
        ge=0,
        description="Seconds between two checkpoints of the counters of this process, from which a restart goes on counting; "
        "0: none, and a restart counts the lake's last day again.",
    )
    engine: Literal["local", "spark"] = Field("local", description="What computes features: this machine, or Spark.")
    spark_master: str = Field("", description="The Spark master for `FRAUD_ENGINE=spark`; this machine's cores (`local[*]`) by default.")
    features_memory_mb: int = Field(
        2048,
        ge=64,
        description="MiB of memory for clicks that the local engine is counting, beside 1 GiB for reading; an affiliate with more clicks "
        "than fit is counted in slices of time, a network of addresses piece by piece.",
    )
    features_disk_mb: int = Field(
        10_240, ge=0, description="MiB of disk for clicks that wait to be counted; with less, they are read in several turns."
    )
    crawl_connect_to: str = Field("", description="`80=HOST:PORT,443=HOST:PORT`: crawl connections for that port go there instead.")
    crawl_ca_file: Path | None = Field(None, description="An extra certificate authority to trust when crawling.")
    crawl_allow_networks: str = Field("", description="CIDRs, comma-separated, that the crawler may reach though not public.")
    crawl_delay: float = Field(1.0, ge=0, description="Seconds between two requests to one host.")
    crawl_dns: str = Field("", description="`HOST:PORT` of the resolver to ask; the system's by default.")
    rdap_url: str = Field("", description="RDAP bootstrap file (ends with `.json`) or base URL of a registry; IANA's by default.")
    browser: str = Field("", description="Path of a Chromium for the browser probe; skipped, and said so, when there is none.")
    verify_links: Literal["never", "auto", "always"] = Field(
        "auto", description="Whether a sample of claimed backlinks is looked for: `auto` only where that could change the outcome."
    )
    provider_keys: SecretStr | None = Field(
        None,
        description="`NAME=KEY,NAME=KEY`: keys of services that rank domains (`openpagerank`, `semrush`, plug-ins); only those are asked.",
    )
    answers_days: float = Field(7.0, ge=0, description="Days for which answers of platforms and services serve again; 0 asks every time.")
    youtube_key: SecretStr | None = Field(None, description="Key of the YouTube Data API; without it channels there stay unverified.")
    score_key: SecretStr | None = Field(None, description="An API key to accept for trackers from the first start.")
    review_key: SecretStr | None = Field(None, description="An API key to accept for managers from the first start.")
    admin_key: SecretStr | None = Field(None, description="An API key to accept for administrators from the first start.")
    secret_key: SecretStr | None = Field(None, description="Signs sessions and links; may be rotated; made in the workspace when absent.")
    pepper: SecretStr | None = Field(
        None, description="Keys the hashes of personal values; never rotated; made in the workspace when absent."
    )
    journal_sync: Literal["write", "disk"] = Field(
        "write",
        description="When a scored event is answered: `write` once the operating system has it (no crash or kill of the service loses it), "
        "`disk` once the disk has it (no power cut either, and every answer waits for the disk).",
    )
    enrichment_sources: Path | None = Field(None, description="A YAML file of sources of network tables, in place of the shipped ones.")
    enrichment_npm_url: str = Field(
        "https://registry.npmjs.org", description="The npm registry, or a mirror of it, that network tables come from."
    )
    nightly: str = Field(
        "",
        description="`HH:MM`: when the service or a worker scans every program each night, in the program's own `time_zone`; "
        "by default it does not, and cron or a timer starts `fraud scan`.",
    )
    serve_jobs: bool = Field(
        True,
        description="Whether `fraud serve` works off jobs, deliveries and the nightly schedule itself; `false` leaves them to "
        "`fraud worker`.",
    )
    rate_limit: float = Field(
        50.0,
        ge=0,
        description="Requests a second that one key of a manager or an administrator may send on average, and ten times as many at once; "
        "past it the answer is 429. 0: as many as it likes.",
    )
    score_rate_limit: float = Field(
        0.0, ge=0, description="The same for each tracker's key, batches counting as one; by default as many as it likes."
    )
    tag_rate_limit: float = Field(
        20.0,
        ge=0,
        description="Reports of the landing pages' tag a second that one address (IPv6: one /64) may send on average, and ten times as "
        "many at once: carriers put thousands of visitors behind one address. 0: as many as it likes.",
    )
    telemetry: bool = Field(
        False, description="Sends traces of requests by OpenTelemetry (OTLP over HTTP), to where `OTEL_EXPORTER_OTLP_ENDPOINT` says."
    )
    log_format: Literal["console", "json"] = Field("console", description="How logs are written to stderr: for people or for machines.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("warning", description="The least level that is logged.")

    @field_validator("secret_key", "pepper")
    @classmethod
    def _long_enough(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and len(secret.get_secret_value()) < SHORTEST_SECRET:
            raise ValueError(f"it needs at least {SHORTEST_SECRET} characters")
        return secret

    @field_validator("nightly")
    @classmethod
    def _time_of_day(cls, text: str) -> str:
        if text and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text):
            raise ValueError("write a time of day such as 02:30")
        return text

    @property
    def nightly_at(self) -> time | None:
        """`nightly` as a time of day; `None` when nothing is scanned by itself."""
        return time.fromisoformat(self.nightly) if self.nightly else None

    @property
    def keys_of_providers(self) -> dict[str, str]:
        """`provider_keys` by the name of the service; an `InputError` when a part is no `NAME=KEY`."""
        parts = [part.strip() for part in (self.provider_keys.get_secret_value() if self.provider_keys else "").split(",") if part.strip()]
        if any(not name or not key for name, _, key in (part.partition("=") for part in parts)):
            raise InputError("FRAUD_PROVIDER_KEYS: write NAME=KEY, separated by commas, such as openpagerank=abc123.")
        return {name.strip().lower(): key.strip() for name, _, key in (part.partition("=") for part in parts)}

    @property
    def allowed_networks(self) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        """`crawl_allow_networks` as networks."""
        try:
            return tuple(ipaddress.ip_network(part.strip()) for part in self.crawl_allow_networks.split(",") if part.strip())
        except ValueError as fault:
            raise InputError(f"FRAUD_CRAWL_ALLOW_NETWORKS: {fault}. Give CIDRs such as 10.0.0.0/8, separated by commas.") from fault


def load_settings(**overrides: object) -> Settings:
    """The settings of the environment, with `overrides` from the command line; a value that cannot be read is an `InputError`."""
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]  # checked by pydantic, field by field
    except ValidationError as fault:
        first = fault.errors()[0]
        name = "FRAUD_" + "_".join(str(part) for part in first["loc"]).upper()
        raise InputError(f"The setting {name} cannot be used: {first['msg'].removeprefix('Value error, ')}.") from fault
