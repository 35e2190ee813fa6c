"""Where bulk operations are worked on: two threads and a folder for their files, gone with the sandbox."""

import shutil
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


class Workshop:
    """`submit` work; `pause` inside it, so that closing does not wait."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="shopify-bulk")
        self._folder = Path(tempfile.mkdtemp(prefix="sandbox-bulk-"))
        self._closing = threading.Event()

    def submit(self, work: Callable[[], None]) -> None:
        """Do it soon."""
        self._pool.submit(work)

    def pause(self, seconds: float) -> bool:
        """Wait; False when the sandbox is closing."""
        return not self._closing.wait(seconds)

    def file(self, name: str) -> Path:
        """Where a file of this name is kept."""
        return self._folder / name

    def close(self) -> None:
        """Finish what is being done and throw the files away."""
        self._closing.set()
        self._pool.shutdown(wait=True, cancel_futures=True)
        shutil.rmtree(self._folder, ignore_errors=True)
