"""A server of objects on this machine, in the protocol of S3: for tests of the lake beyond one machine."""

from __future__ import annotations

import logging
import os
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def object_server() -> Iterator[str]:
    """Starts a server and lets the environment name it; gives its endpoint."""
    server = pytest.importorskip("moto.server", reason="moto is not installed").ThreadedMotoServer(
        ip_address="127.0.0.1", port=0, verbose=False
    )
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "tester",
            "AWS_SECRET_ACCESS_KEY": "tester",
            "AWS_REGION": "us-east-1",
        }.items():
            patch.setenv(name, value)
        yield endpoint
    server.stop()


def new_bucket() -> str:
    """The URL of a folder in an empty bucket of the server that the environment names."""
    name = f"bucket-{uuid.uuid4().hex}"
    request = urllib.request.Request(f"{os.environ['AWS_ENDPOINT_URL']}/{name}", method="PUT")
    with urllib.request.urlopen(request):
        return f"s3://{name}/lake"
