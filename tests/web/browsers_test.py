"""Tests of browsers.py: what comes of a browser that is not there."""

import pytest

from tests.web import browsers

OTHER = {"chromium": "REQUIRE_FIREFOX", "firefox": "REQUIRE_BROWSER"}


@pytest.fixture(params=sorted(browsers.NAMES))
def absent(request, monkeypatch, tmp_path):
    """A browser that is not there, and that nobody asked for."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(browsers.REQUIRED[request.param], raising=False)
    monkeypatch.setenv(OTHER[request.param], "1")
    return request.param


def test_a_missing_browser_is_skipped_with_advice(absent):
    with pytest.raises(pytest.skip.Exception, match="type: apt-get install"):
        browsers.find(absent)


def test_a_missing_browser_that_is_required_is_an_error(absent, monkeypatch):
    monkeypatch.setenv(browsers.REQUIRED[absent], "1")
    with pytest.raises(pytest.fail.Exception, match=f"no {absent} here"):
        browsers.find(absent)
