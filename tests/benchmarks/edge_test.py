"""Tests of the scripts under benchmarks/ that measure the device runtime."""

import sys

import numpy as np
import pytest
from PIL import Image

from benchmarks import drawn_video
from benchmarks import edge_flicker
from benchmarks import edge_margin
from benchmarks import photograph_folder
from edge import boxes
from edge import faces
from edge.detector import CROPS
from edge.detector import Detector
from fer_tfds import synthetic
from tests.benchmarks.tables import cells
from tests.edge import edge_fixtures


def test_flicker_prints_a_row_for_each_smoothing(monkeypatch, capsys):
    monkeypatch.setattr(edge_flicker, "NUM_VIDEOS", 1)
    model = f"--model={edge_fixtures.model_path()}"
    monkeypatch.setattr(sys, "argv", ["flicker", model, "--num_frames=3"])
    edge_flicker.main()
    _, _, *rows = cells(capsys.readouterr().out)
    seconds = [row[0] for row in rows]
    assert seconds == ["0 s", "0.1 s", "0.25 s", "0.5 s", "1 s"]


def test_faces_are_found_where_they_were_put():
    drawn = synthetic.draw_faces(np.array([3, 3, 4, 6, 6, 6]), seed=0)
    rng = np.random.default_rng(0)
    picture, known = edge_margin.place(drawn[0][..., np.newaxis], rng)
    cut = boxes.crop(picture, known, boxes.CropRule(0.0))
    assert (cut[..., 0] == cut[..., 2]).all()  # The face is grey.
    outside = picture[:, known.left + known.width :]
    assert (outside[..., 0] != outside[..., 2]).mean() > 0.5
    found = list(
        edge_margin.find(drawn[..., np.newaxis], faces.load_detector())
    )
    assert len(found) >= 3
    for index, _, box in found:
        assert 0 <= index < 6
        assert 60 < box.width < 200


def test_crops_are_judged_by_rule_and_the_one_in_use_is_bold():
    picture = np.zeros([60, 60, 1], np.uint8)
    picture[20:40, 20:40] = 200
    box = boxes.Box(20, 20, 20, 20)
    found = [
        edge_margin.FoundFace(picture, box, "happy"),
        edge_margin.FoundFace(picture, box, "sad"),
    ]

    def answer(crops):
        return ["happy" if crop.min() else "sad" for crop in crops]

    tight, wide = boxes.CropRule(0.0), boxes.CropRule(0.3)
    assert edge_margin.accuracies(found[:1], [tight, wide], answer) == [1, 0]
    assert edge_margin.accuracies(found, [tight, wide], answer) == [0.5, 0.5]
    rules = [tight, CROPS["haar"]]
    values = {"haar": [[0.5, 0.6], [0.7, 0.8]]}
    rows = cells(edge_margin.as_table(rules, values))[2:]
    assert [row[1] for row in rows] == ["50.0%, 70.0%", "**60.0%, 80.0%**"]


def test_the_largest_face_of_a_photograph_counts(tmp_path):
    class TwoFaces(Detector):
        name = "haar"

        def find(self, picture, least_px=None, **_):
            if picture.max() == 0:
                return []
            return [boxes.Box(0, 0, 2, 2), boxes.Box(1, 1, 4, 4)]

    (tmp_path / "sad").mkdir()
    for name, level in (("a", 9), ("b", 0)):
        Image.new("L", (8, 8), level).save(tmp_path / "sad" / f"{name}.png")
    listed = photograph_folder.read_folder(tmp_path)
    (found,) = edge_margin.find_in_photographs(listed, TwoFaces())
    assert found.box == boxes.Box(1, 1, 4, 4)
    assert found.label == "sad"


def test_margins_need_something_to_be_measured_on():
    with pytest.raises(SystemExit, match="--photographs"):
        edge_margin.main([])


def test_each_detector_has_a_column_of_margins(tmp_path, capsys):
    (tmp_path / "happy").mkdir()
    for index in range(2):
        frame = drawn_video.DrawnVideo().frame(index)
        Image.fromarray(frame).save(tmp_path / "happy" / f"{index}.png")
    page = tmp_path / "page.md"
    page.write_text("<!-- edge_margin -->\n<!-- /edge_margin -->\n")
    named = [f"--photographs={tmp_path}", f"--results={page}"]
    edge_margin.main([*named, "--model=pocket"])
    text = capsys.readouterr().out
    assert text in page.read_text()
    header, _, *rows = cells(text[text.index("| margin") :])
    assert "haar" in header
    for name, *column in zip(
        header[1:], *(row[1:] for row in rows), strict=True
    ):
        assert sum("**" in cell for cell in column) == 1, name
