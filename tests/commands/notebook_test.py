"""The notebook: stripped, its commands are there, and it runs from its top."""

import json
import re
import shlex
import sys
import types

import pytest

from tests.commands.command_line import ROOT

PATH = ROOT / "notebooks" / "fer2013_colab.ipynb"
BOOK = json.loads(PATH.read_text(encoding="utf-8"))
CELLS = {cell["id"]: "".join(cell["source"]) for cell in BOOK["cells"]}


def test_outputs_are_stripped():
    for cell in BOOK["cells"]:
        assert not cell["metadata"], cell["id"]
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [], cell["id"]
            assert cell["execution_count"] is None, cell["id"]
    assert set(BOOK["metadata"]) == {"kernelspec", "language_info"}


def test_cells_are_short():
    for cell in BOOK["cells"]:
        limit, width = 20, 80
        if cell["cell_type"] == "markdown":
            width = 100
        if cell["id"] == "helpers":
            limit = 45
        lines = CELLS[cell["id"]].splitlines()
        assert len(lines) <= limit, cell["id"]
        assert all(len(line) <= width for line in lines), cell["id"]


def test_recipes_are_there():
    named = set(
        re.findall(r"--flagfile=(\S+?\.flags)", "".join(CELLS.values()))
    )
    assert {"quickstart.flags", "edge.flags"} <= named
    assert all((ROOT / name).is_file() for name in named)


def helpers(monkeypatch, colab):
    """The names of the cell with helpers, in Colab or elsewhere."""
    there = types.ModuleType("google.colab")
    there.files = colab
    display = types.ModuleType("IPython.display")
    display.HTML = display.Image = str
    for module in (types.ModuleType("IPython"), display):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(sys.modules, "google.colab", there if colab else None)
    names = {}
    exec(CELLS["helpers"], names)
    return names


@pytest.mark.parametrize(
    ("uploaded", "path", "expected"),
    [
        ({"mine.zip": b""}, "", "mine.zip"),
        ({"mine.zip": b""}, "given.zip", "given.zip"),
        ({}, "", "drawn.png"),
        (None, "", "drawn.png"),
        (None, "given.zip", "given.zip"),
    ],
)
def test_a_file_is_uploaded_given_or_another_one(
    monkeypatch, uploaded, path, expected
):
    colab = None
    if uploaded is not None:
        colab = types.SimpleNamespace(upload=lambda: uploaded)
    upload = helpers(monkeypatch, colab)["upload"]
    assert upload(path, instead="drawn.png") == expected


def test_a_command_that_fails_stops_the_notebook(monkeypatch, capsys):
    run = helpers(monkeypatch, None)["run"]
    printed = "I0000 of no use\n\n7"
    run(shlex.join([sys.executable, "-c", f"print({printed!r})"]))
    assert capsys.readouterr().out == "7\n"
    with pytest.raises(RuntimeError, match="This command failed"):
        run(f"{sys.executable} -c 'raise SystemExit(3)'")


def test_it_runs_on_drawn_faces_from_top_to_bottom(tmp_path, monkeypatch):
    reason = "nbclient and ipykernel are not installed: pip install '.[dev]'"
    pytest.importorskip("ipykernel", reason=reason)
    nbclient = pytest.importorskip("nbclient", reason=reason)
    nbformat = pytest.importorskip("nbformat", reason=reason)
    for name in ("fer_tfds", "edge.flags", "quickstart.flags"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    book = nbformat.read(PATH, as_version=4)
    nbformat.validate(book)
    # Commands in another environment do not know this one's way to draw.
    asked = nbformat.v4.new_code_cell('os.environ["MPLBACKEND"]', id="asked")
    book.cells.append(asked)
    client = nbclient.NotebookClient(
        book,
        timeout=400,
        resources={"metadata": {"path": str(tmp_path)}},
    )
    client.execute()
    outputs = {cell.id: said(cell) for cell in book.cells}
    assert f"The project is in {tmp_path}" in outputs["install"]
    assert "'agg'" in outputs["asked"]
    assert "train 1,750" in outputs["data"]
    assert re.search(r"test: accuracy (0\.[89]|1\.)", outputs["train"])
    assert "<iframe" in outputs["report"]
    assert "image/png" in outputs["faces"]
    assert re.search(r"happy 0\.\d+", outputs["photograph"])
    assert "image/png" in outputs["photograph"]
    assert re.search(r" \d?\.\d+|no face", outputs["released"])
    assert (tmp_path / "runs/drawn/export/model_int8.tflite").stat().st_size


def said(cell):
    """All that a cell has shown, as text."""
    return json.dumps(cell.get("outputs", []))
