"""One embedded PostgreSQL cluster: made on first use, reached by a Unix socket."""

from __future__ import annotations

import contextlib
import hashlib
import locale
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import psycopg2

from app.local.account import place_for, run_as_server, server_account
from app.local.errors import LocalServersUnavailable, writing_to

APP_ROLE = "astronote_app"
OWNER_ROLE = "astronote_owner"
DATABASE = "astronote"

START_SECONDS = 60
POLL_SECONDS = 0.05
LONGEST_SOCKET_FOLDER = 85  # a socket's whole path has at most 107 bytes on Linux, 103 on macOS

# The defaults are made for a small shared machine: they cost almost half of the insert rate.
SETTINGS = {
    "listen_addresses": "",
    "port": "5432",
    "max_connections": "200",
    "shared_buffers": "1GB",
    "max_wal_size": "4GB",
    "min_wal_size": "256MB",
    "wal_compression": "on",
    "checkpoint_timeout": "15min",
    "autovacuum_vacuum_scale_factor": "0.02",
    "autovacuum_analyze_scale_factor": "0.02",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}

INITDB_OPTIONS = (
    *("--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-instructions", "--no-sync"),
    # Greek upper and lower case without depending on the machine's own locales.
    *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
)

# Tables made by the owner, in this and any later database, can be used by the app: migrations only narrow.
ROLES_SQL = """
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'astronote_owner') THEN
    CREATE ROLE astronote_owner LOGIN NOSUPERUSER NOBYPASSRLS CREATEDB;
    GRANT pg_signal_backend TO astronote_owner;  -- DROP DATABASE … WITH (FORCE) of a test database
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'astronote_app') THEN
    CREATE ROLE astronote_app LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
  END IF;
END $$;
ALTER DEFAULT PRIVILEGES FOR ROLE astronote_owner
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO astronote_app;
ALTER DEFAULT PRIVILEGES FOR ROLE astronote_owner
  GRANT USAGE, SELECT ON SEQUENCES TO astronote_app;
"""


class Postgres:
    """The cluster that belongs to `folder`. Start and stop may be called by any process, in any state."""

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        place = place_for(folder)
        self.home = place.home
        self._programs = place.programs
        self._data = place.home / "data"
        self._settings = {**SETTINGS, **(settings or {})}
        self._socket_folder = _socket_folder(place.home)

    def url(self, role: str, database: str = DATABASE) -> str:
        """A libpq URL; the same for as long as the folder stays where it is."""
        host = quote(str(self._socket_folder), safe="/")
        return f"postgresql://{role}@/{database}?host={host}&port={self._settings['port']}"

    def start(self) -> None:
        """Make sure that the cluster exists, runs and has its roles. Raises LocalServersUnavailable."""
        if self.answers():
            return
        self._create_cluster()
        self._write_settings()
        self._forget_a_dead_server()
        self._launch()
        self._prepare_roles()

    def stop(self, mode: str = "fast") -> None:
        """Stop by 'smart', 'fast' or 'immediate' (a crash: recovery at the next start). Stopped is fine."""
        if self.pid() is None:
            return
        done = self._control("stop", "-m", mode)
        if done.returncode != 0 and self.pid() is not None:
            # A busy machine can take longer over the last checkpoint than pg_ctl waits. Committed work is
            # in the log already, so a crash loses nothing.
            done = self._control("stop", "-m", "immediate")
        if done.returncode != 0 and self.pid() is not None:
            raise LocalServersUnavailable(f"PostgreSQL did not stop: {_last_line(done.stderr)}")

    def kill(self) -> None:
        """SIGKILL the running server and wait until it is gone; its sessions notice by themselves."""
        pid = self.pid()
        if pid is None:
            return
        os.kill(pid, signal.SIGKILL)
        while self.pid() is not None:
            time.sleep(POLL_SECONDS)

    def answers(self) -> bool:
        """Whether a client could connect now."""
        try:
            psycopg2.connect(self.url("postgres", "postgres"), connect_timeout=5).close()
        except psycopg2.OperationalError:
            return False
        return True

    def pid(self) -> int | None:
        """The running server's process id; None for a stopped server or a stale pid file."""
        try:
            pid = int((self._data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None
        return pid if _is_postgres_of(pid, self._data) else None

    def _create_cluster(self) -> None:
        if not (self._data / "PG_VERSION").exists():
            # Made beside and renamed: an interrupted initdb must not look like a cluster.
            draft = self._data.with_name("data.draft")
            shutil.rmtree(draft, ignore_errors=True)
            made = run_as_server(
                [self._programs / "initdb", "-D", draft, *INITDB_OPTIONS, f"--lc-ctype={_unicode_locale()}"]
            )
            if made.returncode != 0:
                raise LocalServersUnavailable(f"PostgreSQL could not make {draft}: {_last_line(made.stderr)}")
            draft.rename(self._data)
        self._check_version()

    def _check_version(self) -> None:
        theirs = (self._data / "PG_VERSION").read_text().strip()
        ours = run_as_server([self._programs / "postgres", "--version"]).stdout.split()[-1].split(".")[0]
        if theirs != ours:
            raise LocalServersUnavailable(
                f"{self._data} is of PostgreSQL {theirs}, installed is {ours}: remove it to start empty."
            )

    def _write_settings(self) -> None:
        settings = {**self._settings, "unix_socket_directories": str(self._socket_folder)}
        lines = [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'" for name, value in settings.items()]
        with writing_to(self._data):
            for name, text in {
                "postgresql.conf": "\n".join(lines) + "\n",
                # The socket's folder is private to the server's account and root: that is the lock.
                "pg_hba.conf": "local all all trust\n",
            }.items():
                path = self._data / name
                path.write_text(text)
                path.chmod(0o644)

    def _forget_a_dead_server(self) -> None:
        """Wait for a server that is just starting or ending; remove what a killed one left behind."""
        deadline = time.monotonic() + START_SECONDS
        while self.pid() is not None and not self.answers():
            if time.monotonic() > deadline:
                raise LocalServersUnavailable(
                    f"PostgreSQL (process {self.pid()}) has stopped answering: end it."
                )
            time.sleep(POLL_SECONDS)
        if self.pid() is None:
            # PostgreSQL would refuse to start while that number exists: as another program by now, or as a
            # dead process that a container's first process never collects.
            socket = self._socket_folder / f".s.PGSQL.{self._settings['port']}"
            for left in (self._data / "postmaster.pid", socket, socket.with_name(f"{socket.name}.lock")):
                left.unlink(missing_ok=True)

    def _launch(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while self.pid() is None:
            log_end = self._log_size()
            started = self._control("start", "-l", self.home / "server.log")
            if started.returncode == 0:
                return
            reason = self._reason_since(log_end) or _last_line(started.stderr)
            # The sessions of a killed server need a moment to notice it and let go of its memory.
            if "shared memory block" not in reason or time.monotonic() > deadline:
                raise LocalServersUnavailable(f"PostgreSQL did not start: {reason}")
            time.sleep(POLL_SECONDS)

    def _prepare_roles(self) -> None:
        # New databases are copies of template1 and take its default privileges with them.
        self._as_superuser("template1", ROLES_SQL)
        exists = self._as_superuser("postgres", f"SELECT FROM pg_database WHERE datname = '{DATABASE}'")
        if not exists:
            self._as_superuser("postgres", f"CREATE DATABASE {DATABASE} OWNER {OWNER_ROLE}")

    def _as_superuser(self, database: str, sql: str) -> int:
        connection = psycopg2.connect(self.url("postgres", database))
        try:
            connection.autocommit = True  # CREATE DATABASE takes no transaction
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.rowcount
        finally:
            connection.close()

    def _control(self, action: str, *options: str | Path) -> subprocess.CompletedProcess[str]:
        return run_as_server(
            [self._programs / "pg_ctl", "-D", self._data, "-w", "-t", str(START_SECONDS), *options, action]
        )

    def _log_size(self) -> int:
        log = self.home / "server.log"
        return log.stat().st_size if log.exists() else 0

    def _reason_since(self, offset: int) -> str:
        log = self.home / "server.log"
        if not log.exists():
            return ""
        lines = log.read_bytes()[offset:].decode(errors="replace").splitlines()
        fatal = [line.split("FATAL:", 1)[1].strip() for line in lines if "FATAL:" in line]
        return fatal[-1] if fatal else ""


def _socket_folder(home: Path) -> Path:
    """`home` itself, or a private folder under the temporary one when that path is too long for a socket."""
    if len(str(home).encode()) <= LONGEST_SOCKET_FOLDER:
        return home
    name = hashlib.sha256(str(home).encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"astronote-socket-{name}"
    account = server_account()
    owner = home.stat()
    with writing_to(folder):
        folder.mkdir(mode=0o700, exist_ok=True)
        if account and folder.lstat().st_uid != owner.st_uid:
            shutil.chown(folder, account.pw_uid, account.pw_gid)
    if folder.lstat().st_uid != owner.st_uid:
        raise LocalServersUnavailable(f"{folder} belongs to somebody else: remove it and start again.")
    return folder


def _is_postgres_of(pid: int, data: Path) -> bool:
    import psutil  # a development package; its absence has been reported by now

    try:
        process = psutil.Process(pid)
        command = process.cmdline()
        return process.status() != psutil.STATUS_ZOMBIE and "postgres" in command[0] and str(data) in command
    except (psutil.Error, IndexError):
        return False


def _unicode_locale() -> str:
    """A locale that knows Greek letters: pg_trgm asks the C library which characters are letters."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        for name in ("C.UTF-8", "en_US.UTF-8"):
            with contextlib.suppress(locale.Error):
                return locale.setlocale(locale.LC_CTYPE, name)
        return "C"
    finally:
        locale.setlocale(locale.LC_CTYPE, before)


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[-1]
