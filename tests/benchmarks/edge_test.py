"""Tests of the scripts under benchmarks/ that measure the device runtime."""

import sys

import numpy as np

from benchmarks import drawn_video
from benchmarks import edge_flicker
from benchmarks import edge_margin
from benchmarks import edge_soak
from edge import boxes
from edge import faces
from fer_tfds import synthetic
from tests.benchmarks.tables import cells
from tests.edge import edge_fixtures


def test_the_soak_prints_a_row_for_each_minute(monkeypatch, capsys):
    monkeypatch.setattr(edge_soak, "ROW_SECONDS", 0.01)
    monkeypatch.setattr(
        edge_soak.drawn_video, "DrawnVideo", lambda num_frames: VIDEO
    )
    model = f"--model={edge_fixtures.model_path()}"
    monkeypatch.setattr(sys, "argv", ["soak", model, "--minutes=2"])
    edge_soak.main()
    header, _, *rows = cells(capsys.readouterr().out)
    assert [row[0] for row in rows] == ["1", "2"]
    assert len(rows[0]) == len(header)
    assert float(rows[1][1].split()[0]) > 20  # MiB
    assert float(rows[1][3]) > 1


VIDEO = drawn_video.DrawnVideo(num_frames=3)


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
