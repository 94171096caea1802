"""Tests of export/web: the static folder, its rules, and who is refused."""

import base64
import hashlib
import http.client
import json
import re

import pytest

from benchmarks import visits
from edge import annotate
from edge import detector
from edge import model_file
from edge import options
from edge import search
from edge import tracks
from export.options import ExportError
from export.web import __main__ as command
from export.web import layout
from export.web import server
from export.web import sources
from tests.commands.command_line import ROOT
from tests.web import browsers


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The page with the runtime's models."""
    try:
        sources.check()
    except ExportError as error:
        browsers.missing(str(error))
    folder = tmp_path_factory.mktemp("web") / "page"
    assert command.main([f"--out={folder}"]) == 0
    return folder


def settings(folder):
    return json.loads((folder / layout.SETTINGS).read_text())


def test_the_page_has_edges_own_numbers(site):
    found = settings(site)
    assert found["crops"] == {
        name: rule._asdict() for name, rule in detector.CROPS.items()
    }
    assert found["smallest_face"] == detector.SMALLEST_FACE
    assert found["tracks"]["smoothing_s"] == options.SMOOTHING_S
    assert found["tracks"]["search_every"] == tracks.SEARCH_EVERY
    assert found["colours"]["happy"] == list(annotate.COLOURS["happy"])
    constants = {
        name.lower()
        for name, value in vars(search).items()
        if name.isupper() and isinstance(value, int | float)
    }
    assert set(found["search"]) == constants
    confidence = {m["name"]: m["min_confidence"] for m in found["models"]}
    assert confidence == model_file.MIN_CONFIDENCE


def test_every_number_that_the_page_reads_is_there(site):
    """A misspelt one would be undefined, and no comparison with it true."""
    found = settings(site)
    there = {**found["search"], **found["tracks"], **found["analyser"]}
    there |= {"crop": 0, "min_confidence": 0, "smallest_face": 0}
    text = "\n".join(p.read_text() for p in sources.PAGE.glob("*.mjs"))
    read = set(re.findall(r"\bnumbers\.(\w+)", text))
    for names in re.findall(r"const \{([^}]*)\} = this\.numbers", text):
        read |= {part.split(":")[0].strip() for part in names.split(",")}
    assert read == set(there)


def test_every_file_is_listed_with_its_size(site):
    there = {
        path.relative_to(site).as_posix(): path.stat().st_size
        for path in site.rglob("*")
        if path.is_file() and path.name != layout.SETTINGS
    }
    assert settings(site)["files"] == there
    assert {"licences/LICENSE.txt", "licences/NOTICE.txt"} <= set(there)
    assert not any("node_modules" in name for name in there)


def test_paths_are_relative_and_lead_to_files(site):
    files = set(settings(site)["files"])
    index = (site / "index.html").read_text()
    links = re.findall(r'(?:href|src)="([^"?]+)', index)
    links += json.loads(re.search(r"importmap\">(.*?)</script>", index)[1])[
        "imports"
    ].values()
    for path in site.glob("*.mjs"):
        links += re.findall(r"from '(\./[^']+)'", path.read_text())
    assert len(links) > 40
    for link in links:
        assert link.removeprefix("./") in files, link


def test_the_rules_allow_nothing_but_the_page_itself(site):
    index = (site / "index.html").read_text()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', index)[1]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules.pop("default-src") == "'none'"
    script = rules.pop("script-src").split()
    inline = re.search(r"importmap\">(.*?)</script>", index)[1]
    digest = base64.b64encode(hashlib.sha256(inline.encode()).digest())
    assert script == [
        "'self'",
        "'wasm-unsafe-eval'",
        f"'sha256-{digest.decode()}'",
    ]
    assert set(rules.values()) == {"'self'", "'none'", "blob:"}
    assert rules["connect-src"] == "'self'"
    # Before the first thing that is loaded.
    assert index.index("Content-Security-Policy") < index.index("<link")


def test_types_are_those_that_a_browser_insists_on(site):
    served = visits.Site(site)
    with served.serve():
        host, port = served.address.split("/")[2].split(":")
        assert host == server.HOST
        for name, kind in {
            "app.mjs": "text/javascript",
            "vendor/litert_wasm_compat_internal.wasm": "application/wasm",
            "settings.json": "application/json",
        }.items():
            connection = http.client.HTTPConnection(host, int(port))
            connection.request("GET", f"/{name}")
            answer = connection.getresponse()
            assert (answer.status, answer.headers.get_content_type()) == (
                200,
                kind,
            )
            connection.close()


def test_a_page_is_replaced_and_other_folders_are_not(site, tmp_path, capsys):
    (tmp_path / "thesis.txt").touch()
    assert command.main([f"--out={tmp_path}"]) == 1
    assert "is no page of ours" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    before = settings(site)["version"]
    (site / "index.html").write_text("damaged")
    assert command.main([f"--out={site}"]) == 0
    assert settings(site)["version"] == before
    assert "Facial expressions" in (site / "index.html").read_text()


@pytest.mark.parametrize(
    ("part", "advice"),
    [("VENDOR", "npm ci --ignore-scripts"), ("PAGE", "--editable")],
)
def test_a_missing_part_is_named_with_its_command(
    monkeypatch, tmp_path, part, advice
):
    gone = tmp_path / "gone"
    value = {"litert.js": gone} if part == "VENDOR" else gone
    monkeypatch.setattr(sources, part, value)
    with pytest.raises(ExportError, match=advice):
        sources.check()


def test_a_missing_detector_is_told_how_to_fetch(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(ExportError, match=r"python -m edge\.fetch_detector"):
        sources.detector()


def test_a_port_that_is_taken_is_told(site, capsys):
    taken = visits.Site(site)
    with taken.serve():
        port = taken.address.rstrip("/").rsplit(":", 1)[1]
        assert command.main([f"--out={site}", "--serve", f"--port={port}"]) == 1
    assert "give another --port" in capsys.readouterr().err


def test_the_lock_names_no_registry():
    lock = (ROOT / "web" / "package-lock.json").read_text()
    assert "integrity" in lock
    assert "resolved" not in lock
    assert "http" not in lock
