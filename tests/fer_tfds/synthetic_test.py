"""Synthetic faces: varied, reproducible, learnable; every raw layout."""

import json

import numpy as np
import pytest
from PIL import Image

from fer_tfds import synthetic
from tests.fer_tfds.data_fixtures import COUNTS
from tests.fer_tfds.data_fixtures import SEED
from tests.fer_tfds.data_fixtures import contents
from tests.fer_tfds.data_fixtures import read_all

ALL_LABELS = np.arange(7)
EVERY_LAYOUT = pytest.mark.parametrize("layout", synthetic.LAYOUTS)


def test_faces_have_the_form_of_the_real_ones_and_none_is_like_another():
    faces = synthetic.draw_faces(ALL_LABELS, SEED)
    assert faces.shape == (7, 48, 48)
    assert faces.dtype == np.uint8
    assert (faces.std(axis=(1, 2)) > 10).all()
    assert synthetic.draw_faces(np.array([], int), SEED).shape == (0, 48, 48)
    of_one_class = synthetic.draw_faces(np.full(20, 3), SEED)
    of_all_splits = synthetic.draw_records(COUNTS, SEED).images
    for faces in (of_one_class, of_all_splits):
        assert len(np.unique(faces, axis=0)) == len(faces)


@pytest.mark.parametrize("label", [-1, 7])
def test_unknown_label_is_an_error(label):
    with pytest.raises(ValueError, match=f"from 0 to 6. Received: .{label}"):
        synthetic.draw_faces(np.array([label]), SEED)


def test_a_face_depends_on_seed_position_and_label_alone():
    faces = synthetic.draw_faces(ALL_LABELS, SEED)
    fewer = synthetic.draw_faces(ALL_LABELS[:3], SEED)
    np.testing.assert_array_equal(faces[:3], fewer)
    for other in (
        synthetic.draw_faces(ALL_LABELS, SEED + 1),
        synthetic.draw_faces(np.roll(ALL_LABELS, 1), SEED),
    ):
        assert (other != faces).any(axis=(1, 2)).all()


def linear_accuracy(train_labels, shown_labels):
    """Accuracy on new faces of a least-squares fit on the pixels."""

    def features(faces):
        rows = faces.reshape(len(faces), -1).astype(np.float64)
        return (rows - rows.mean(1, keepdims=True)) / rows.std(1, keepdims=True)

    train = features(synthetic.draw_faces(shown_labels, seed=1))
    test_labels = np.tile(ALL_LABELS, 30)
    test = features(synthetic.draw_faces(test_labels, seed=2))
    gram = train @ train.T + 300 * np.eye(len(train))
    weights = train.T @ np.linalg.solve(gram, np.eye(7)[train_labels])
    return np.mean((test @ weights).argmax(1) == test_labels)


def test_expressions_can_be_learned_and_nothing_else():
    shown_labels = np.tile(ALL_LABELS, 100)
    shuffled = np.random.default_rng(0).permutation(shown_labels)
    # Even a linear model, which cannot follow a moved mouth, tells most apart.
    assert 0.6 < linear_accuracy(shown_labels, shown_labels) < 0.99
    assert linear_accuracy(shuffled, shown_labels) < 0.3


@pytest.mark.parametrize("layout", synthetic.DATASETS["fer2013"])
def test_layout_is_read_back(tmp_path, layout):
    synthetic.write(layout, tmp_path, COUNTS, seed=SEED)
    expected = synthetic.draw_records(COUNTS, SEED)
    records = read_all(tmp_path)
    if layout.startswith("png_"):
        assert records.split_names == ("train", "test")
    elif layout == "numbered_files":
        assert records.split_names == ("train", "validation")
    elif layout.startswith("folders"):  # JPEG changes pixels a little
        assert sorted(records.labels) == sorted(expected.labels)
    else:
        assert contents(records) == contents(expected)
    counts = json.loads((tmp_path / "expected_counts.json").read_text())
    assert counts == COUNTS


def write(layout, folder, *, each=1, seed=SEED, **options):
    num_classes = 8 if layout in synthetic.DATASETS["affectnet"] else 7
    counts = {split: [each] * num_classes for split in COUNTS}
    synthetic.write(layout, folder, counts, seed=seed, **options)
    return read_tree(folder)


def read_tree(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@EVERY_LAYOUT
def test_the_seed_makes_a_layout_and_overwriting_ends_it(tmp_path, layout):
    folder = tmp_path / "a"
    before = write(layout, folder, each=2)
    other = folder / "other.txt"
    other.write_text("mine")
    with pytest.raises(ValueError, match=r"exists already.*--overwrite"):
        write(layout, folder)
    other_name = other.relative_to(folder)
    assert read_tree(folder) == {**before, other_name: b"mine"}
    after = write(layout, folder, overwrite=True)
    assert after.pop(other_name) == b"mine"
    assert after == write(layout, tmp_path / "b")
    assert after != write(layout, tmp_path / "c", seed=SEED + 1)


@EVERY_LAYOUT
def test_real_data_is_never_overwritten(tmp_path, layout):
    for name in synthetic.LAYOUTS[layout].names:
        folder = tmp_path / f"has {name}"
        folder.mkdir()
        (folder / name).write_text("precious")
        with pytest.raises(ValueError, match="may be real data"):
            write(layout, folder, overwrite=True)
        assert [*read_tree(folder).values()] == [b"precious"]


def test_file_numbers_say_nothing_about_rows(tmp_path):
    synthetic.write("folders", tmp_path, COUNTS, seed=SEED)
    numbers = [int(p.stem.split("_")[1]) for p in tmp_path.rglob("*.jpg")]
    assert len(set(numbers)) == 28
    assert max(numbers) > 28


@pytest.mark.parametrize(
    "counts",
    [
        {"train": [1] * 7},
        {**COUNTS, "test": [1] * 6},
        {**COUNTS, "test": [0] * 7},
        {**COUNTS, "test": [-1, *[1] * 6]},
    ],
    ids=["split", "class", "empty", "negative"],
)
def test_impossible_counts_are_an_error(counts):
    with pytest.raises(ValueError, match="`counts` must give 7 counts"):
        synthetic.draw_records(counts, SEED)


def test_command_writes_layout_and_contact_sheet(tmp_path, capsys):
    sizes = ["--train=2", "--validation=1", "--test=1"]
    sheet = tmp_path / "sheet.png"
    outputs = [f"--out={tmp_path}", f"--contact_sheet={sheet}"]
    assert synthetic.main(["--layout=csv", *sizes, *outputs]) == 0
    assert "Wrote layout csv of fer2013 into" in capsys.readouterr().out
    assert len(read_all(tmp_path).ids) == 28
    assert Image.open(sheet).size == (14 * 48, 7 * 48)
    layout = ["--dataset=affectnet", "--layout=class_folders"]
    assert synthetic.main([*layout, *sizes, f"--out={tmp_path / 'a'}"]) == 0
    assert "class_folders of affectnet" in capsys.readouterr().out
    assert len(list(tmp_path.rglob("*.jpg"))) >= 8


def test_command_reports_errors_in_one_line(tmp_path, capsys):
    assert synthetic.main([f"--out={tmp_path}", "--train=0"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("Error: `counts` must give")
    assert error.count("\n") == 1
    with pytest.raises(SystemExit):
        synthetic.main([])
    assert "--out=DIR" in capsys.readouterr().err


@pytest.mark.parametrize("dataset", synthetic.DATASETS)
def test_command_refuses_layouts_of_another_data_set(tmp_path, capsys, dataset):
    arguments = [f"--dataset={dataset}", "--layout=none", f"--out={tmp_path}"]
    with pytest.raises(SystemExit):
        synthetic.main(arguments)
    error = capsys.readouterr().err
    assert f"--layout of {dataset} must be one of" in error
    assert next(iter(synthetic.DATASETS[dataset])) in error
