"""A real browser on a page of ours: no driver, only its own binary.

The page does what it is asked for by itself and posts what it found as JSON.
"""

import contextlib
import json
import pathlib
import queue
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any
from typing import Self

from export.web import server

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"),
    *("--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
PATIENCE_S = 120
SECONDS_TO_END = 20


def find(programs: Sequence[str]) -> str | None:
    """Returns the first of some programs that is here, if any."""
    return next(filter(None, map(shutil.which, programs)), None)


class Site:
    """A folder that is served, and what was asked of it.

    Attributes:
      address: what to open. What the page posts is waited for; after a
        message with `isOfflineNow` no file gets through any more.
      asked: the path of every GET, in order.
    """

    def __init__(self, folder: pathlib.Path):
        """Takes any free port of this machine."""
        self.asked: list[str] = []
        self._posted: queue.Queue[dict[str, Any]] = queue.Queue()
        self._is_offline = threading.Event()
        handler = type("Handler", (_Handler,), {"site": self})
        self._server = server.make_server(folder, 0, handler)
        self.address = server.address(self._server)

    @contextlib.contextmanager
    def serve(self) -> Iterator[Self]:
        """Serves while the block runs."""
        thread = threading.Thread(target=self._server.serve_forever)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def wait(self, patience_s: float = PATIENCE_S) -> dict[str, Any]:
        """Returns what the page posts next.

        In its `asked` stands what had been asked for until then.

        Raises:
          TimeoutError: it said nothing for so long.
        """
        try:
            return self._posted.get(timeout=patience_s)
        except queue.Empty:
            raise TimeoutError(
                f"the page said nothing; asked: {self.asked[-5:]}"
            ) from None

    def take(self, content: dict[str, Any]) -> None:
        """Takes what the page posted."""
        if content.get("isOfflineNow"):
            self._is_offline.set()
        self._posted.put({**content, "asked": list(self.asked)})

    def is_open_for(self, path: str) -> bool:
        """Notes what is asked for; returns whether it may be had."""
        self.asked.append(path)
        return not self._is_offline.is_set()


class _Handler(server.Handler):
    """Serves files, and takes JSON from the page."""

    site: Site

    def do_GET(self) -> None:
        """Sends a file, or hangs up."""
        if self.site.is_open_for(self.path):
            super().do_GET()
        else:
            self.close_connection = True

    def do_POST(self) -> None:
        """Takes what was found, before the page is answered."""
        size = int(self.headers["Content-Length"])
        self.site.take(json.loads(self.rfile.read(size)))
        self.send_response(204)
        self.end_headers()


@contextlib.contextmanager
def chromium(program: str, address: str, *flags: str) -> Iterator[None]:
    """Runs Chromium on an address, as at a first visit, while the block runs.

    Args:
      program: its binary.
      address: what it opens.
      *flags: more than `FLAGS`.
    """
    with new_profile() as profile:
        command = [program, *FLAGS, f"--user-data-dir={profile}", *flags]
        with running([*command, address]):
            yield


@contextlib.contextmanager
def new_profile() -> Iterator[str]:
    """An empty folder for what a browser keeps."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        yield folder


@contextlib.contextmanager
def running(command: Sequence[str]) -> Iterator[None]:
    """Runs a program, and ends it with the block."""
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=SECONDS_TO_END)
