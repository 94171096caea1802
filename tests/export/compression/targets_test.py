"""Compression trains to what the run was trained to, its teachers included."""

import dataclasses

import numpy as np
import pytest

from export import exporter
from export.compression import check
from export.compression import compress
from export.compression import exchange
from export.compression import targets as compression_targets
from export.compression.options import CompressionOptions
from export.options import ExportOptions
from tests.export import export_fixtures
from trainer import distillation
from trainer import files
from trainer import run_folder
from trainer import targets
from trainer.data import prepared

GONE = r"gone/settings\.json"
QAT = CompressionOptions(variants=("qat",))
SHARES = {"distill_share": 0.6, "distill_temperature": 2.0}
SHARES |= {"label_smoothing": 0.1}


def taught(teacher, **values):
    """Settings of the finished run as if it had been taught by this one."""
    values = {"distill_from": (str(teacher),), **SHARES, **values}
    return export_fixtures.make_settings(**values)


def make_job(workdir, **values):
    """The finished run as if it had been taught and its folder were another."""
    settings = taught(export_fixtures.workdir(), **values)
    run = export_fixtures.run()
    run = dataclasses.replace(run, settings=settings, workdir=workdir)
    splits = {
        "train": prepared.load_split(settings.data, "train"),
        "validation": export_fixtures.validation(),
    }
    chosen = export_fixtures.calibration()
    return compress.Job(run, splits, chosen, QAT, ("int8",), "uint8")


def sent_targets(job, folder, variant="qat"):
    """What the process that compresses is told to train to."""
    files = exchange.CompressionFiles(folder)
    compress._write_inputs(files, job, variant)
    return files.read_data()["train_targets"]


def keep(workdir, shape=(3, 280, 7)):
    """Writes kept targets that no teacher would give; returns them."""
    draw = np.random.default_rng(0)
    kept = draw.dirichlet(np.ones(shape[-1]), shape[:-1]).astype(np.float32)
    np.save(workdir / run_folder.TARGETS, kept)
    return kept


@pytest.fixture
def workdir(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("flip", [False, True])
def test_teachers_of_every_batch_see_the_plain_images(workdir, tmp_path, flip):
    job = make_job(workdir, distill_views=0, flip=flip)
    split, model = job.splits["train"], export_fixtures.run().model
    images = split.images.astype(np.float32)
    answers = model.predict(images, verbose=0)
    if flip:
        mirrored = model.predict(images[:, :, ::-1], verbose=0)
        answers = (answers + mirrored) / 2
    target = job.run.settings.target
    untaught = targets.make_targets(split.labels, 7, target)
    expected = targets.mix_predictions(untaught, answers, target)
    got = sent_targets(job, tmp_path)
    assert (got.shape, got.dtype) == ((280, 7), np.float32)
    np.testing.assert_allclose(got, expected, atol=1e-4)
    assert np.abs(got - untaught).max() > 0.05


def test_kept_targets_are_used_and_no_teacher_is_needed(workdir, tmp_path):
    kept = keep(workdir)
    job = make_job(workdir, distill_views=3, distill_from=("gone",))
    got = sent_targets(job, tmp_path)
    np.testing.assert_allclose(got, kept.mean(axis=0), atol=1e-6)


def test_an_untaught_run_looks_at_no_kept_targets(workdir, tmp_path):
    keep(workdir)
    job = make_job(workdir, distill_from=())
    labels = job.splits["train"].labels
    expected = targets.make_targets(labels, 7, job.run.settings.target)
    np.testing.assert_array_equal(sent_targets(job, tmp_path), expected)


def test_all_variants_together_ask_once(workdir, tmp_path, monkeypatch):
    asked = []

    def ask(settings, splits, strategy):
        asked.append(len(splits["train"].labels))
        return np.full([2, 280, 7], 1 / 7, np.float32)

    monkeypatch.setattr(distillation, "teacher_predictions", ask)
    job = make_job(workdir, distill_views=2)
    for variant in ("qat", "prune"):
        # An untaught one has 0.91 for the true class.
        assert sent_targets(job, tmp_path, variant).max() < 0.5
    assert asked == [280]


def test_missing_and_unfinished_teachers_are_refused_before_the_data(tmp_path):
    settings = taught(tmp_path / "gone", distill_views=0)
    with pytest.raises(check.CompressionError, match=GONE) as caught:
        check.check(settings, QAT, workdir=tmp_path)
    assert "--recipes=int8" in str(caught.value)
    assert run_folder.TARGETS not in str(caught.value)
    check.check(settings, CompressionOptions(), workdir=tmp_path)
    folder = export_fixtures.copy_workdir(tmp_path)
    settings = taught(folder, distill_views=0)
    check.check(settings, QAT, workdir=tmp_path)
    (folder / run_folder.METRICS).unlink()
    with pytest.raises(check.CompressionError, match=r"tiny/metrics\.json"):
        check.check(settings, QAT, workdir=tmp_path)


def test_missing_teachers_of_views_are_refused_early(tmp_path, monkeypatch):
    folder = export_fixtures.copy_workdir(tmp_path)
    settings = taught(tmp_path / "gone", distill_views=2)
    files.write_text(folder / run_folder.SETTINGS, settings.to_json())
    options = ExportOptions(workdir=folder, tflite=True, compression=QAT)
    # Nothing may be converted, nor read for it.
    monkeypatch.setattr(exporter, "_load_splits", None)
    with pytest.raises(check.CompressionError, match=GONE):
        exporter.export_run(options)
    keep(folder)
    with pytest.raises(TypeError, match="NoneType"):
        exporter.export_run(options)


def test_no_targets_and_no_teachers_are_refused(workdir, tmp_path, monkeypatch):
    """By the whole of a variant, which gets no further than that."""
    monkeypatch.setattr(compress, "_run_worker", None)
    job = make_job(workdir, distill_views=2, distill_from=("gone",))
    with pytest.raises(check.CompressionError, match=GONE) as caught:
        compress.write_variant(job, "qat", tmp_path)
    assert run_folder.TARGETS in str(caught.value)


@pytest.mark.parametrize(
    "shape",
    [(3, 279, 7), (3, 280, 8), (280, 7), (0, 280, 7)],
    ids=["images", "classes", "no_views", "empty"],
)
def test_kept_targets_of_another_shape_are_refused(workdir, shape):
    keep(workdir, shape)
    job = make_job(workdir, distill_views=3)
    with pytest.raises(check.CompressionError, match="shape"):
        compression_targets.find(job.run, job.splits)


@pytest.mark.parametrize(
    ("content", "message"),
    [("", "cannot be read"), ("no array", "cannot be read"), (None, "NaN")],
)
def test_damaged_kept_targets_are_refused(workdir, content, message):
    np.save(workdir / run_folder.TARGETS, np.full([3, 280, 7], np.nan))
    if content is not None:
        (workdir / run_folder.TARGETS).write_text(content)
    job = make_job(workdir, distill_views=3)
    with pytest.raises(check.CompressionError, match=message) as caught:
        compression_targets.find(job.run, job.splits)
    assert "delete it" in str(caught.value)


def test_kept_targets_do_not_fit_other_images(workdir):
    """As many faces in another order would get each other's answers."""
    keep(workdir)
    job = make_job(workdir, distill_views=3)
    split = job.splits["train"]
    other = prepared.Split(split.images[::-1], split.labels, split.ids)
    with pytest.raises(check.CompressionError, match="--data_dir"):
        compression_targets.find(job.run, {**job.splits, "train": other})
