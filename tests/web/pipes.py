"""Chromium told what to do through its own pipe, for what a page cannot do."""

import contextlib
import json
import os
import subprocess
import tempfile
import time

from benchmarks import visits
from tests.web import browsers

PATIENCE_S = 60
# Chromium reads from descriptor 3 and writes to 4.
LEND = 'exec "$@" 3<&"$IN" 4>&"$OUT"'
STARTING = ""
STARTED = "await (await import('./app.mjs')).started;"


class Pipe:
    """Chromium's own protocol: JSON with a zero behind each message."""

    def __init__(self, process, reading, writing):
        self.process = process
        self._reading = os.fdopen(reading, "rb")
        self._writing = os.fdopen(writing, "wb", buffering=0)
        self._number = 0

    def ask(self, method, session=None, **parameters):
        """Sends a command and returns its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        self._writing.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def open_page(self):
        """Opens an empty page; returns its session."""
        page = self.ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self.ask(
            "Target.attachToTarget", targetId=page, flatten=True
        )
        return attached["sessionId"]

    def show_as(self, session, *, width, height, scheme):
        """Gives the page a size, and light or dark colours."""
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            session,
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 500,
        )
        self.ask("Emulation.setScrollbarsHidden", session, hidden=True)
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.ask("Emulation.setEmulatedMedia", session, features=[feature])

    def press(self, session, key, text=""):
        """Presses a key and lets it go."""
        code = {"Tab": 9, "Enter": 13, "ArrowDown": 40}[key]
        named = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        kinds = {"keyDown" if text else "rawKeyDown": text, "keyUp": ""}
        for kind, written in kinds.items():
            self.ask(
                "Input.dispatchKeyEvent",
                session,
                type=kind,
                text=written,
                **named,
            )

    def visit(self, session, address):
        """Opens the page at an address, and waits until it has started."""
        self.load(session, address)
        self.evaluate(session, "")

    def load(self, session, address):
        """Opens an address, and waits until the browser has loaded it."""
        self.ask("Page.navigate", session, url=address)
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            state = "[location.href, document.readyState].join(' ')"
            if self.evaluate(session, f"return {state};", STARTING) == (
                f"{address} complete"
            ):
                return
            time.sleep(0.1)

    def evaluate(self, session, body, before=STARTED):
        """Runs the body of a function on a page; returns what it gives."""
        given = self.ask(
            "Runtime.evaluate",
            session,
            expression=f"(async () => {{{before}{body}}})()",
            awaitPromise=True,
            returnByValue=True,
        )
        if "exceptionDetails" in given:
            raise RuntimeError(given["exceptionDetails"])
        return given["result"].get("value")

    def _read(self):
        content = bytearray()
        while (byte := self._reading.read(1)) != b"\0":
            if not byte:
                raise RuntimeError("Chromium has gone")
            content += byte
        return json.loads(content)


@contextlib.contextmanager
def open_pipe():
    """Starts Chromium without a page."""
    to_read, for_chromium = os.pipe()
    from_us, to_write = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [browsers.find("chromium"), *visits.FLAGS]
        command += ["--remote-debugging-pipe", f"--user-data-dir={profile}"]
        command += ["--force-color-profile=srgb", "about:blank"]
        process = subprocess.Popen(
            ["bash", "-c", LEND, "bash", *command],
            pass_fds=(from_us, for_chromium),
            env={**os.environ, "IN": str(from_us), "OUT": str(for_chromium)},
            stderr=subprocess.DEVNULL,
        )
        os.close(from_us)
        os.close(for_chromium)
        try:
            yield Pipe(process, to_read, to_write)
        finally:
            process.terminate()
            process.wait(timeout=20)
