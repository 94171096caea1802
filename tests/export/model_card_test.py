"""Tests of export/model_card.py: measured figures, and no others."""

import json
import re

import pytest

from export import model_card
from tests.export import export_fixtures


def write(folder, workdir=None):
    workdir = workdir or export_fixtures.workdir()
    return model_card.write(folder, workdir).read_text()


def change(path, **values):
    content = json.loads(path.read_text()) | values
    path.write_text(json.dumps(content))


def change_settings(folder, group, **values):
    path = folder / "metadata.json"
    settings = json.loads(path.read_text())["settings"]
    change(path, settings=settings | {group: settings[group] | values})


def test_figures_of_every_split_and_artefact_are_told(folder):
    card = (folder / model_card.CARD).read_text()
    assert card.startswith("# Model card: tiny\n")
    parity = json.loads((folder / "parity.json").read_text())
    for row in parity["artefacts"]:
        assert f"| {row['artefact']} |" in card
    assert card.count("| happy | 8 |") == 1
    assert card.count("| happy | 6 |") == 1


def test_the_runs_figures_stand_in_their_places(folder, workdir):
    row = {"name": "happy", "support": 53, "precision": 0.333}
    row |= {"recall": 0.311, "recall_interval": [0.301, 0.322]}
    figures = {"n": 3501, "per_class": [row]}
    figures |= {"accuracy": 0.411, "accuracy_interval": [0.402, 0.423]}
    figures |= {"macro_f1": 0.434, "macro_f1_interval": [0.425, 0.446]}
    change(workdir / "metrics.json", test=figures)
    card = write(folder, workdir)
    assert re.search(
        r"On test \(3,501 pictures, scored once\):\naccuracy 41\.1 \(40\.2 to\n"
        r"42\.3\), macro-F1 43\.4 \(42\.5 to\n44\.6\)\.",
        card,
    )
    assert "| happy | 53 | 31.1 (30.1 to 32.2) | 33.3 |" in card


def test_the_gates_figures_stand_in_their_places(folder):
    row = {
        **{"artefact": "model_int8.tflite", "agreement": 0.911},
        **{"accuracy": 0.622, "accuracy_difference_points": -0.33},
        "accuracy_difference_interval": [-0.44, 0.55],
        "macro_f1_difference_points": -0.66,
        "macro_f1_difference_interval": [-0.77, 0.88],
        "ece": 0.025,
    }
    change(folder / "parity.json", images=3502, artefacts=[row])
    size = (folder / "model_int8.tflite").stat().st_size / 1000
    card = write(folder)
    assert "On 3,502 validation pictures" in card
    assert (
        f"| model_int8.tflite | {size:,.0f} | 91.1 | 62.2 "
        "| -0.33 (-0.44 to +0.55) | -0.66 (-0.77 to +0.88) | 2.5 |"
    ) in card


def test_a_temperature_is_told(folder):
    assert "temperature" not in write(folder)
    fitted = {"temperature": 1.234, "images": 3503}
    fitted |= {"ece_before": 0.061, "ece_after": 0.017}
    change(folder / "metadata.json", calibrated=fitted)
    card = write(folder)
    assert "the temperature 1.234, fitted on 3,503 validation" in card
    assert "goes from 6.1 to 1.7." in card


def test_how_it_was_trained_and_on_other_splits_is_told(folder):
    values = {"head_epochs": 72, "fine_tune_epochs": 73, "seed": 71}
    values |= {"batch_size": 74, "optimizer": "adamw"}
    change_settings(folder, "training", **values)
    assert (
        "72 epochs of the head alone, 73 of fine-tuning,\n"
        "  adamw, batch 74, seed 71;"
    ) in write(folder)
    assert "of the official splits" not in write(folder)
    change_settings(folder, "data", train_split="train+validation[:80%]")
    assert re.search(
        r"\* train: 280 pictures \(`train\+validation\[:80%\]` of the official",
        write(folder),
    )


def test_a_run_that_streamed_has_a_hash_of_what_is_stored(folder):
    content = json.loads((folder / "metadata.json").read_text())
    splits = content["data"]["splits"]
    splits["train"] = {"examples": 280, "stored_sha256": "5" * 64}
    change(folder / "metadata.json", data=content["data"])
    assert f"* train: 280 pictures, sha256 {'5' * 16}..." in write(folder)


def test_votes_and_teachers_are_named(folder):
    assert "votes of" not in write(folder)
    assert "taught by" not in write(folder)
    values = {"soft_labels": "fer2013/plus", "soft_label_share": 0.31}
    values |= {"distill_from": ["wide", "deep"], "distill_share": 0.62}
    change_settings(folder, "target", **values)
    card = write(folder)
    assert "votes of `fer2013/plus` (weight 0.31)" in card
    assert "taught by wide, deep, whose" in card
    assert "(weight 0.62)" in card


def test_the_part_that_was_not_trained_on_is_told(folder, workdir):
    figures = json.loads((workdir / "metrics.json").read_text())["test"]
    unseen = {"n": 39, "accuracy": 0.251, "accuracy_interval": [0.142, 0.405]}
    figures |= {"seen_in_training": 3, "unseen": unseen}
    change(workdir / "metrics.json", test=figures)
    card = write(folder, workdir)
    assert re.search(
        r"Without the 3 that also stand in the training split: accuracy 25\.1"
        r"\s\(14\.2 to 40\.5\) on 39 pictures",
        card,
    )


def test_latency_is_taken_from_the_report_if_there_is_one(folder):
    (folder / "latency.json").unlink(missing_ok=True)
    assert "Not measured yet: `python -m export --benchmark`" in write(folder)
    times = {"median_ms": 1.234, "p95_ms": 2.5, "first_answer_ms": 321.4}
    times |= {"peak_memory_mb": 54.6}
    row = {"file": "model_int8.tflite", "one_thread": times}
    report = {"machine": {"processor": "X1", "cores": 3}, "files": [row]}
    (folder / "latency.json").write_text(json.dumps(report))
    card = write(folder)
    assert "X1, 3 cores" in card
    assert "| 1.23 ms | 2.50 ms | 321 ms | 55 MB |" in card


def test_uses_limits_and_people_are_stated_of_data_that_is_known(folder):
    card = write(folder)
    headings = re.findall(r"^## (.*)$", card, re.MULTILINE)
    assert headings[-3:] == [
        "What it is for, and what it is not for",
        "Who is not represented",
        "Licence limits",
    ]
    assert "hiring" in card
    assert "FER-2013" in card
    change_settings(folder, "data", dataset="other/config")
    card = write(folder)
    assert "FER-2013" not in card
    assert "read its licence" in card


@pytest.mark.parametrize("content", ["{", "[]"], ids=["cut", "a list"])
def test_a_damaged_report_is_named(folder, content):
    (folder / "parity.json").write_text(content)
    with pytest.raises(ValueError, match=r"parity\.json is damaged"):
        write(folder)


@pytest.mark.parametrize("weights", ["edge", "pocket"])
def test_limits_of_what_the_weights_began_with_go_on(folder, weights):
    change_settings(folder, "model", weights=weights)
    assert "began with" not in " ".join(write(folder).split())
    change_settings(folder, "data", dataset="image_folder", classes=["a", "b"])
    card = " ".join(write(folder).split())
    assert f"began with the weights of `{weights}`, which were learned" in card
    limits = card.partition("## Licence limits")[2]
    assert limits.index("pictures that a user brought") < limits.index(
        "FER-2013: 48x48"
    )
