"""Pages read back, and small evaluations to fill them with."""

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
from PIL import Image

from trainer.evaluation import calibration
from trainer.evaluation import metrics
from trainer.evaluation import report

NAMES = ("ant", "bee", "cat")


class Page(HTMLParser):
    """Collects the tags with their attributes, and the visible text."""

    def __init__(self, path):
        super().__init__()
        self.tags, self.words, self.source = [], [], path.read_text("utf-8")
        self.feed(self.source)
        self.text = re.sub(r"\s+", " ", " ".join(self.words))

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.words.append(data)

    def pictures(self):
        return [decode(row["src"]) for tag, row in self.tags if tag == "img"]


def decode(source):
    kind, _, text = source.partition(",")
    assert kind == "data:image/png;base64"
    picture = Image.open(io.BytesIO(base64.b64decode(text)))
    picture.load()
    return picture


def figures_of(labels, probabilities, names):
    """The metrics of a split, with a temperature fitted on itself."""
    temperature = calibration.fit_temperature(labels, probabilities)
    return {
        **metrics.evaluate_probabilities(labels, probabilities, names),
        **calibration.calibration_metrics(labels, probabilities, temperature),
    }


def evaluation(names=NAMES, n=30, channels=1, **changes):
    rng = np.random.default_rng(0)
    labels = (np.arange(n) % len(names)).astype(np.int32)
    probabilities = rng.dirichlet(np.ones(len(names)), n).astype(np.float32)
    fields = {
        "metrics": figures_of(labels, probabilities, names),
        "labels": labels,
        "probabilities": probabilities,
        "class_names": names,
        "images": rng.integers(0, 256, (n, 8, 8, channels), np.uint8),
        "ids": [f"id_{i:03d}" for i in range(n)],
    }
    return report.Evaluation(**{**fields, **changes})


def answers(labels, probabilities, names=NAMES, **pictures):
    labels = np.array(labels)
    figures = figures_of(labels, probabilities, names)
    return report.Evaluation(figures, labels, probabilities, names, **pictures)


def epoch(i, phase="head", **changes):
    row = {"phase": phase, "epoch": i, "loss": 1.0 / (i + 1), "seconds": 30.0}
    row |= {"accuracy": 0.5, "val_loss": 1.1, "val_accuracy": 0.4}
    return row | {"val_macro_f1": 0.3, "learning_rate": 0.01} | changes


HISTORY = [epoch(0), epoch(1), epoch(2, "fine_tune")]
