"""Tests of benchmarks/photographs.py: drawn faces, figures by hand."""

import json
import pathlib

import numpy as np
import pytest
from PIL import Image

from benchmarks import baseline_child
from benchmarks import harness
from benchmarks import photograph_figures
from benchmarks import photograph_folder
from benchmarks import photographs
from benchmarks.photograph_figures import Answer
from fer_tfds.drawing import faces as drawn_faces
from tests.benchmarks.tables import cells

CLASSES = ("Happiness", "sad")


@pytest.fixture
def folder(tmp_path):
    """Two drawn faces in each of two class folders, and what is no class."""
    root = tmp_path / "photographs"
    for number, name in enumerate(CLASSES):
        place = root / name
        place.mkdir(parents=True)
        (place / "notes.txt").write_text("no picture")
        for index in range(2):
            rng = np.random.default_rng((number, index))
            face = drawn_faces.draw_face(("happy", "sad")[number], rng)
            picture = Image.fromarray(face).resize((96, 96))
            picture.save(place / f"{index}.png")
    (root / "README.md").write_text("what this is")
    (root / ".hidden").mkdir()
    return root


def answers(*given):
    return [Answer(count, label, sure, 2.0) for count, label, sure in given]


def test_figures_are_those_computed_by_hand():
    found = photograph_figures.compute(
        ["happy", "happy", "sad", "sad"],
        answers(
            (1, "happy", True),
            (2, "sad", True),
            (1, "sad", False),
            (0, None, False),
        ),
        "abcd",
    )
    assert found.found == 0.75
    assert found.second == 0.25
    assert found.accuracy.value == 0.5
    # happy: 2 * 1 / (2 + 1); sad: 2 * 1 / (2 + 2).
    assert found.macro_f1.value == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert found.unsure == pytest.approx(1 / 3)
    assert found.right_if_sure == 0.5
    assert found.ms == 2


def test_intervals_draw_people_with_all_of_their_pictures():
    labels = ["happy"] * 40
    given = answers(*[(1, "happy", True), (1, "sad", True)] * 20)
    each = photograph_figures.compute(labels, given, list(map(str, range(40))))
    assert each.accuracy.value == 0.5
    # Of 40 draws, 95% have 14 to 26 right ones.
    assert each.accuracy.low == pytest.approx(14 / 40, abs=0.03)
    assert each.accuracy.high == pytest.approx(26 / 40, abs=0.03)
    two = photograph_figures.compute(labels, given, ["a", "b"] * 20)
    assert (two.accuracy.low, two.accuracy.high) == (0, 1)


def test_an_estimate_is_said_in_percent():
    estimate = photograph_figures.Estimate(0.615, 0.58, 0.65)
    assert str(estimate) == "61.5% (58.0% to 65.0%)"


def test_pictures_taken_whole_were_not_found():
    row = photographs.as_row(
        "taken whole, `edge`",
        photograph_figures.compute(
            ["happy"], answers((0, "happy", False)), ["a"]
        ),
    )
    assert row[1] == "-"
    assert row[4] == "100.0%, -"


def test_class_folders_go_by_standard_names(folder):
    (folder / "people.csv").write_text("sad/0.png,7\nsad/1.png,7\n")
    found = photograph_folder.read_folder(folder)
    assert [each.label for each in found] == ["happy", "happy", "sad", "sad"]
    people = [each.person for each in found]
    assert people == ["Happiness/0.png", "Happiness/1.png", "7", "7"]
    assert found[0].pixels().shape == (96, 96, 1)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("missing", "no such folder of photographs"),
        ("empty", "no class folder with a picture"),
        ("class", "other is no class folder"),
        ("broken", "cannot read"),
        ("people", "FILE,PERSON"),
    ],
)
def test_a_folder_that_cannot_be_used_is_one_line(
    damage, message, folder, tmp_path
):
    chosen = folder
    if damage == "missing":
        chosen = tmp_path / "nowhere"
    elif damage == "empty":
        chosen = tmp_path / "empty"
        chosen.mkdir()
    elif damage == "class":
        (folder / "other").mkdir()
        (folder / "other" / "1.png").write_bytes(b"")
    elif damage == "broken":
        (folder / "sad" / "1.png").write_text("no picture")
    else:
        (folder / "people.csv").write_text("sad/0.png\n")
    with pytest.raises(SystemExit, match=message) as caught:
        photographs.main([f"--photographs={chosen}", "--model=pocket"])
    assert "\n" not in str(caught.value)


def test_a_baseline_that_is_not_there_is_one_line(folder):
    arguments = [f"--photographs={folder}", "--baseline=none.tflite"]
    with pytest.raises(SystemExit, match=r"none\.tflite is no file"):
        photographs.main(arguments)
    arguments = [f"--photographs={folder}", "--baseline_python=none/python"]
    with pytest.raises(SystemExit, match="cannot run none/python"):
        photographs.main(arguments)


def test_each_system_has_its_row(folder, tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text("<!-- photographs --><!-- /photographs -->\nafter\n")
    photographs.main([f"--photographs={folder}", f"--results={page}"])
    lead, machine, _, *table = capsys.readouterr().out.splitlines()
    assert lead == "4 photographs of 4 people or series."
    assert machine == harness.machine_line()
    header, _, *rows = cells("\n".join(table))
    assert len(header) == 6
    assert {len(row) for row in rows} == {6}
    names = [row[0] for row in rows]
    assert names[-2:] == ["taken whole, `edge`", "taken whole, `pocket`"]
    assert "Haar, `edge`" in names
    assert all(float(row[-1]) > 0 for row in rows)
    assert table[-1] in page.read_text()
    assert page.read_text().endswith("<!-- /photographs -->\nafter\n")


def test_the_package_is_asked_in_its_own_terms(folder):
    """BGR goes in; the label of the largest face comes out."""
    seen = []

    def detect(picture):
        seen.append(picture)
        small = {"box": (1, 2, 3, 4), "emotions": {"sad": 0.9, "happy": 0.1}}
        large = {"box": [1, 2, 9, 9], "emotions": {"sad": 0.2, "happy": 0.8}}
        return [small, large] if len(seen) == 1 else []

    red = folder / "red.png"
    Image.new("RGB", (5, 4), (255, 0, 10)).save(red)
    paths = [str(red), str(folder / "sad" / "0.png")]
    first, second = baseline_child.answer_all(paths, detect)
    assert seen[0].tolist()[0][0] == [10, 0, 255]
    assert seen[1].shape == (96, 96, 3)
    assert first["boxes"] == [[1, 2, 3, 4], [1, 2, 9, 9]]
    assert (first["label"], second["label"]) == ("happy", None)
    assert json.loads(json.dumps(first)) == first


def test_results_have_a_place_for_the_tables():
    page = pathlib.Path(harness.ROOT, "docs/results.md").read_text("utf-8")
    for name in ("photographs", "confidence"):
        assert page.count(f"<!-- {name} -->") == 1
        assert page.count(f"<!-- /{name} -->") == 1
