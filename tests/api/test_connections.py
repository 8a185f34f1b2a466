"""Clients that hold a connection instead of using it: slow heads and bodies, heads without end, answers that nobody takes."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from fraud.api.connections import BoundedConnection

LARGE = 50_000_000


class Hasty(BoundedConnection):
    """The same with tenths of seconds for seconds."""

    head_seconds = 0.3
    request_seconds = 0.6
    answer_seconds = 0.3
    look_seconds = 0.1


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Echoes a body's length, or sends a large one."""
    request = Request(scope, receive)
    answer: Response = PlainTextResponse(b"x" * LARGE)
    if request.method == "POST":
        answer = PlainTextResponse(str(len(await request.body())))
    await answer(scope, receive, send)


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        config = uvicorn.Config(app, http=Hasty, log_level="critical", lifespan="off", timeout_keep_alive=30)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield listener.getsockname()
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def client(address: tuple[str, int]) -> Iterator[socket.socket]:
    with socket.create_connection(address, timeout=30) as connected:
        yield connected


def everything(client: socket.socket) -> bytes:
    """What comes until the other side hangs up."""
    parts = []
    try:
        while part := client.recv(65_536):
            parts.append(part)
    except ConnectionResetError:
        pass  # it hung up while we were sending
    return b"".join(parts)


def answered(client: socket.socket) -> tuple[int, dict[str, object]]:
    head, _, body = everything(client).partition(b"\r\n\r\n")
    assert b"application/problem+json" in head
    return int(head.split()[1]), json.loads(body)


@pytest.mark.parametrize("sent", [b"", b"POST / HTTP/1.1\r\nHost: x\r\nX-Slow: "])
def test_a_head_that_does_not_come_is_not_waited_for(client: socket.socket, sent: bytes) -> None:
    client.sendall(sent)
    status, problem = answered(client)
    assert (status, problem["code"]) == (408, "too_slow")


def test_a_head_that_comes_byte_by_byte_is_not_waited_for_either(client: socket.socket) -> None:
    client.settimeout(0.05)
    sent = b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 1_000
    received = b""
    for place in range(len(sent)):
        client.sendall(sent[place : place + 1])
        try:
            received = client.recv(100)
            break
        except TimeoutError:
            continue
    assert b" 408 " in received


def test_a_body_that_does_not_come_is_not_waited_for(client: socket.socket) -> None:
    client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{")
    status, problem = answered(client)
    assert (status, problem["code"]) == (408, "too_slow")


@pytest.mark.parametrize("line", [b"X: " + b"a" * 100_000, b"X: y\r\n" * 50_000])
def test_a_head_without_end_is_refused(client: socket.socket, line: bytes) -> None:
    client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n" + line)
    status, problem = answered(client)
    assert (status, problem["code"]) == (431, "head_too_large")


def test_what_is_no_http_is_a_problem_too(client: socket.socket) -> None:
    client.sendall(b"\x16\x03\x01\x02\x00 not HTTP at all\r\n\r\n")
    status, problem = answered(client)
    assert (status, problem["code"]) == (400, "bad_request")


def test_an_answer_that_nobody_takes_is_dropped(client: socket.socket) -> None:
    client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    client.recv(100)
    threading.Event().wait(1.5)
    assert len(everything(client)) < LARGE


def test_a_client_that_says_no_more_still_hears_its_answers(client: socket.socket) -> None:
    client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab" * 3)
    client.shutdown(socket.SHUT_WR)
    assert everything(client).count(b"\r\n\r\n2") == 3


def test_a_client_that_goes_in_the_middle_of_a_request_is_let_go(client: socket.socket) -> None:
    client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na")
    client.shutdown(socket.SHUT_WR)
    assert everything(client) == b""


def test_one_connection_serves_many_requests_and_may_rest_between_them(client: socket.socket) -> None:
    for pause in (0.0, 0.9):
        threading.Event().wait(pause)
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
        received = b""
        while not received.endswith(b"\r\n\r\n3"):
            part = client.recv(1_000)
            assert part, "it hung up"
            received += part


def pieces(client: socket.socket, body: bytes = b"1\r\n{\r\n") -> None:
    """Begins a request in pieces."""
    client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + body)


def pour(client: socket.socket, first: bytes, again: bytes) -> None:
    """Sends without end, or some twenty megabytes."""
    client.sendall(first)
    for _ in range(1_000):
        client.sendall(again)


@pytest.mark.parametrize(
    ("first", "again"),
    [(b"0\r\nX-Trailer: ", b"a" * 20_000), (b"0\r\n", b"a: b\r\n" * 3_000), (b"1;extension=", b"a" * 20_000)],
)
def test_nothing_without_end_follows_a_body_or_stands_between_its_pieces(client: socket.socket, first: bytes, again: bytes) -> None:
    pieces(client)
    with pytest.raises((ConnectionResetError, BrokenPipeError)):
        pour(client, first, again)


def test_a_large_body_in_small_pieces_is_read(client: socket.socket) -> None:
    pieces(client, b"1\r\nx\r\n" * 100_000 + b"0\r\nX-Trailer: a\r\n\r\n")
    client.shutdown(socket.SHUT_WR)
    assert everything(client).endswith(b"\r\n\r\n100000")
