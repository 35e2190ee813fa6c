"""`embedded_servers()`: a PostgreSQL and a Valkey for as long as somebody needs them.

Every user of a data folder holds a shared lock on it; who starts or stops servers holds the exclusive gate.
The last user to leave stops the servers. The kernel releases a killed process's locks, so what it leaves
running is taken over by the next user, and stopped with it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import redis

from app.local.account import place_for, shelter
from app.local.errors import LocalServersUnavailable, writing_to
from app.local.postgres import APP_ROLE, OWNER_ROLE, Postgres
from app.local.valkey import Valkey

DATA_DIR = Path(".local")
SERVER_VARIABLES = ("DATABASE_URL", "DIRECT_URL", "REDIS_URL")


@dataclass
class LocalServers:
    """What `embedded_servers` yields: the variables to hand to processes, and handles for fault tests."""

    env: dict[str, str] = field(default_factory=dict)
    _postgres: Postgres | None = None
    _valkey: Valkey | None = None

    def stop_postgres(self, mode: str = "fast") -> None:
        """Stop PostgreSQL: 'smart', 'fast', or 'immediate' (a crash without SIGKILL)."""
        self._embedded_postgres().stop(mode)

    def start_postgres(self) -> None:
        """Start PostgreSQL under the same URLs, recovering from a crash if there was one."""
        self._embedded_postgres().start()

    def restart_postgres(self, mode: str = "immediate") -> None:
        """Every session ends, as in a failover; returns when connections are accepted again."""
        self.stop_postgres(mode)
        self.start_postgres()

    def kill_postgres(self) -> None:
        """SIGKILL the server; returns when it is gone. What was committed is there after `start_postgres`."""
        self._embedded_postgres().kill()

    def postgres_pid(self) -> int | None:
        """The server's process id; None when it is down."""
        return self._embedded_postgres().pid()

    def stop_redis(self) -> None:
        self._embedded_valkey().stop()

    def start_redis(self) -> None:
        """Start Valkey, empty. Raises LocalServersUnavailable when its old port has been taken."""
        valkey = self._embedded_valkey()
        valkey.start()
        if valkey.url() != self.env["REDIS_URL"]:
            raise LocalServersUnavailable("Valkey's port was taken by another program while it was stopped.")

    def redis_flush(self) -> None:
        """Forget everything in the server behind REDIS_URL."""
        client = redis.Redis.from_url(self.env["REDIS_URL"])
        try:
            client.flushall()
        finally:
            client.close()

    def _embedded_postgres(self) -> Postgres:
        if self._postgres is None:
            raise LocalServersUnavailable("DATABASE_URL is set: that server is not ours to start or stop.")
        return self._postgres

    def _embedded_valkey(self) -> Valkey:
        if self._valkey is None:
            raise LocalServersUnavailable("REDIS_URL is set: that server is not ours to start or stop.")
        return self._valkey


@contextmanager
def embedded_servers(
    data_dir: Path = DATA_DIR,
    *,
    settings: Mapping[str, str] | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Iterator[LocalServers]:
    """Yield DATABASE_URL, DIRECT_URL and REDIS_URL of servers that run; start those that are not set.

    Users of one `data_dir` share its servers, users of different ones never meet. `settings` are added to
    postgresql.conf by the user who starts the server. Raises LocalServersUnavailable.
    """
    given = {name: environ[name] for name in SERVER_VARIABLES if environ.get(name)}
    servers = LocalServers(given)
    if "DATABASE_URL" in given and "REDIS_URL" in given:
        yield servers
        return
    data_dir = _make(data_dir)
    with (data_dir / "users.lock").open("a") as users:
        with _gate(data_dir):
            fcntl.flock(users, fcntl.LOCK_SH)
            try:
                _start_missing(servers, data_dir, settings)
            except BaseException:
                _stop_if_last(servers, users)
                raise
        try:
            yield servers
        finally:
            with _gate(data_dir):
                _stop_if_last(servers, users)


def remove(data_dir: Path = DATA_DIR) -> None:
    """Stop leftover servers of `data_dir` and delete it. Raises LocalServersUnavailable when it is in use."""
    if not data_dir.exists():
        return
    data_dir = data_dir.resolve()
    folder = data_dir / "postgres"
    with (data_dir / "users.lock").open("a") as users, _gate(data_dir):
        if not _alone(users):
            raise LocalServersUnavailable(f"{data_dir} is in use: end `make run` (or the tests) first.")
        if place_for(folder, create=False).home.exists():
            Postgres(folder).stop("immediate")
        if (data_dir / "valkey").exists():
            Valkey(data_dir / "valkey").stop()
        shutil.rmtree(shelter(folder, create=False), ignore_errors=True)
        shutil.rmtree(data_dir)


def _start_missing(servers: LocalServers, data_dir: Path, settings: Mapping[str, str] | None) -> None:
    if "DATABASE_URL" not in servers.env:
        servers._postgres = Postgres(data_dir / "postgres", settings)
        servers._postgres.start()
        servers.env["DATABASE_URL"] = servers._postgres.url(APP_ROLE)
        servers.env["DIRECT_URL"] = servers._postgres.url(OWNER_ROLE)
    if "REDIS_URL" not in servers.env:
        servers._valkey = Valkey(data_dir / "valkey")
        servers._valkey.start()
        servers.env["REDIS_URL"] = servers._valkey.url()


def _stop_if_last(servers: LocalServers, users: IO[str]) -> None:
    if not _alone(users):
        return
    if servers._valkey:
        servers._valkey.stop()
    if servers._postgres:
        servers._postgres.stop()


def _alone(users: IO[str]) -> bool:
    # Changing a shared lock to an exclusive one first gives up the shared one: a last user then finds nobody.
    fcntl.flock(users, fcntl.LOCK_UN)
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _gate(data_dir: Path) -> Iterator[None]:
    with (data_dir / "gate.lock").open("a") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        yield


def _make(data_dir: Path) -> Path:
    data_dir = data_dir.expanduser().absolute()
    with writing_to(data_dir):
        data_dir.mkdir(parents=True, exist_ok=True)
        for lock in ("users.lock", "gate.lock"):
            (data_dir / lock).touch()
    return data_dir.resolve()
