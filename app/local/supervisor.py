"""`World`: the servers, the sandbox, the web process, the workers and the scheduler, up and down together."""

from __future__ import annotations

import fcntl
import http.client
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from app.local.children import Child, Program, end_leftovers, remember
from app.local.environment import HOST, SANDBOX_PORT, WEB_PORT, local_environment, migrate, usable_port
from app.local.errors import LocalServersUnavailable, writing_to
from app.local.servers import DATA_DIR, LocalServers, embedded_servers
from app.local.signals import deaf_to_signals, signals_end_the_program

READY_SECONDS = 60
POLL_SECONDS = 0.1
GRACE_SECONDS = 15
HEALTH = {"web": "/healthz", "sandbox": "/"}
WEB = (
    *("wsgi:app", "-k", "gthread", "--workers", "2", "--threads", "8", "--graceful-timeout", "10"),
    "--no-control-socket",  # it would be one file per user, shared by every world
)


def programs(web_port: int, sandbox_port: int, store: Path) -> list[Program]:
    """What `make run` runs, in the order of starting. Names are those of the Procfile."""
    python = sys.executable
    worker = (python, "worker.py")
    sandbox = (python, "-m", "app.sandbox", "--port", str(sandbox_port), "--store", str(store))
    return [
        Program("sandbox", sandbox),
        Program(
            "web", (python, "-m", "gunicorn", *WEB, "--bind", f"{HOST}:{web_port}", "--no-control-socket")
        ),
        Program("worker-sending", (*worker, "sending"), copies=2),
        Program("worker-events", (*worker, "events")),
        Program("worker-imports", (*worker, "imports")),
        Program("scheduler", (*worker, "scheduler")),
    ]


class World:
    """The running system of one data folder. Leaving the context ends everything that it started.

    `copies` changes how many of a name are started, 0 for none yet. `extra_env` goes to every process. Port 0
    is any free port. `prepare` is called with the environment and the carrier's file when the database is up
    to date and nothing runs yet. A child that dies by itself is started again up to `restarts` times, while
    `supervise` runs. Raises LocalServersUnavailable.
    """

    def __init__(
        self,
        data_dir: Path = DATA_DIR,
        *,
        web_port: int = WEB_PORT,
        sandbox_port: int = SANDBOX_PORT,
        copies: Mapping[str, int] | None = None,
        extra_env: Mapping[str, str] | None = None,
        settings: Mapping[str, str] | None = None,
        restarts: int = 5,
        prepare: Callable[[Mapping[str, str], Path], object] | None = None,
    ) -> None:
        self.data_dir = data_dir.expanduser().absolute()
        self.web_port = web_port
        self.sandbox_port = sandbox_port
        self.env: dict[str, str] = {}
        self.servers = LocalServers()
        self._copies = dict(copies or {})
        self._extra_env = dict(extra_env or {})
        self._settings = settings
        self._restarts_left = restarts
        self._prepare = prepare
        self._programs: dict[str, Program] = {}
        self._children: list[Child] = []
        self._ending = threading.Event()
        self._stack = ExitStack()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.web_port}"

    @property
    def sandbox_url(self) -> str:
        return f"http://{HOST}:{self.sandbox_port}"

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(signals_end_the_program())
            stack.enter_context(_only_world(self.data_dir))
            end_leftovers(self._register)
            self.web_port = usable_port(self.web_port, "PORT")
            self.sandbox_port = usable_port(self.sandbox_port, "SANDBOX_PORT")
            self.servers = stack.enter_context(embedded_servers(self.data_dir, settings=self._settings))
            local = local_environment(self.web_port, self.sandbox_port)
            self.env = {**local, **self.servers.env, **self._extra_env}
            migrate(self.env)
            if self._prepare:
                self._prepare(self.env, self._phones)
            stack.callback(self._end_all)
            self._start_all()
            self.wait_ready()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def start(self, name: str) -> list[int]:
        """Start the copies of `name` that are not running (one, if none was planned); their process ids."""
        program = self._programs[name]
        running = len(self.pids(name))
        started = [self._start(program) for _ in range(max(program.copies, 1) - running)]
        remember(self._children, self._register)
        return [child.pid for child in started]

    def kill(self, name: str, number: int = signal.SIGKILL) -> list[int]:
        """Signal all copies of `name` and all that they forked. What a signal ended is not restarted."""
        targets = [child for child in self._children if child.program.name == name and child.is_alive()]
        for child in targets:
            child.signal(number)
            if number == signal.SIGKILL:
                self._children.remove(child)
        return [child.pid for child in targets]

    def stop(self, name: str, grace_seconds: float = GRACE_SECONDS) -> None:
        """End all copies of `name` gracefully, by KILL after the grace."""
        self._end([child for child in self._children if child.program.name == name], grace_seconds)

    def pids(self, name: str) -> list[int]:
        """The leading processes of `name` that are alive."""
        return [child.pid for child in self._children if child.program.name == name and child.is_alive()]

    def wait_ready(self, timeout_seconds: float = READY_SECONDS) -> None:
        """Return when the web process and the sandbox answer, if they were started, and nobody has died."""
        deadline = time.monotonic() + timeout_seconds
        waiting = {child.program.name for child in self._children} & HEALTH.keys()
        while True:
            self._require_all_alive()
            waiting = {name for name in waiting if not self._is_healthy(name)}
            if not waiting:
                return
            if time.monotonic() > deadline:
                names = " and ".join(sorted(waiting))
                raise LocalServersUnavailable(f"No answer from {names}: see the logs in {self._logs}.")
            time.sleep(POLL_SECONDS)

    def supervise(self) -> None:
        """Keep everything up until a signal ends the program. Raises when a child keeps dying."""
        while not self._ending.wait(POLL_SECONDS):
            for child in [child for child in self._children if child.is_wanted and not child.is_alive()]:
                if self._restarts_left == 0:
                    raise self._died(child)
                self._restarts_left -= 1
                print(f"{self._died(child)} Starting it again.", file=sys.stderr)
                child.end(time.monotonic())
                self._children.remove(child)
                self.start(child.program.name)

    @property
    def _logs(self) -> Path:
        return self.data_dir / "logs"

    @property
    def _register(self) -> Path:
        return self.data_dir / "children.json"

    @property
    def _phones(self) -> Path:
        return self.data_dir / "sandbox.db"

    def _start_all(self) -> None:
        with writing_to(self._logs):
            self._logs.mkdir(exist_ok=True)
        for program in programs(self.web_port, self.sandbox_port, self._phones):
            copies = self._copies.get(program.name, program.copies)
            self._programs[program.name] = Program(program.name, program.command, copies)
            (self._logs / f"{program.name}.log").write_bytes(b"")
            if copies:
                self.start(program.name)

    def _start(self, program: Program) -> Child:
        child = Child(program, self.env, self._logs / f"{program.name}.log")
        self._children.append(child)
        return child

    def _end_all(self) -> None:
        self._ending.set()
        with deaf_to_signals():
            # The sandbox last: a worker that is just sending gets its answer.
            sandbox = [child for child in self._children if child.program.name == "sandbox"]
            self._end([child for child in self._children if child not in sandbox], GRACE_SECONDS)
            self._end(sandbox, GRACE_SECONDS)
            self._register.unlink(missing_ok=True)

    def _end(self, children: list[Child], grace_seconds: float) -> None:
        for child in children:
            child.ask_to_end()
        deadline = time.monotonic() + grace_seconds
        for child in children:
            child.end(deadline)
            self._children.remove(child)

    def _require_all_alive(self) -> None:
        for child in self._children:
            if child.is_wanted and not child.is_alive():
                raise self._died(child)

    def _died(self, child: Child) -> LocalServersUnavailable:
        lines = child.log.read_text(errors="replace").strip().splitlines() or ["it said nothing"]
        name = child.program.name
        return LocalServersUnavailable(
            f"{name} ended with {child.exit_code()}: {lines[-1]} (see {child.log})."
        )

    def _is_healthy(self, name: str) -> bool:
        port = self.web_port if name == "web" else self.sandbox_port
        connection = http.client.HTTPConnection(HOST, port, timeout=5)
        try:
            connection.request("GET", HEALTH[name])
            return connection.getresponse().status < 500
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


@contextmanager
def _only_world(data_dir: Path) -> Iterator[None]:
    with writing_to(data_dir):
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = (data_dir / "world.lock").open("a")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LocalServersUnavailable(
                f"The system of {data_dir} is already up: end that one first."
            ) from None
        yield
