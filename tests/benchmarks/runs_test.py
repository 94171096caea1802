"""Tests that measure: small parts here, whole programs in the slow tier."""

import io
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from benchmarks import device_child
from benchmarks import drawn_data
from benchmarks import harness
from benchmarks import input_pipeline
from benchmarks import installed_size
from benchmarks import pictures
from benchmarks import png_writer
from benchmarks import timed_run
from benchmarks import training_step
from fer_tfds.sources.fer2013 import find
from tests.benchmarks.tables import SECTIONS
from tests.benchmarks.tables import cells
from tests.edge import edge_fixtures


def test_memory_of_a_command_is_seen_with_that_of_its_children():
    child = "import time; kept = b'x' * 200_000_000; time.sleep(1)"
    parent = (
        f"import subprocess as s; s.run([{sys.executable!r}, '-c', {child!r}])"
    )
    found = harness.run_watched([sys.executable, "-c", parent])
    assert 200e6 < found["own_bytes"] <= found["peak_bytes"] < 350e6
    assert found["seconds"] > 1
    with pytest.raises(RuntimeError, match="NameError"):
        harness.run_watched([sys.executable, "-c", "nothing"])


def test_steps_are_taken_in_each_way(monkeypatch):
    monkeypatch.setattr(drawn_data, "DISTINCT", 70)
    monkeypatch.setattr(training_step, "BLOCKS", 1)
    found = training_step.measure_alone("quickstart.flags", turns=2)
    assert list(found) == ["loop", "memory", "train_on_batch"]
    assert [len(seconds) for seconds in found.values()] == [2, 2, 2]


def test_steps_are_those_of_the_flagfile(monkeypatch):
    monkeypatch.setattr(drawn_data, "DISTINCT", 70)
    found = training_step.measure_alone("quickstart.flags", seconds=0.05)
    assert (found["size"], found["channels"], found["batch"]) == (48, 1, 64)


def test_all_that_a_slow_input_takes_is_waited_for():
    def batches():
        for number in range(4):
            time.sleep(0.05)
            yield tf.constant([number]), tf.constant([10.0 * number])

    timed = timed_run.TimedIterator(batches())
    assert timed.waited == 0
    for number in range(1, 4):
        timed.fetch()
        for _ in range(2):
            images, targets = next(timed)
            assert (images[0], targets[0]) == (number, 10 * number)
    assert 0.15 <= timed.waited < 1


@pytest.mark.parametrize("task", ["training", "evaluation"])
@pytest.mark.parametrize("way", input_pipeline.WAYS)
def test_every_reader_gives_the_same_kind_of_batches(
    way, task, prepared_data, tmp_path
):
    source = prepared_data
    if way not in (input_pipeline.OURS, input_pipeline.SPOILT):
        source = str(drawn_data.class_folders(28, tmp_path))
    batches = input_pipeline.make_batches(way, task, source, batch_size=8)
    first = np.asarray(next(batches))
    assert first.shape[1:] == (48, 48, 1)
    assert first.dtype == np.float32
    assert first.max() > 50
    assert input_pipeline.count_images(batches, 0.01) >= 4


def test_png_files_hold_the_faces_of_the_csv_file(tmp_path):
    raw = drawn_data.csv_folder(20, tmp_path)
    png_writer.write(str(raw / "fer2013.csv"), str(tmp_path / "faces"))
    before, *parts = (tmp_path / "faces").read_bytes().split(b"\x89PNG")
    faces = drawn_data.faces(20)
    assert before == b""
    assert len(parts) == 20
    for part, face in zip(parts, faces, strict=True):
        image = Image.open(io.BytesIO(b"\x89PNG" + part))
        np.testing.assert_array_equal(np.asarray(image), face)
    found = find.find_source(raw).read()
    np.testing.assert_array_equal(found.images, faces)
    assert found.splits == ["train"] * 16 + ["validation"] * 2 + ["test"] * 2


def test_drawn_faces_all_differ(monkeypatch):
    monkeypatch.setattr(drawn_data, "DISTINCT", 14)
    faces = drawn_data.faces(14 * 120)
    assert len({face.tobytes() for face in faces}) == len(faces)
    assert faces.std(axis=(1, 2)).min() > 5


def test_a_model_answers_for_drawn_faces(tmp_path):
    path = edge_fixtures.model_path()
    np.save(tmp_path / "faces.npy", drawn_data.faces(5))
    found = device_child.measure(
        str(path), str(tmp_path / "faces.npy"), time.time() - 1
    )
    assert found["first_answer_ms"] > 1000
    assert found["peak_memory_mb"] > 20


def test_the_runtime_is_installed_without_tensorflow():
    found = installed_size.measure("fer-edge")
    assert 4 <= found["distributions"] <= 20
    assert 50e6 < found["bytes"] < 400e6


def test_bars_and_lines_are_small_pictures(tmp_path):
    pictures.draw_bars(
        tmp_path / "bars.png", label="x", bars={"a": (2, 1, 3), "b": (5, 4, 6)}
    )
    pictures.draw_lines(
        tmp_path / "lines.png",
        labels=("x", "y"),
        places=[1, 2],
        lines={"a": [1, 2], "b": [2, 3]},
    )
    for path in tmp_path.iterdir():
        assert 2_000 < path.stat().st_size < 60_000


RUNS = {
    "input_pipeline": ["--num_images=280", "--seconds=0.2"],
    "training_step": [
        *("--compared", "quickstart.flags", "--recipes", "quickstart.flags"),
        "--seconds=0.5",
    ],
    "fer2013_build": ["--num_images=140"],
    "affectnet_build": ["--num_images=40", "--processes=1"],
    "device": ["--num_faces=30"],
    "growth": [
        *("--num_images", "60", "--large_images", "200", "--processes=1"),
        *("--rate_seconds=1", "--wait_steps=1", "--wait_backbone=tiny_cnn"),
    ],
    "head_trial": ["--backbone=tiny_cnn", "--epochs=2"],
    "frozen_phase": ["--backbone=tiny_cnn", "--epochs=2"],
}


@pytest.mark.slow
@pytest.mark.parametrize("program", RUNS)
def test_a_program_writes_its_tables(program, tmp_path, prepared_data):
    page = tmp_path / "RESULTS.md"
    page.write_text((harness.ROOT / "benchmarks/RESULTS.md").read_text())
    arguments = [*RUNS[program], "--repetitions=1", f"--results={page}"]
    text = (harness.ROOT / f"benchmarks/{program}.py").read_text()
    if '"--scratch"' in text:
        arguments.append(f"--scratch={tmp_path}")
    if '"--data_dir"' in text:
        arguments += [f"--data_dir={prepared_data}", "--train_split=train"]
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{program}", *arguments],
        cwd=harness.ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    for name in SECTIONS[program].split():
        section = page.read_text().split(f"<!-- {name} -->")[1]
        section = section.split(f"<!-- /{name} -->")[0]
        assert section.startswith(f"\n{harness.machine_line()}\n")
        assert len(cells(section)) >= 5
        assert "nan" not in section
