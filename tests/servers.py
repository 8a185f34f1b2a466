"""Real servers for tests, on loopback and made for the occasion."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy import create_engine, make_url, text

_ATTEMPTS = 3
_USER = "fraud_test"


@contextmanager
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server: the one of `FRAUD_TEST_POSTGRES_URL`, or one started here and stopped at the end.

    Where neither is possible the test is skipped, or fails when `FRAUD_TEST_REQUIRE` names `postgres`.
    """
    given = os.environ.get("FRAUD_TEST_POSTGRES_URL", "")
    if given:
        yield given
        return
    programs = _find_programs()
    if programs is None:
        _give_up("PostgreSQL's initdb and pg_ctl are neither on PATH nor under /usr/lib/postgresql")
    with _folder() as folder, _started(programs, folder) as url:
        yield url


class PostgresServer:
    """A PostgreSQL of the test's own, which it may stop and start again on the same port."""

    def __init__(self, programs: Path, folder: Path, url: str) -> None:
        self._programs, self._folder, self.url = programs, folder, url

    def stop(self) -> None:
        """Stops it as a crash would."""
        words = [str(self._programs / "pg_ctl"), "stop", "--pgdata", str(self._folder / "data"), "--mode", "immediate", "--wait"]
        _run(words, self._folder)

    def start(self) -> None:
        """Starts it again, and returns once it answers."""
        _run(_start_words(self._programs, self._folder, make_url(self.url).port or 0), self._folder)


@contextmanager
def stoppable_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL started here and stopped at the end; skipped, or failed, where `postgres_server` would be."""
    programs = _find_programs()
    if programs is None:
        _give_up("PostgreSQL's initdb and pg_ctl are neither on PATH nor under /usr/lib/postgresql")
    with _folder() as folder, _started(programs, folder) as url:
        yield PostgresServer(programs, folder, url)


@contextmanager
def fresh_schema(server_url: str) -> Iterator[str]:
    """The URL of an empty schema of its own on a server, dropped at the end: tests that share a server never meet."""
    schema = f"fraud_test_{secrets.token_hex(6)}"
    url = make_url(server_url).set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(f"CREATE SCHEMA {schema}"))
            yield url.update_query_dict({"options": f"-csearch_path={schema}"}).render_as_string(hide_password=False)
            connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    finally:
        engine.dispose()


class RedisServer:
    """A Redis of the test's own on a loopback port, which it may stop and start again. It keeps nothing on disk."""

    def __init__(self, program: str, port: int) -> None:
        self._program, self._port = program, port
        self.url = f"redis://127.0.0.1:{port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it, and returns once it answers."""
        command = [self._program, "--port", str(self._port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=tempfile.gettempdir())
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
            if self._process.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError("Redis did not start.")

    @property
    def pid(self) -> int:
        """Its process, while it runs."""
        assert self._process is not None, "Redis is not running"
        return self._process.pid

    def stop(self) -> None:
        """Kills it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    """A Redis server started here and stopped at the end.

    Where there is none the test is skipped, or fails when `FRAUD_TEST_REQUIRE` names `redis`.
    """
    program = shutil.which("redis-server")
    if program is None:
        _give_up("redis-server is not on PATH", "redis")
    server = RedisServer(program, free_port())
    server.start()
    try:
        yield server
    finally:
        server.stop()


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _give_up(reason: str, what: str = "postgres") -> NoReturn:
    if what in os.environ.get("FRAUD_TEST_REQUIRE", ""):
        pytest.fail(f"{reason}, and FRAUD_TEST_REQUIRE asks for it")
    pytest.skip(reason)


def _find_programs() -> Path | None:
    """The folder that has `initdb` and `pg_ctl`, the newest version first."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    return next((folder for folder in folders if all((folder / name).exists() for name in ("initdb", "pg_ctl", "postgres"))), None)


def _version(folder: Path) -> float:
    try:
        return float(folder.parent.name)
    except ValueError:
        return 0.0


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder that belongs to the user the server runs as; PostgreSQL refuses to run as root."""
    folder = Path(tempfile.mkdtemp(prefix="fraud-postgres-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, _server_user())
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def _started(programs: Path, folder: Path) -> Iterator[str]:
    password = secrets.token_hex(16)
    data = folder / "data"
    password_file = folder / "password"
    password_file.write_text(password)
    password_file.chmod(0o644)
    access = ["--username", _USER, "--pwfile", str(password_file), "--auth", "scram-sha-256"]
    _run([str(programs / "initdb"), "--pgdata", str(data), *access, "--encoding", "UTF8", "--locale", "C", "--no-sync"], folder)
    port = _start(programs, folder)
    try:
        yield f"postgresql://{_USER}:{password}@127.0.0.1:{port}/postgres"
    finally:
        _run([str(programs / "pg_ctl"), "stop", "--pgdata", str(data), "--mode", "immediate", "--wait"], folder)


def _start(programs: Path, folder: Path) -> int:
    """Starts the server and returns its port; another port is tried when somebody was quicker."""
    for attempt in range(_ATTEMPTS):
        port = free_port()
        try:
            _run(_start_words(programs, folder, port), folder)
        except RuntimeError:
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            return port
    raise AssertionError("unreachable")


def _start_words(programs: Path, folder: Path, port: int) -> list[str]:
    options = f"-p {port} -h 127.0.0.1 -F -c unix_socket_directories='' -c timezone=Asia/Kathmandu"  # a zone nobody has by default
    command = [str(programs / "pg_ctl"), "start", "--pgdata", str(folder / "data"), "--log", str(folder / "log"), "--wait", "--options"]
    return [*command, options]


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run([*_as_server_user(), *command], cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode != 0:
        log = folder / "log"
        raise RuntimeError(f"{command[0]} failed: {done.stdout} {done.stderr} {log.read_text() if log.exists() else ''}")


def _server_user() -> str:
    """A user without privileges to run the server as."""
    import pwd  # noqa: PLC0415 -- there is none on systems without users

    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in known)


def _as_server_user() -> list[str]:
    """The words that run a command as that user, when this process is root."""
    if os.geteuid() != 0:
        return []
    user = _server_user()
    if shutil.which("setpriv"):
        return ["setpriv", f"--reuid={user}", "--regid", _group(user), "--clear-groups"]
    if shutil.which("runuser"):
        return ["runuser", "-u", user, "--"]
    return ["su", user, "-s", "/bin/sh", "-c", 'exec "$0" "$@"', "--"]


def _group(user: str) -> str:
    import pwd  # noqa: PLC0415 -- there is none on systems without users

    return str(pwd.getpwnam(user).pw_gid)
