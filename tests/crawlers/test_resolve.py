"""Asking a name server of the operator's choice."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from crawlers.errors import LookupFailed, RefusedAddress, SettingsError
from crawlers.limits import CrawlSettings, Limits
from crawlers.resolve import Resolver, ServerLookup
from tests.crawlers.servers import run

RECORDS = {
    ("shop.test.", "A"): "93.184.216.34",
    ("shop.test.", "AAAA"): "2606:4700::1111",
    ("old.test.", "A"): "93.184.216.34",
    ("inside.test.", "A"): "93.184.216.34",
    ("inside.test.", "AAAA"): "fd00::1",
}


def reply(question: dns.message.Message) -> dns.message.Message:
    """Answer from the table; names that are in no row do not exist."""
    name, kind = question.question[0].name.to_text(), dns.rdatatype.to_text(question.question[0].rdtype)
    answer = dns.message.make_response(question)
    answer.flags |= dns.flags.RA
    if (name, kind) in RECORDS:
        answer.answer.append(dns.rrset.from_text(name, 60, "IN", kind, RECORDS[name, kind]))
    elif name not in {known for known, _ in RECORDS}:
        answer.set_rcode(dns.rcode.NXDOMAIN)
    return answer


@contextmanager
def name_server() -> Iterator[int]:
    """Run a name server on loopback; yields its port."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("127.0.0.1", 0))
    listener.settimeout(0.05)
    closing = threading.Event()

    def serve() -> None:
        while not closing.is_set():
            try:
                packet, sender = listener.recvfrom(4096)
            except TimeoutError:
                continue
            listener.sendto(reply(dns.message.from_wire(packet)).to_wire(), sender)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        closing.set()
        thread.join()
        listener.close()


def test_both_kinds_of_addresses_are_asked_for() -> None:
    with name_server() as port:
        resolver = Resolver(CrawlSettings(dns=("127.0.0.1", port)))
        assert [str(address) for address in run(resolver.addresses("shop.test"))] == ["93.184.216.34", "2606:4700::1111"]
        assert [str(address) for address in run(resolver.addresses("old.test"))] == ["93.184.216.34"]


def test_one_private_address_among_the_answers_refuses_the_name() -> None:
    with name_server() as port, pytest.raises(RefusedAddress, match="fd00::1"):
        run(Resolver(CrawlSettings(dns=("127.0.0.1", port))).addresses("inside.test"))


def test_a_name_that_does_not_exist() -> None:
    with name_server() as port, pytest.raises(LookupFailed) as failed:
        run(Resolver(CrawlSettings(dns=("127.0.0.1", port))).addresses("gone.test"))
    assert failed.value.kind == "dns"


def test_a_silent_name_server_is_not_waited_for() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        settings = CrawlSettings(dns=("127.0.0.1", silent.getsockname()[1]), limits=Limits(connect_seconds=0.2))
        with pytest.raises(LookupFailed, match="in time") as failed:
            run(Resolver(settings).addresses("shop.test"))
    assert failed.value.kind == "dns"


def test_a_name_server_given_by_name_must_be_known_to_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(host: str) -> list[str]:
        raise OSError(f"unknown {host}")

    monkeypatch.setattr("crawlers.resolve.system_lookup", nothing)
    with pytest.raises(SettingsError, match="resolver"):
        run(ServerLookup("resolver", 53)("shop.test"))


def test_the_systems_own_look_up_finds_loopback_and_it_is_refused() -> None:
    with pytest.raises(RefusedAddress, match="not a public address"):
        run(Resolver(CrawlSettings()).addresses("localhost"))
