"""Tests of compression: what is refused, what comes back, what is checked."""

import dataclasses
import json
import pathlib
import shutil

import numpy as np
import pytest

import edge
from export import exporter
from export.compression import check
from export.compression import compress
from export.compression import exchange
from export.compression import options as options_lib
from export.compression.options import CompressionOptions
from export.options import ExportOptions
from tests.export import export_fixtures

QAT = CompressionOptions(variants=("qat",))
NO_RUN = pathlib.Path("none")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("qat", "qat"),
        ("qat+prune", "prune+qat"),
        ("qat+cluster+prune", "prune+cluster+qat"),
        ("prune+prune", None),
        ("distil", None),
        ("", None),
    ],
)
def test_steps_may_be_named_in_any_order(name, expected):
    assert options_lib.canonical(name) == expected


def test_quantisation_is_last_and_other_steps_are_refused():
    for name, steps in options_lib.VARIANTS.items():
        assert "qat" not in steps[:-1], name
    options = CompressionOptions(variants=("distil",))
    settings = export_fixtures.make_settings()
    with pytest.raises(check.CompressionError, match="distil"):
        check.check(settings, options, workdir=NO_RUN)


def test_an_activation_without_8_bits_is_refused_with_an_alternative():
    settings = export_fixtures.make_settings(
        head_units=(8,), head_dropout=(0.0,), head_activation="elu"
    )
    with pytest.raises(check.CompressionError, match="--head_activation=relu"):
        check.check(settings, QAT, workdir=NO_RUN)
    # Without a hidden layer the setting has no effect; pruning rounds nothing.
    plain = export_fixtures.make_settings(head_activation="elu")
    check.check(plain, QAT, workdir=NO_RUN)
    prune = CompressionOptions(variants=("prune",))
    check.check(settings, prune, workdir=NO_RUN)


def test_a_missing_toolkit_says_what_to_install(monkeypatch):
    monkeypatch.setattr(check.importlib.util, "find_spec", lambda name: None)
    settings = export_fixtures.make_settings()
    match = r"pip install -r requirements\.lock"
    with pytest.raises(check.CompressionError, match=match):
        check.check(settings, QAT, workdir=NO_RUN)
    check.check(settings, CompressionOptions(), workdir=NO_RUN)


def test_another_network_is_noticed():
    answers = np.full([3, 4], 0.25, np.float32)
    check.check_same_start(answers, answers + 1e-5)
    for other in (answers + 0.01, answers * np.nan):
        with pytest.raises(check.CompressionError, match="copy"):
            check.check_same_start(answers, other)


@pytest.mark.parametrize(
    ("after", "message"),
    [
        ([np.zeros([2, 3])], "other shapes"),
        ([np.zeros([3, 2]), np.zeros(1)], "other shapes"),
        ([np.full([3, 2], np.inf)], "not finite"),
    ],
)
def test_weights_that_are_not_the_networks_are_refused(after, message):
    with pytest.raises(check.CompressionError, match=message):
        check.check_weights([np.zeros([3, 2])], after)


@pytest.mark.parametrize(
    ("variant", "message"), [("prune", "zeros"), ("cluster", "values")]
)
def test_a_file_without_the_effect_is_refused(variant, message):
    """The plain export: neither pruned nor clustered."""
    path = export_fixtures.export_folder() / "model_int8.tflite"
    options = CompressionOptions(clusters=4)
    with pytest.raises(check.CompressionError, match=message):
        check.check_effect(path, variant, options)
    check.check_effect(path, "qat", options)


def test_a_conversion_that_answers_otherwise_is_refused():
    path = export_fixtures.export_folder() / "model_int8.tflite"
    split = export_fixtures.validation()
    answers = edge.Classifier(path).probabilities(split.images)
    agreement = check.check_predictions(path, split.images, answers)
    assert agreement == 1
    with pytest.raises(check.CompressionError, match="conversion"):
        check.check_predictions(path, split.images, np.roll(answers, 1, axis=1))


def test_files_pass_between_the_processes_unchanged_and_as_numbers(tmp_path):
    files = exchange.CompressionFiles(tmp_path)
    weights = [np.arange(i, dtype=np.float32) for i in range(12)]
    files.write_weights(weights)
    for before, after in zip(weights, files.read_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    files.write_request({"steps": ["qat"]})
    assert files.read_request() == {"steps": ["qat"]}
    files = exchange.CompressionFiles(tmp_path)
    np.save(tmp_path / "after.npy", np.array([{"a": 1}]), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle"):
        files.read_predictions("after")


def test_a_worker_that_dies_shows_its_last_lines(tmp_path, monkeypatch):
    monkeypatch.setattr(compress, "WORKER", "export.no_such_module")
    files = exchange.CompressionFiles(tmp_path)
    match = r"--recipes=int8[\s\S]*no_such_module"
    with pytest.raises(check.CompressionError, match=match):
        compress._run_worker(files, "qat")


@pytest.mark.slow
def test_every_variant_of_the_tiny_network(tmp_path):
    """Trained in the other generation of Keras, and through the gate."""
    options = ExportOptions(
        workdir=export_fixtures.workdir(),
        out=tmp_path / "export",
        tflite=True,
        compression=CompressionOptions(
            variants=tuple(options_lib.VARIANTS), epochs=6, learning_rate=0.005
        ),
    )
    # Ten batches of drawn faces are no training; the bounds are of the real
    # data's size.
    loose = {"compressed_agreement": 0.5}
    loose |= {"compressed_accuracy_loss_points": 40.0}
    loose |= {"compressed_recall_loss_points": 100.0}
    bounds = dataclasses.replace(options.bounds, **loose)
    folder = exporter.export_run(dataclasses.replace(options, bounds=bounds))
    recorded = json.loads((folder / "metadata.json").read_text())["tflite"]
    steps = ["prune_", "cluster_", "prune_cluster_"]
    integer = ["", *steps, *(f"{each}qat_" for each in ["", *steps])]
    assert set(recorded) == {
        *(f"model_{each}float32.tflite" for each in ["", *steps]),
        *(f"model_{each}int8.tflite" for each in integer),
    }
    for name, record in recorded.items():
        if "prune" in name:
            assert record["measured"]["sparsity"] >= 0.49
        if "cluster" in name:
            assert record["measured"]["values"] <= 16
        model = edge.Classifier(folder / name)
        if "int8" in name:
            assert model.input_quantization == (1.0, 0)
        if "qat" in name:
            trained = model.metadata["compression_training"]
            assert trained["libraries"]["tf_keras"]
            assert trained["history"][-1]["step"] == "qat"


NETWORKS = (
    *("plain_cnn", "mobilenetv2", "vgg16", "resnet50", "resnet50v2"),
    *("efficientnet_lite0", "densenet121"),
)


def _check_as_numbers(path, images, expected):
    """After a few steps many pictures are near a tie: who wins says little."""
    answers = edge.Classifier(path).probabilities(images)
    np.testing.assert_allclose(answers, expected, atol=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("backbone", NETWORKS)
def test_every_network_trains_for_int8(tmp_path, backbone, monkeypatch):
    """From random weights, a few steps: it converts, and to integers."""
    from trainer import train

    monkeypatch.setattr(check, "check_predictions", _check_as_numbers)
    workdir = tmp_path / backbone
    settings = export_fixtures.make_settings(
        backbone=backbone, fine_tune_epochs=1, batch_size=56
    )
    train.train_and_evaluate(settings, workdir)
    shutil.rmtree(workdir / "checkpoints")
    run = exporter.checkpoints.load_for_inference(workdir)
    splits = {
        "train": exporter.prepared.load_split(settings.data, "train"),
        "validation": export_fixtures.validation(),
    }
    options = CompressionOptions(epochs=1)
    chosen = export_fixtures.calibration()
    job = compress.Job(run, splits, chosen, options, ("int8",), "uint8")
    (name,) = compress.write_variant(job, "qat", tmp_path)
    assert name == "model_qat_int8.tflite"
