"""The browsers of the tests, with cameras that are none."""

import contextlib
import json
import os
import pathlib

import pytest

from benchmarks import visits

NAMES = {
    "chromium": visits.CHROMIUM,
    "firefox": ("firefox-esr", "firefox"),
}
# With this set in the environment, a browser that is not there is an error.
REQUIRED = {"chromium": "REQUIRE_BROWSER", "firefox": "REQUIRE_FIREFOX"}
CHROMIUM = (
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


def find(kind):
    """The browser's program; skipped without one, or required."""
    program = visits.find(NAMES[kind])
    if program is None:
        advice = f"apt-get install {NAMES[kind][0]}"
        missing(f"no {kind} here; type: {advice}", REQUIRED[kind])
    return program


def missing(reason, required="REQUIRE_BROWSER"):
    """Skips a test, and fails it where everything has to be there."""
    if os.environ.get(required):
        pytest.fail(reason)
    pytest.skip(reason)


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
    show = f"--use-file-for-fake-video-capture={camera}"
    return visits.chromium(find(kind), address, *CHROMIUM, show)


@contextlib.contextmanager
def firefox(address):
    """Runs Firefox on an address while the block runs."""
    program = find("firefox")
    with visits.new_profile() as profile:
        lines = (
            f'user_pref("{name}", {json.dumps(value)});'
            for name, value in FIREFOX_PREFERENCES.items()
        )
        (pathlib.Path(profile) / "user.js").write_text("\n".join(lines))
        command = [program, "--headless", "--no-remote", "--profile", profile]
        with visits.running([*command, address]):
            yield
