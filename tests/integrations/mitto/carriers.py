"""Carriers that behave or misbehave: real servers on loopback, each in its own thread."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

WAIT_SECONDS = 10

# A certificate that nobody trusts, and its key, made for these tests; it guards nothing.
UNTRUSTED_KEY = """\
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgPwgjul7HRdS5rrD61Il0cV9YseGVaD9pVztVpRn9h0GhRANCAATCco0lfBfU
gnN7iXFXhJmyQj4v0lj4RCPwkyDMHHTjR9Z5TvIdXEHBy5WI0p7d82rp6jyr0suJgWbZ6Ht+qgDo
"""
UNTRUSTED_CERTIFICATE = """\
MIIBjzCCATWgAwIBAgIUBSCqLyUkHY8CYu3E+3ulT9PW3howCgYIKoZIzj0EAwIwETEPMA0GA1UEAwwGbm9ib2R5MCAXDTI2MTEyNDEzNDQ1
OFoYDzIxMjYxMDMxMTM0NDU4WjARMQ8wDQYDVQQDDAZub2JvZHkwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATCco0lfBfUgnN7iXFXhJmy
Qj4v0lj4RCPwkyDMHHTjR9Z5TvIdXEHBy5WI0p7d82rp6jyr0suJgWbZ6Ht+qgDoo2kwZzAdBgNVHQ4EFgQUurBK1C7/cPT5t9AXJyYpmzvx
ZZMwHwYDVR0jBBgwFoAUurBK1C7/cPT5t9AXJyYpmzvxZZMwDwYDVR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZI
zj0EAwIDSAAwRQIgW2Q+RYSn9vt4FFcnVmhvAJMUvkBjKUOJshzmqSI641UCIQC0WI3hrsklYsIcu1+o+LGMdQGc7Eo3Rsol8Clykhq96Q==
"""


@dataclass(frozen=True)
class Asked:
    """One request as it arrived. `caller` is one address per connection."""

    caller: tuple[str, int]
    method: str
    path: str
    headers: Message
    body: bytes

    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Said:
    """What the carrier answers."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Carrier:
    """An HTTP server's address, and what it was asked."""

    url: str
    requests: list[Asked] = field(default_factory=list)

    def connections(self) -> int:
        """How many connections the requests came through."""
        return len({asked.caller for asked in self.requests})


class PatientServer(ThreadingHTTPServer):
    """One that lets more than five callers wait to be accepted: a busy machine would reset the sixth."""

    request_queue_size = 128


@contextmanager
def carrier(answer: Callable[[Asked], Said]) -> Iterator[Carrier]:
    """A server that keeps connections open and lets `answer` decide."""
    seen = Carrier("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked = Asked(self.client_address, self.command, self.path, self.headers, body)
            seen.requests.append(asked)
            said = answer(asked)
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said.body)))
            self.end_headers()
            self.wfile.write(said.body)

        do_GET = do_POST = serve  # noqa: N815  http.server looks for these names

        def log_message(self, *args: Any) -> None:
            pass

    with PatientServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        seen.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield seen
        finally:
            server.shutdown()
            thread.join(WAIT_SECONDS)


@contextmanager
def carrier_saying(body: object, status: int = 200, **headers: str) -> Iterator[Carrier]:
    """A server that always answers `body`: as it is if it is bytes, else as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    said = Said(raw, status, {name.replace("_", "-"): value for name, value in headers.items()})
    with carrier(lambda _: said) as running:
        yield running


@contextmanager
def raw_carrier(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """A TCP server that gives each connection to `serve`, in turn, and closes it afterwards."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        while True:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                if stopped.is_set():
                    return
                connection.settimeout(WAIT_SECONDS)
                serve(connection)

    stopped = threading.Event()
    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stopped.set()
        socket.create_connection(listener.getsockname()).close()
        thread.join(WAIT_SECONDS)
        listener.close()


def read_request(connection: socket.socket) -> bytes:
    """One whole request."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    expected = int(lengths[0].split(b":")[1]) if lengths else 0
    while len(body) < expected:
        body += connection.recv(65536)
    return body


def wait_for_hang_up(connection: socket.socket) -> None:
    """Say nothing until the caller goes away."""
    while connection.recv(65536):
        pass


def reset(connection: socket.socket) -> None:
    """Close so that the caller gets a reset instead of an end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def untrusted_tls(folder: Path) -> ssl.SSLContext:
    """A server's side of TLS with a certificate that nobody trusts."""
    name = "PRIVATE KEY"
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    key.write_text(f"-----BEGIN {name}-----\n{UNTRUSTED_KEY}-----END {name}-----\n")
    certificate.write_text(f"-----BEGIN CERTIFICATE-----\n{UNTRUSTED_CERTIFICATE}-----END CERTIFICATE-----\n")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
