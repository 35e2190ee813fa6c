"""A wire between a worker and the carrier that can be cut, clamped or bent at an exact byte.

The sandbox's own faults strike "the next call"; what happens here is under the test's control to the byte: a
request is stopped half-way, an answer is kept back until somebody has died, or comes changed.
"""

from __future__ import annotations

import http.client
import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

SMALL_BUFFER = 4096  # the kernel must not take in a request that nobody reads
RESET_AT_CLOSE = struct.pack("ii", 1, 0)
PATIENCE_SECONDS = 90

Answer = dict[str, Any]


@dataclass
class Trouble:
    """What happens to one send call. `reached` is set at that point.

    `stop` is "body" (half of the request read), "before" (nothing passed on yet) or "answer" (the carrier has
    accepted, the worker has not heard). It lasts for `seconds`, or until `release` is set. `end` then lets
    the call go on, or resets the connection.
    """

    stop: str = ""
    seconds: float = PATIENCE_SECONDS
    end: str = "go on"
    change: Callable[[Answer], Answer] | None = None
    reached: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)
    bytes_read: int = 0
    bytes_announced: int = 0

    def halt(self, place: str) -> bool:
        """Stop here if this is the place; True when the connection shall be reset now."""
        if self.stop != place:
            return False
        self.reached.set()
        self.release.wait(self.seconds)
        return self.end == "reset"


@dataclass(frozen=True)
class Passed:
    """A send call that reached the carrier, and when (monotonic)."""

    at: float
    phones: tuple[str, ...]


class Gate:
    """A listening wire to `target`. `latency_seconds` is added to every send call."""

    def __init__(self, target: str, latency_seconds: float = 0.0) -> None:
        self.target = urlsplit(target)
        self.latency_seconds = latency_seconds
        self.passed: list[Passed] = []
        self._troubles: list[Trouble] = []
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Wire)
        self._server.gate = self
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def next_call(self, trouble: Trouble) -> Trouble:
        """Let `trouble` happen to the next send call that has none yet."""
        with self._lock:
            self._troubles.append(trouble)
        return trouble

    def take_trouble(self) -> Trouble:
        with self._lock:
            return self._troubles.pop(0) if self._troubles else Trouble()

    def note(self, body: bytes) -> None:
        phones = tuple(message["destination"] for message in json.loads(body)["messages"])
        with self._lock:
            self.passed.append(Passed(time.monotonic(), phones))

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    gate: Gate

    def server_bind(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        super().server_bind()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A worker that was killed leaves a broken pipe: that is what we are here for."""


class _Wire(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        gate, length = self.server.gate, int(self.headers["Content-Length"])
        trouble = gate.take_trouble()
        trouble.bytes_announced = length
        half = self.rfile.read(length // 2)
        trouble.bytes_read = len(half)
        if trouble.halt("body"):
            return self._reset()
        body = half + self.rfile.read(length - len(half))
        if trouble.halt("before") or len(body) < length:
            return self._reset()
        gate.note(body)
        status, answer = self._pass_on("POST", body)
        time.sleep(gate.latency_seconds)
        if trouble.halt("answer"):
            return self._reset()
        if trouble.change and status == http.client.OK:
            answer = json.dumps(trouble.change(json.loads(answer))).encode()
        self._reply(status, answer)

    def do_GET(self) -> None:
        self._reply(*self._pass_on("GET", None))

    def _pass_on(self, method: str, body: bytes | None) -> tuple[int, bytes]:
        target = self.server.gate.target
        connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=PATIENCE_SECONDS)
        headers = {"Content-Type": "application/json", "X-Mitto-API-Key": self.headers["X-Mitto-API-Key"]}
        try:
            connection.request(method, self.path, body, headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def _reply(self, status: int, answer: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
        self.close_connection = True
        self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:
        pass
