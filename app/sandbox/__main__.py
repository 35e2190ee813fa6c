"""`python -m app.sandbox`: one process with many threads, because its memory lives in it."""

import os
import sys
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

from app.sandbox import create_sandbox
from app.sandbox.config import Address, SandboxConfig, SandboxInProduction, parse


class SandboxServer(BaseApplication):  # type: ignore[misc]  # gunicorn is not annotated
    """gunicorn with exactly one worker."""

    def __init__(self, config: SandboxConfig, address: Address) -> None:
        self._sandbox = config
        self._address = address
        super().__init__()

    def load_config(self) -> None:
        """Fixed settings: nothing is read from gunicorn's own variables or files."""
        settings: dict[str, Any] = {
            "bind": f"{self._address.host}:{self._address.port}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": self._address.threads,
            "keepalive": 75,
            "graceful_timeout": 2,
            "timeout": 120,
            "loglevel": "warning",
            "control_socket_disable": True,
            "proc_name": "sandbox",
            "worker_exit": _close,
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Called in the worker, after the fork: threads and SQLite must not cross one."""
        return create_sandbox(self._sandbox)


def _close(_arbiter: object, worker: Any) -> None:
    worker.wsgi.extensions["sandbox"].close()


def main() -> int:
    """Serve until told to stop."""
    config, address = parse(sys.argv[1:], os.environ)
    try:
        config.require_not_production()
    except SandboxInProduction as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 1
    sys.stdout.write(f"Phone inbox: http://{address.host}:{address.port}/\n")
    sys.stdout.write(f"Shopify admin: http://{address.host}:{address.port}/shopify/\n")
    sys.stdout.write(f"Stripe: http://{address.host}:{address.port}/stripe/\n")
    sys.stdout.flush()
    SandboxServer(config, address).run()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
