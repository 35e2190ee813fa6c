"""A client process for `bench.reports`: a few kept-alive connections that post bodies, or get an empty route.

It writes to plain sockets, because on two cores an ordinary client costs as much as the server it measures.
"""

from __future__ import annotations

import json
import re
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)
IN_PIECES = b"\r\ntransfer-encoding: chunked"
CHUNK = 65_536


class Connection:
    """One kept-alive HTTP/1.1 connection."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._socket = self._connect()

    def status_of(self, request: bytes) -> int:
        """Send a whole request, read the whole answer, return its status."""
        return int(self.answer_to(request)[0][9:12])

    def answer_to(self, request: bytes) -> tuple[bytes, bytes]:
        """The head and the body of the answer; a body that comes in pieces keeps their sizes."""
        try:
            return self._exchange(request)
        except ConnectionError:  # the server closes a connection after so many requests, or when idle
            self._socket = self._connect()
            return self._exchange(request)

    def close(self) -> None:
        self._socket.close()

    def _connect(self) -> socket.socket:
        made = socket.create_connection(self._address, timeout=60)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def _exchange(self, request: bytes) -> tuple[bytes, bytes]:
        self._socket.sendall(request)
        answer = self._more(b"")
        while b"\r\n\r\n" not in answer:
            answer = self._more(answer)
        head, _, body = answer.partition(b"\r\n\r\n")
        if IN_PIECES in head.lower():
            return head, self._pieces(body)
        length = LENGTH.search(head)
        expected = int(length[1]) if length else 0
        while len(body) < expected:
            body = self._more(body)
        return head, body

    def _pieces(self, body: bytes) -> bytes:
        """The whole of a body in pieces, each behind a line with its size; the last one is empty."""
        begin, size = 0, -1
        while size:
            while (end := body.find(b"\r\n", begin)) < 0:
                body = self._more(body)
            size = int(body[begin:end], 16)
            begin = end + size + 4  # behind the line ends of the size and of the piece
            while len(body) < begin:
                body = self._more(body)
        return body

    def _more(self, so_far: bytes) -> bytes:
        received = self._socket.recv(CHUNK)
        if not received:
            raise ConnectionResetError
        return so_far + received


def run(host: str, port: int, requests: Sequence[bytes], connections: int) -> dict[str, float]:
    """Send all requests over so many connections at once; when it began, when it ended, how many failed."""
    queue, failures = iter(requests), [0]
    lock = threading.Lock()

    def work() -> None:
        connection = Connection(host, port)
        for request in _shared(queue, lock):
            if connection.status_of(request) >= 300:
                failures[0] += 1

    threads = [threading.Thread(target=work) for _ in range(connections)]
    start = time.time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"start": start, "end": time.time(), "failures": failures[0]}


def _shared(queue: Iterator[bytes], lock: threading.Lock) -> Iterator[bytes]:
    while True:
        with lock:
            request = next(queue, None)
        if request is None:
            return
        yield request


def posts(host: str, path: str, bodies: Sequence[str], headers: dict[str, str]) -> list[bytes]:
    """The bytes of a POST for every body."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n{lines}"
    return [f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode() for body in bodies]


def main(arguments: Sequence[str]) -> None:
    """The order comes as a file, because it may be large: host, port, connections, and what to send."""
    order = json.loads(Path(arguments[0]).read_text())
    host, port = order["host"], order["port"]
    if "get" in order:
        requests = [f"GET {order['get']} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()] * order["times"]
    else:
        requests = posts(host, order["post"], order["bodies"], order["headers"])
    print(json.dumps(run(host, port, requests, order["connections"])))


if __name__ == "__main__":
    main(sys.argv[1:])
