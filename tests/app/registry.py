"""A package registry and a web server for tests, on loopback: it answers as npm's does and serves whatever else it is given."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote


def packed(name: str, version: str, files: dict[str, str]) -> bytes:
    """An npm package as `npm pack` makes it."""
    about = json.dumps({"name": name, "version": version, "license": "CC0-1.0"})
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for path, text in {"package/package.json": about, **files}.items():
            member = tarfile.TarInfo(path)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return stream.getvalue()


@dataclass
class Registry:
    """What is served: paths and their bodies. `asked` are the paths in the order they were asked for."""

    url: str = ""
    bodies: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def publish(self, name: str, version: str, files: dict[str, str], *, integrity: str = "") -> bytes:
        """Makes a version the newest of a package; `integrity` replaces the true one."""
        data = packed(name, version, files)
        tarball = f"/{name}/-/{name.rpartition('/')[2]}-{version}.tgz"
        dist = {"tarball": self.url + tarball, "integrity": integrity or f"sha512-{b64encode(hashlib.sha512(data).digest()).decode()}"}
        self.bodies[f"/{name}/latest"] = json.dumps({"name": name, "version": version, "dist": dist}).encode()
        self.bodies[tarball] = data
        return data


@contextmanager
def served() -> Iterator[Registry]:
    """A registry without packages, stopped at the end."""
    registry = Registry()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = unquote(self.path)
            registry.asked.append(path)
            body = registry.bodies.get(path)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's own name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    registry.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
