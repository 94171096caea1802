"""Run folders as training leaves them, without training."""

import json

import numpy as np

from tests.trainer.evaluation import report_fixtures
from trainer import logs
from trainer.data.prepared import Split
from trainer.evaluation import evaluate
from trainer.evaluation import robustness
from trainer.settings import settings as settings_lib

MANIFEST = {
    **{"data": {"name": "fer2013/original/1.1.0"}, "libraries": {"numpy": "2"}},
    **{"commit": "0123456789abcdef", "replicas": 1, "precision": "float32"},
    "hardware": {"cores": 2, "gpus": 0},
}


def make_splits(n=70, groups=None):
    """The same faces for every run: 7 classes, ids that tell the split."""
    rng = np.random.default_rng(0)
    labels = (np.arange(n) % 7).astype(np.int32)
    images = rng.integers(0, 256, [n, 8, 8, 1], np.uint8)
    return {
        part: Split(images, labels, [f"{part}_{i}" for i in range(n)], groups)
        for part in ("train", "validation", "test")
    }


def answer(labels, skill, seed):
    """Probabilities of a model that is right in a share `skill` of images."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(7), len(labels)) * 0.2
    guesses = rng.integers(0, 7, len(labels))
    is_right = rng.random(len(labels)) < skill
    chosen = np.where(is_right, labels, guesses)
    probabilities[np.arange(len(labels)), chosen] += 0.8
    return probabilities.astype(np.float32)


def write_run(folder, *, skill=0.6, seed=0, splits=None, **values):
    """Writes a finished run; returns its folder and its figures."""
    splits = splits or make_splits()
    settings = settings_lib.from_flat({"seed": seed, **values})
    history = [report_fixtures.epoch(i, "fine_tune") for i in range(3)]
    folder.mkdir()
    (folder / "settings.json").write_text(settings.to_json())
    (folder / "manifest.json").write_text(json.dumps(MANIFEST))
    (folder / "history.csv").write_text(logs.history_csv(history))
    predicted = {
        part: answer(splits[part].labels, skill, [seed, i])
        for i, part in enumerate(("validation", "test"))
    }
    judged = splits["validation"].images, splits["validation"].labels
    robust = robustness.measure(lambda x: np.full([len(x), 7], 1 / 7), *judged)
    parts = {"predictions": predicted, "history": history, "robustness": robust}
    return folder, evaluate.finish(folder, settings, splits, **parts)
