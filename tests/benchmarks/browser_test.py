"""Tests of benchmarks/browser.py: figures by hand, drawn faces in Chromium."""

import json
import pathlib
import re
import subprocess

import numpy as np
import pytest

from benchmarks import browser
from benchmarks import browser_site
from benchmarks import harness
from benchmarks import visits
from edge.classifier import Classifier
from export.options import ExportError
from export.web import sources
from tests.benchmarks.tables import cells
from tests.web import browsers
from trainer.data import prepared
from trainer.settings.model_and_data import DataSettings

TRUTH = ["happy"] * 6 + ["sad"] * 4
COUNT = 30


def turn(*, right, ms, first_s=1.0, asked=("index.html",)):
    """One that answers the first `right` of the images rightly."""
    answers = (*TRUTH[:right], *["fear"] * (len(TRUTH) - right))
    return browser.Turn(first_s, ms, answers, frozenset(asked))


@pytest.fixture
def turns():
    """Ours, and two rivals: one is more often right, the other faster."""
    human, face_api = browser.RIVALS
    edge, pocket = browser.OURS
    return {
        edge: [turn(right=8, ms=2.0), turn(right=8, ms=3.0)],
        pocket: [turn(right=5, ms=1.0), turn(right=5, ms=1.0)],
        human: [turn(right=6, ms=8.0), turn(right=6, ms=9.0)],
        face_api: [turn(right=4, ms=6.0), turn(right=4, ms=12.0)],
    }


def test_a_row_has_the_figures_computed_by_hand(turns, tmp_path):
    (tmp_path / "index.html").write_bytes(bytes(2_000_000))
    edge, pocket, human, _ = browser.rows(turns, TRUTH, tmp_path)
    assert edge[1] == "80.00% (49.02% to 94.33%)"
    assert edge[2:4] == ["2.50 (2.00 to 3.00)", "1.00"]
    assert pocket[3] == "0.417 (0.333 to 0.500)"
    assert human[3] == "3.50 (3.00 to 4.00)"
    assert {row[4] for row in (edge, human)} == {"2.0 (0.0)"}


def test_the_best_rival_of_each_kind_is_compared_with(turns):
    _, _, edge, pocket = cells(browser.verdict(turns, TRUTH).strip())
    # Against human: two more of ten; against 6 ms, then 9: 3 times each.
    assert edge[1].startswith("+20.00 (")
    assert pocket[1].startswith("-10.00 (")
    assert edge[2] == "3.00"
    assert pocket[2] == "7.50 (6.00 to 9.00)"


def test_npm_installs_pinned_versions_once_and_runs_no_script(
    monkeypatch, tmp_path
):
    ran = []

    def run(command, **_):
        ran.append(command)
        (tmp_path / "node_modules").mkdir()
        (tmp_path / "node_modules" / ".package-lock.json").touch()
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(browser_site.subprocess, "run", run)
    browser_site.install_rivals(tmp_path)
    browser_site.install_rivals(tmp_path)
    (command,) = ran
    assert {"npm", "--ignore-scripts", f"--prefix={tmp_path}"} < set(command)
    manifest = json.loads((tmp_path / "package.json").read_text())
    assert manifest["dependencies"] == browser_site.VERSIONS
    assert all(
        v.replace(".", "").isdigit() for v in manifest["dependencies"].values()
    )
    (tmp_path / "package.json").write_text("{}")
    browser_site.install_rivals(tmp_path)
    assert len(ran) == 2


@pytest.mark.parametrize("failure", ["absent", "failed"])
def test_npm_that_does_not_work_is_told(failure, monkeypatch, tmp_path):
    def run(command, **_):
        if failure == "absent":
            raise FileNotFoundError(2, "No such file or directory")
        return subprocess.CompletedProcess(command, 1, "", "no such package")

    monkeypatch.setattr(browser_site.subprocess, "run", run)
    with pytest.raises(ValueError, match=r"cannot run npm|no such package"):
        browser_site.install_rivals(tmp_path)


def test_without_chromium_it_is_one_line(monkeypatch):
    monkeypatch.setattr(visits, "find", lambda programs: None)
    with pytest.raises(SystemExit, match="apt-get install chromium"):
        browser.main(["--no-rivals"])


def needs_browser():
    browsers.find("chromium")
    try:
        sources.check()
    except ExportError as error:
        browsers.missing(str(error))


def test_ours_answer_in_a_browser_as_in_python(prepared_data, tmp_path, capsys):
    needs_browser()
    page = tmp_path / "page.md"
    page.write_text("<!-- browser --><!-- /browser -->\n")
    browser.main(
        [
            *(f"--data_dir={prepared_data}", "--no-rivals"),
            *(f"--images={COUNT}", "--repetitions=1", f"--results={page}"),
        ]
    )
    lead, machine, _, *table = capsys.readouterr().out.splitlines()
    assert lead.startswith(f"{COUNT} test images of FER-2013. Chromium ")
    assert machine == harness.machine_line()
    _, _, *rows = cells("\n".join(table))
    split = prepared.load_split(DataSettings(data_dir=prepared_data), "test")
    for row, name in zip(rows, ("edge", "pocket"), strict=True):
        predicted = Classifier(name).probabilities(split.images[:COUNT])
        right = predicted.argmax(axis=1) == split.labels[:COUNT]
        assert row[0] == f"`{name}`"
        assert row[1].startswith(f"{right.mean():.2%} (")
        megabytes, packed = row[4].rstrip(")").split(" (")
        # LiteRT, one build of it, and a model; no picture but the first.
        assert 9.5 < float(megabytes) < 10.6
        assert float(packed) < 5
    assert table[-1] in page.read_text()


@pytest.mark.slow
def test_rivals_are_run_with_their_own_names(prepared_data, capsys):
    """Drawn faces: that they answer, not how well."""
    needs_browser()
    browser.main(
        [f"--data_dir={prepared_data}", "--images=10", "--repetitions=1"]
    )
    text = capsys.readouterr().out
    for name in browser.OURS | browser.RIVALS:
        assert f"| {name} | " in text
    assert "times as fast" in text
    human = browser_site.RIVALS / "node_modules" / browser_site.HUMAN
    own = (human / "src" / "gear" / "emotion.ts").read_text()
    page = (browser_site.PAGE / "human.mjs").read_text()
    (names,) = re.findall(r"annotations = (\[.*\]); // oarriaga", own)
    assert f"const LABELS = {names};" in page.replace("\n  ", " ")


def test_results_have_a_place_for_the_table():
    page = pathlib.Path(harness.ROOT, "docs/results.md").read_text("utf-8")
    assert page.count("<!-- browser -->") == 1
    assert page.count("<!-- /browser -->") == 1


def test_the_pictures_of_a_site_are_bytes_in_order(monkeypatch, tmp_path):
    monkeypatch.setattr(
        browser_site.layout, "write", lambda folder, models: folder.mkdir()
    )
    images = np.arange(2 * 48 * 48, dtype=np.uint8).reshape(2, 48, 48, 1)
    browser_site.write(tmp_path, images, rivals=None)
    assert (tmp_path / "pictures.bin").read_bytes() == images.tobytes()
    assert (tmp_path / "first.bin").read_bytes() == images[0].tobytes()
    assert (tmp_path / "measure.mjs").is_file()
    assert not (tmp_path / "human").exists()
