"""A small internet on loopback: virtual hosts over HTTP and HTTPS, a name server and a registry, made for a test."""

from __future__ import annotations

import gzip
import json
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingUDPServer

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

HTML = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Asked:
    """A request as a site sees it; header names are lower case."""

    host: str
    path: str
    headers: Mapping[str, str]

    @property
    def is_crawler(self) -> bool:
        """Whether it comes under the crawler's own name."""
        return "AffiliateScreening" in self.headers.get("user-agent", "")

    @property
    def is_phone(self) -> bool:
        """Whether it comes from a phone."""
        return "Mobile" in self.headers.get("user-agent", "")

    @property
    def from_search(self) -> bool:
        """Whether it comes from a search engine."""
        return "google." in self.headers.get("referer", "")


@dataclass(frozen=True)
class Answer:
    """What a site says."""

    body: bytes = b""
    status: int = 200
    kind: str = HTML
    location: str = ""


def page(text: str) -> Answer:
    """A page."""
    return Answer(text.encode())


def redirect(location: str) -> Answer:
    """A redirect."""
    return Answer(status=302, location=location)


Pages = Callable[[Asked], Answer | None]
"""What a site answers; None is a 404."""


@dataclass(frozen=True)
class Host:
    """A site: what it answers, whether it speaks HTTPS (and under a name its certificate has), and what registry and name server say."""

    pages: Pages
    secure: bool = True
    age_days: int = 900
    expires_days: int = 200
    statuses: tuple[str, ...] = ("client transfer prohibited",)
    mail: tuple[str, ...] = ("10 mail",)
    texts: tuple[str, ...] = ()
    any_subdomain: bool = False
    certified: bool = True


@dataclass
class Internet:
    """Everything that runs: `hosts` may be added to, `asked` is what was asked for as `host path`."""

    hosts: dict[str, Host]
    now: datetime
    http: int = 0
    https: int = 0
    dns: int = 0
    rdap: int = 0
    asked: list[str] = field(default_factory=list)

    def settings(self, ca_file: Path) -> dict[str, object]:
        """The product's settings that lead here."""
        return {
            "crawl_connect_to": f"80=127.0.0.1:{self.http},443=127.0.0.1:{self.https}",
            "crawl_ca_file": ca_file,
            "crawl_dns": f"127.0.0.1:{self.dns}",
            "rdap_url": f"http://127.0.0.1:{self.rdap}/",
            "crawl_delay": 0.0,
        }

    def host(self, name: str) -> Host | None:
        """The site of a name, or of the name above it when that answers for every name below."""
        name = name.removeprefix("www.")
        above = self.hosts.get(name.partition(".")[2])
        return self.hosts.get(name) or (above if above and above.any_subdomain else None)


def _web(internet: Internet, *, secure: bool) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            name = self.headers.get("Host", "").partition(":")[0].lower()
            internet.asked.append(f"{name} {self.path}")
            site = internet.host(name)
            asked = Asked(name, self.path, {key.lower(): value for key, value in self.headers.items()})
            answer = site.pages(asked) if site and (site.secure == secure or name.endswith("tracking.test")) else None
            if site is not None and secure and not site.secure:
                self.close_connection = True  # nothing listens there
                return
            if site is not None and site.secure and not secure:
                answer = redirect(f"https://{name}{self.path}")
            self._send(answer or Answer(b"<title>Not found</title><p>There is no such page.</p>", 404))

        def _send(self, answer: Answer) -> None:
            self.send_response(answer.status)
            if answer.location:
                self.send_header("Location", answer.location)
            self.send_header("Content-Type", answer.kind)
            body = answer.body
            if "gzip" in self.headers.get("Accept-Encoding", "") and len(body) > 500:
                body = gzip.compress(body, 1)
                self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Says nothing."""

        def handle(self) -> None:
            with suppress(ConnectionError, ssl.SSLError):
                super().handle()

    return Handler


def _registry(internet: Internet) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.rpartition("/")[2]
            site = internet.hosts.get(name)
            said = json.dumps(rdap_answer(name, site, internet.now) if site else {"errorCode": 404}).encode()
            self.send_response(200 if site else 404)
            self.send_header("Content-Type", "application/rdap+json")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *args: object) -> None:
            """Says nothing."""

    return Handler


def rdap_answer(name: str, site: Host, now: datetime) -> dict[str, object]:
    """What a registry says of a name (RFC 9083)."""
    registered, expires = now - timedelta(days=site.age_days), now + timedelta(days=site.expires_days)
    return {
        "objectClassName": "domain",
        "ldhName": name,
        "status": list(site.statuses),
        "events": [
            {"eventAction": "registration", "eventDate": registered.isoformat()},
            {"eventAction": "expiration", "eventDate": expires.isoformat()},
        ],
        "entities": [
            {"roles": ["registrar"], "vcardArray": ["vcard", [["version", {}, "text", "4.0"], ["fn", {}, "text", "A Registrar"]]]}
        ],
    }


def _names(internet: Internet) -> type[BaseRequestHandler]:
    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            data, socket = self.request
            with suppress(dns.exception.DNSException):
                socket.sendto(dns_answer(internet, data), self.client_address)

    return Handler


def dns_answer(internet: Internet, data: bytes) -> bytes:
    """What a name server says: addresses, a name server, mail servers and texts of each site, and nothing of any other name."""
    asked = dns.message.from_wire(data)
    said = dns.message.make_response(asked)
    said.flags |= dns.flags.RA
    question = asked.question[0]
    name = str(question.name).rstrip(".").lower()
    site = internet.host(name)
    kind = dns.rdatatype.to_text(question.rdtype)
    if site is None:
        said.set_rcode(dns.rcode.NXDOMAIN)
        return said.to_wire()
    held = {
        "A": ["127.0.0.1"],
        "NS": ["ns1.names.test."],
        "MX": [f"{mail}.{name}." if not mail.endswith(".") else mail for mail in site.mail],
        "TXT": [f'"{text}"' for text in site.texts],
    }.get(kind, [])
    if held:
        said.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *held))
    return said.to_wire()


@contextmanager
def internet(hosts: Mapping[str, Host], now: datetime, certificate: Path) -> Iterator[Internet]:
    """Runs all servers for the length of a block; `certificate` (PEM with key) must name the hosts that speak HTTPS."""
    made = Internet(dict(hosts), now)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    web = ThreadingHTTPServer(("127.0.0.1", 0), _web(made, secure=False))
    tls = ThreadingHTTPServer(("127.0.0.1", 0), _web(made, secure=True))
    tls.socket = context.wrap_socket(tls.socket, server_side=True, do_handshake_on_connect=False)
    registry = ThreadingHTTPServer(("127.0.0.1", 0), _registry(made))
    names = ThreadingUDPServer(("127.0.0.1", 0), _names(made))
    servers = (web, tls, registry, names)
    for server in servers:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    made.http, made.https, made.rdap, made.dns = (int(server.server_address[1]) for server in (web, tls, registry, names))
    try:
        yield made
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def certify(names: list[str], folder: Path, openssl: str) -> tuple[Path, Path]:
    """A certificate authority, and a server certificate for the names and all below each; returns the CA's file and the server's."""
    ca, ca_key, key, request, signed = (folder / name for name in ("ca.pem", "ca.key", "server.key", "server.csr", "server.pem"))
    _run(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/O=Sites/CN=Sites CA",
         "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
         "-keyout", str(ca_key), "-out", str(ca))  # fmt: skip
    _run(openssl, "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=sites.test", "-keyout", str(key), "-out", str(request))
    both = [form for name in names for form in (f"DNS:{name}", f"DNS:*.{name}")]
    extensions = folder / "extensions"
    extensions.write_text(f"subjectAltName={','.join(both)}\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n")
    _run(openssl, "x509", "-req", "-in", str(request), "-CA", str(ca), "-CAkey", str(ca_key), "-set_serial", "2", "-days", "30",
         "-extfile", str(extensions), "-out", str(signed))  # fmt: skip
    server = folder / "both.pem"
    server.write_text(signed.read_text() + key.read_text())
    return ca, server


def _run(program: str, *arguments: str) -> None:
    subprocess.run([program, *arguments], check=True, capture_output=True)
