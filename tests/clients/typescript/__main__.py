"""`python -m tests.clients.typescript`: make types from the document, compile the client against them.

Skips, and says why, where there is no node or no way to npm's registry. Never part of the tests: it needs
the network once, for the packages.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from tests.contracts.operations import document

HERE = Path(__file__).parent
FOLDER = Path(".local/typescript")
SOURCES = ("package.json", "tsconfig.json", "client.ts")
TOOLS = FOLDER / "node_modules" / ".bin"
INSTALL = ("install", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error")


class NotHere(Exception):
    """What the check needs is missing on this machine."""


def main() -> int:
    """0 when the client compiles or cannot be compiled here, else what the compiler answered."""
    try:
        _install()
    except NotHere as missing:
        sys.stderr.write(f"typescript: skipped, {missing}.\n")
        return 0
    (FOLDER / "openapi.json").write_text(json.dumps(document()))
    made = _run(TOOLS / "openapi-typescript", "openapi.json", "-o", "api.d.ts")
    return made or _run(TOOLS / "tsc", "--project", ".", show=True)


def _install() -> None:
    """Lay out the folder; fetch the packages when package.json has changed. Raises NotHere."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise NotHere("node and npm are not installed")
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in SOURCES:
        shutil.copy(HERE / name, FOLDER / name)
    installed, wanted = FOLDER / "installed.json", (FOLDER / "package.json").read_text()
    if installed.exists() and installed.read_text() == wanted:
        return
    if _run(npm, "ping", "--loglevel=silent"):
        raise NotHere("npm's registry cannot be reached")
    if _run(npm, *INSTALL, show=True):
        raise SystemExit("typescript: npm could not install the packages")
    installed.write_text(wanted)


def _run(command: str | Path, *arguments: str, show: bool = False) -> int:
    """The exit status of a command in the folder; its words are shown when it fails or `show` is set."""
    done = subprocess.run(
        [Path(command).absolute(), *arguments], cwd=FOLDER, capture_output=True, text=True, timeout=300
    )
    if show or (done.returncode and "ping" not in arguments):
        sys.stderr.write(done.stdout + done.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
