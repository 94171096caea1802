"""The page: complete, self-contained, escaped, and honest about collapse."""

import base64
import io
import re
from html.parser import HTMLParser

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from trainer import metrics
from trainer import report

NAMES = ("ant", "bee", "cat")
# Confusion matrix, ROC, reliability; loss, accuracy, learning rate.
CHARTS_PER_SPLIT = LEARNING_CHARTS = 3
STATE = dict(matplotlib.rcParams)


class _Page(HTMLParser):
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
        return [_decode(row["src"]) for tag, row in self.tags if tag == "img"]


def _decode(source):
    kind, _, text = source.partition(",")
    assert kind == "data:image/png;base64"
    picture = Image.open(io.BytesIO(base64.b64decode(text)))
    picture.load()
    return picture


@pytest.fixture(autouse=True)
def draw_coarsely(monkeypatch):
    # Drawing is what takes the time; nothing here depends on the resolution.
    monkeypatch.setattr(report, "DOTS_PER_INCH", 40)


def _evaluation(names=NAMES, n=30, channels=1, **changes):
    rng = np.random.default_rng(0)
    labels = (np.arange(n) % len(names)).astype(np.int32)
    probabilities = rng.dirichlet(np.ones(len(names)), n).astype(np.float32)
    fields = {
        "metrics": metrics.evaluate_probabilities(labels, probabilities, names),
        "labels": labels,
        "probabilities": probabilities,
        "class_names": names,
        "images": rng.integers(0, 256, (n, 8, 8, channels), np.uint8),
        "ids": [f"id_{i:03d}" for i in range(n)],
    }
    return report.Evaluation(**{**fields, **changes})


def _answers(labels, probabilities, names=NAMES, **pictures):
    labels = np.array(labels)
    figures = metrics.evaluate_probabilities(labels, probabilities, names)
    return report.Evaluation(figures, labels, probabilities, names, **pictures)


def _epoch(i, phase="head", **changes):
    row = {"phase": phase, "epoch": i, "loss": 1.0 / (i + 1), "seconds": 30.0}
    row |= {"accuracy": 0.5, "val_loss": 1.1, "val_accuracy": 0.4}
    return row | {"val_macro_f1": 0.3, "learning_rate": 0.01} | changes


HISTORY = [_epoch(0), _epoch(1), _epoch(2, "fine_tune")]


@pytest.fixture(name="write")
def make_writer(tmp_path):
    def write(**changes):
        fields = {"title": "a run", "summary": {"seed": "17"}}
        fields["evaluations"] = {"validation": _evaluation()}
        fields["history"] = HISTORY
        path = tmp_path / "run" / "report.html"
        report.write_report(path, **{**fields, **changes})
        return _Page(path)

    return write


def test_page_loads_nothing_from_outside(write):
    page = write()
    for tag, attributes in page.tags:
        assert tag not in ("script", "link", "iframe", "object")
        for key in ("src", "href", "srcset", "data"):
            assert attributes.get(key, "data:").startswith("data:")
    assert not re.search(r"@import|url\(", page.source)


def test_pictures_decode_and_mistakes_are_of_validation_only(write):
    run = _evaluation()
    pictures = write(evaluations={"validation": run, "test": run}).pictures()
    wrong = int((run.probabilities.argmax(1) != run.labels).sum())
    assert 0 < wrong < report.MISTAKES_SHOWN
    assert len(pictures) == LEARNING_CHARTS + 2 * CHARTS_PER_SPLIT + wrong


def test_figures_with_intervals_are_on_the_page(write):
    run = _evaluation()
    text = write(evaluations={"validation": run}).text
    figures = run.metrics
    assert "never predicts" not in text
    low, high = figures["accuracy_interval"]
    assert f"{100 * figures['accuracy']:.1f}%" in text
    assert f"95%: {100 * low:.1f} to {100 * high:.1f}" in text
    assert f"{100 * figures['macro_f1']:.1f}%" in text
    assert f"{figures['roc_auc']:.3f}" in text
    error = metrics.reliability(run.labels, run.probabilities)
    ece = f"{100 * error['expected_calibration_error']:.1f}%"
    assert f"ECE {ece}" in text
    for row in figures["per_class"]:
        recall, low, high = 100 * np.array(
            [row["recall"], *row["recall_interval"]]
        )
        assert f"{recall:.1f} {low:.1f} to {high:.1f}" in text
    assert "seed 17" in text
    assert "Epochs: 3 (2 of the head alone), in 1.5 minutes" in text


def test_names_and_texts_are_escaped(write):
    evil = "<script>alert(1)</script>"
    # Mathtext would read the last name as a formula and fail on it.
    run = _evaluation(names=("a&b", evil, r"$\frac$"), ids=[evil] * 30)
    page = write(title=evil, summary={evil: evil}, evaluations={"test": run})
    assert "<script" not in page.source
    assert page.text.count(evil) > 4
    assert r"$\frac$" in page.text


def test_collapse_is_an_alarm_that_names_the_classes(write):
    run = _answers(np.arange(9) % 3, np.tile([0.2, 0.5, 0.3], (9, 1)))
    page = write(history=[], evaluations={"validation": run})
    alarms = [row for _, row in page.tags if row.get("role") == "alert"]
    assert len(alarms) == 1
    assert "alarm" in alarms[0]["class"]
    assert "never predicts ant, cat" in page.text
    assert "1 of 3 classes" in page.text


def test_page_without_training_or_pictures(write):
    run = _evaluation(images=None, ids=None)
    page = write(history=[], summary={}, evaluations={"validation": run})
    assert "No epoch was trained" in page.text
    assert "mistakes" not in page.text
    assert len(page.pictures()) == CHARTS_PER_SPLIT


def test_class_without_example_is_drawn_and_explained(write):
    run = _answers([0, 0, 1, 1], np.eye(3)[[0, 1, 1, 2]])
    page = write(history=[], evaluations={"validation": run})
    assert "no example of cat" in page.text


def test_mistakes_are_the_most_confident_ones_first():
    probabilities = np.array(
        [[0.6, 0.4], [0.9, 0.1], [0.2, 0.8], [0.99, 0.01], [0.3, 0.7]]
    )
    shades = np.arange(5, dtype=np.uint8) * 50
    images = np.tile(shades[:, None, None, None], (1, 4, 4, 1))
    pictures = {"images": images, "ids": list("vwxyz")}
    run = _answers([1, 1, 1, 0, 0], probabilities, "ab", **pictures)
    faces = report._mistakes(run)
    assert [face["id"] for face in faces] == ["w", "z", "v"]
    assert (faces[0]["true"], faces[0]["predicted"]) == ("b", "a")
    assert faces[0]["confidence"] == pytest.approx(0.9)
    assert np.asarray(_decode(faces[0]["source"])).max() == 50


def test_colour_pictures_are_kept():
    face = report._mistakes(_evaluation(channels=3))[0]
    assert _decode(face["source"]).mode == "RGB"


@pytest.fixture(name="figures")
def keep_figures(monkeypatch):
    """Keeps every figure that the module draws."""
    kept, original = [], Figure.savefig

    def savefig(self, *args, **options):
        kept.append(self)
        return original(self, *args, **options)

    monkeypatch.setattr(Figure, "savefig", savefig)
    return kept


def test_confusion_chart_has_true_classes_down_the_side(figures):
    run = _answers([0, 0, 0, 1, 2], np.eye(3)[[0, 1, 1, 1, 2]])
    report._confusion_chart(run)
    axes = figures[0].axes[0]
    texts = {text.get_position(): text.get_text() for text in axes.texts}
    # (x, y): two ants (row 0) were taken for bees (column 1).
    assert texts[1, 0] == "2\n67%"
    assert texts[0, 1] == "0\n0%"
    assert axes.images[0].get_array()[0, 1] == pytest.approx(2 / 3)
    assert axes.get_ylabel() == "true class"
    assert [tick.get_text() for tick in axes.get_xticklabels()] == [*NAMES]


def test_learning_charts_plot_the_history(write, figures):
    write()
    loss, accuracy, rate = (figure.axes[0] for figure in figures[:3])
    lines = {line.get_label(): line for line in loss.lines}
    assert list(lines["training"].get_xdata()) == [1, 2, 3]
    assert list(lines["training"].get_ydata()) == [1.0, 1 / 2, 1 / 3]
    assert list(lines["validation"].get_ydata()) == [1.1] * 3
    assert list(lines["fine-tuning begins"].get_xdata()) == [2.5, 2.5]
    shares = {x.get_label(): x.get_ydata() for x in accuracy.lines}
    assert list(shares["training"]) == [50.0] * 3
    assert list(shares["validation"]) == [40.0] * 3
    assert list(shares["validation macro-F1"]) == [30.0] * 3
    assert rate.get_yscale() == "log"


def test_roc_chart_follows_the_probabilities(figures):
    run = _evaluation()
    report._roc_chart(run)
    lines = {line.get_label(): line for line in figures[0].axes[0].lines}
    curve = metrics.roc_curves(run.labels, run.probabilities)[1]
    false, true = lines["bee"].get_data()
    assert list(false / 100) == pytest.approx(curve["false_positive_rate"])
    assert list(true / 100) == pytest.approx(curve["true_positive_rate"])
    assert len(false) > 3  # more corners than hard labels have


def test_legends_stay_outside_the_axes(write, figures):
    write()
    for figure in figures:
        area = figure.axes[0].get_window_extent()
        for legend in figure.legends:
            assert not legend.get_window_extent().overlaps(area)
        assert figure.axes[0].get_legend() is None
        assert figure.axes[0].get_xlabel()
        assert figure.axes[0].get_ylabel()


@pytest.mark.parametrize(
    "odd",
    [{}, {"val_loss": None}, {"loss": np.nan}, {"learning_rate": 0.0}],
    ids=["one epoch", "not validated", "diverged", "rate zero"],
)
@pytest.mark.filterwarnings("error")
def test_odd_histories_are_drawn_without_a_warning(write, odd):
    page = write(history=[_epoch(0, **odd)], evaluations={})
    assert "Nothing was evaluated" in page.text
    assert len(page.pictures()) == LEARNING_CHARTS


def test_history_without_a_key_is_refused(write):
    broken = _epoch(1)
    del broken["val_loss"]
    with pytest.raises(ValueError, match=r"entry 1 lacks \['val_loss'\]"):
        write(history=[_epoch(0), broken])


@pytest.mark.parametrize("field", ["labels", "probabilities", "images", "ids"])
def test_arrays_of_another_split_are_refused(field):
    short = getattr(_evaluation(n=12), field)
    with pytest.raises(ValueError, match=f"`{field}` must hold the 30"):
        _evaluation(**{field: short})


def test_failed_write_keeps_the_old_page(write, tmp_path, monkeypatch):
    page = write(title="first", history=[], evaluations={})

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write(title="second", history=[], evaluations={})
    (kept,) = (tmp_path / "run").iterdir()
    assert kept.read_text("utf-8") == page.source


def test_same_input_gives_the_same_bytes_and_leaves_no_trace(write):
    evaluations = {"test": _evaluation()}
    first = write(history=[], evaluations=evaluations)
    second = write(history=[], evaluations=evaluations)
    assert first.source == second.source
    assert dict(matplotlib.rcParams) == STATE
