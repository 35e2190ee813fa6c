"""Doing the same thing many times at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from flask import Flask
from flask.testing import FlaskClient

T = TypeVar("T")


def at_once(app: Flask, times: int, do: Callable[[FlaskClient], T]) -> list[T]:
    """What `do` returns in each of `times` threads that start together, each with its own client."""
    start = Barrier(times, timeout=30)

    def run() -> T:
        start.wait()
        return do(app.test_client())

    with ThreadPoolExecutor(times) as threads:
        return [running.result() for running in [threads.submit(run) for _ in range(times)]]
