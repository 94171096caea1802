"""A real browser on a page of ours: no driver, only its own binary.

The page does what it is asked for by itself and posts what it found as JSON.
"""

import contextlib
import json
import os
import pathlib
import queue
import shutil
import subprocess
import tempfile
import threading

import pytest

from export.web import server

NAMES = {
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "firefox": ("firefox-esr", "firefox"),
}
# With this set in the environment, a browser that is not there is an error.
REQUIRED = {"chromium": "REQUIRE_BROWSER", "firefox": "REQUIRE_FIREFOX"}
CHROMIUM = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"),
    *("--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
    # A video may begin without a click.
    "--autoplay-policy=no-user-gesture-required",
    *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
)
FIREFOX_PREFERENCES = {
    "media.navigator.permission.disabled": True,
    "media.navigator.streams.fake": True,
    "media.autoplay.default": 0,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.update.enabled": False,
}
PATIENCE_S = 120


def find(kind):
    """The browser's program; skipped without one, or required."""
    programs = list(filter(None, map(shutil.which, NAMES[kind])))
    if not programs:
        advice = f"apt-get install {NAMES[kind][0]}"
        missing(f"no {kind} here; type: {advice}", REQUIRED[kind])
    return programs[0]


def missing(reason, required="REQUIRE_BROWSER"):
    """Skips a test, and fails it where everything has to be there."""
    if os.environ.get(required):
        pytest.fail(reason)
    pytest.skip(reason)


class Site:
    """A folder that is served, and what was asked of it.

    Attributes:
      address: what to open. What the page posts is waited for; after a
        message with `isOfflineNow` no file gets through any more.
      asked: the path of every GET, in order.
    """

    def __init__(self, folder):
        self.asked, self._posted = [], queue.Queue()
        self._is_offline = threading.Event()
        self._server = server.make_server(folder, 0, self._handler())
        self.address = server.address(self._server)

    @contextlib.contextmanager
    def serve(self):
        """Serves while the block runs."""
        thread = threading.Thread(target=self._server.serve_forever)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def wait(self):
        """What the page posts next."""
        try:
            return self._posted.get(timeout=PATIENCE_S)
        except queue.Empty:
            pytest.fail(f"the page said nothing; asked: {self.asked[-5:]}")

    def _handler(site):
        class Handler(server.Handler):
            def do_GET(self):
                site.asked.append(self.path)
                if site._is_offline.is_set():
                    self.close_connection = True
                    return
                super().do_GET()

            def do_POST(self):
                size = int(self.headers["Content-Length"])
                content = json.loads(self.rfile.read(size))
                if content.get("isOfflineNow"):
                    site._is_offline.set()
                self.send_response(204)
                self.end_headers()
                site._posted.put(content)

        return Handler


def open_browser(kind, address, camera):
    """Runs a browser on an address while the block runs.

    Args:
      kind: "chromium" or "firefox".
      address: what it opens.
      camera: a file of JPEGs, one after the other, that Chromium takes for
        a camera; Firefox shows a pattern of its own.
    """
    if kind == "firefox":
        return firefox(address)
    return chromium(address, f"--use-file-for-fake-video-capture={camera}")


@contextlib.contextmanager
def chromium(address, *flags):
    """Runs Chromium on an address while the block runs."""
    program = find("chromium")
    with _profile() as profile:
        command = [program, *CHROMIUM, f"--user-data-dir={profile}", *flags]
        with _running([*command, address]):
            yield


@contextlib.contextmanager
def firefox(address):
    """Runs Firefox on an address while the block runs."""
    program = find("firefox")
    with _profile() as profile:
        lines = (
            f'user_pref("{name}", {json.dumps(value)});'
            for name, value in FIREFOX_PREFERENCES.items()
        )
        (pathlib.Path(profile) / "user.js").write_text("\n".join(lines))
        command = [program, "--headless", "--no-remote", "--profile", profile]
        with _running([*command, address]):
            yield


@contextlib.contextmanager
def _profile():
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        yield folder


@contextlib.contextmanager
def _running(command):
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)
