"""The page: complete, self-contained, escaped, and honest about collapse."""

import re

import matplotlib
import numpy as np
import pytest

from tests.trainer.evaluation import report_fixtures as fixtures
from trainer.evaluation import calibration
from trainer.evaluation import report
from trainer.evaluation import robustness

# Confusion matrix, ROC, reliability twice; loss, accuracy, learning rate.
CHARTS_PER_SPLIT, LEARNING_CHARTS = 4, 3
STATE = dict(matplotlib.rcParams)


@pytest.fixture(name="write")
def make_writer(tmp_path):
    def write(**changes):
        fields = {"title": "a run", "summary": {"seed": "17"}}
        fields["evaluations"] = {"validation": fixtures.evaluation()}
        fields["history"] = fixtures.HISTORY
        path = tmp_path / "run" / "report.html"
        report.write_report(path, **{**fields, **changes})
        return fixtures.Page(path)

    return write


def test_page_loads_nothing_and_has_texts_and_headers(write):
    page = write()
    for tag, attributes in page.tags:
        assert tag not in ("script", "link", "iframe", "object")
        for key in ("src", "href", "srcset", "data"):
            assert attributes.get(key, "data:").startswith("data:")
    assert not re.search(r"@import|url\(", page.source)
    texts = [row.get("alt", "") for tag, row in page.tags if tag == "img"]
    assert all(len(text) > 10 for text in texts)
    assert len(set(texts[:LEARNING_CHARTS])) == LEARNING_CHARTS
    headers = [row for tag, row in page.tags if tag == "th"]
    assert all(row["scope"] in ("row", "col") for row in headers)


def test_pictures_decode_and_mistakes_are_of_validation_only(write):
    run = fixtures.evaluation()
    pictures = write(evaluations={"validation": run, "test": run}).pictures()
    wrong = int((run.probabilities.argmax(1) != run.labels).sum())
    assert 0 < wrong < report.MISTAKES_SHOWN
    assert len(pictures) == LEARNING_CHARTS + 2 * CHARTS_PER_SPLIT + wrong


def test_figures_with_intervals_are_on_the_page(write):
    run = fixtures.evaluation()
    text = write(evaluations={"validation": run}).text
    figures = run.metrics
    assert "never predicts" not in text
    for name in ("accuracy", "macro_f1", "balanced_accuracy"):
        low, high = figures[f"{name}_interval"]
        assert f"{100 * figures[name]:.1f}%" in text
        assert f"95%: {100 * low:.1f} to {100 * high:.1f}" in text
    for name in ("roc_auc", "log_loss"):
        low, high = figures[f"{name}_interval"]
        assert f"{figures[name]:.3f}" in text
        assert f"95%: {low:.3f} to {high:.3f}" in text
    for row in figures["per_class"]:
        shares = [row["recall"], *row["recall_interval"]]
        recall, low, high = 100 * np.array(shares)
        assert f"{recall:.1f} {low:.1f} to {high:.1f}" in text
    assert "seed 17" in text
    assert "Epochs: 3 (2 of the head alone), in 1.5 minutes" in text


def test_calibration_is_shown_before_and_after_the_temperature(write):
    run = fixtures.evaluation()
    page = write(evaluations={"test": run})
    temperature = run.metrics["temperature"]
    scaled = calibration.apply_temperature(run.probabilities, temperature)
    for probabilities in (run.probabilities, scaled):
        error = calibration.reliability(run.labels, probabilities)["ece"]
        assert page.text.count(f"ECE {100 * error:.1f}%") == 1
    assert f"temperature {temperature:.3f}" in page.text


def by_brightness(images):
    shares = images.reshape(len(images), -1).mean(axis=1) / 255
    return np.stack([shares, 1 - shares], axis=1)


def test_robustness_is_drawn_and_told(write):
    images = np.full((20, 16, 16, 1), 150, np.uint8)
    found = robustness.measure(by_brightness, images, np.zeros(20, int))
    page = write(history=[], evaluations={}, robustness=found)
    assert len(page.pictures()) == len(robustness.CHANGES)
    assert "Accuracy on 20 validation images" in page.text
    texts = [row["alt"] for tag, row in page.tags if tag == "img"]
    assert "-80: 0.0%, -40: 0.0%, as it is: 100.0%, 40: 100.0%" in texts[2]
    assert "Robustness" not in write(history=[], evaluations={}).text


def share(name, n, value, *bounds):
    found = {"n": n, "accuracy": value, "accuracy_interval": bounds}
    return {"name": name, **found} if name else found


ROWS = [share("a", 40, 0.9, 0.8, 1), share("<b>", 35, 0.6, 0, 1)]
GAP = {"best": "a", "worst": "<b>", "difference": 0.3, "interval": [0.11, 0.52]}
TOLD = {
    "groups": (
        {"groups": ROWS, "largest_gap": GAP, "groups_reason": None},
        "a 40 90.0 80.0 to 100.0 <b> 35 60.0",
        "Largest gap: a before <b> by 30.0 points",
        "11.0 to 52.0",
    ),
    "no gap": (
        {"groups": [], "largest_gap": None, "groups_reason": "too few"},
        "No gap between subgroups is given: too few.",
    ),
    "no groups": ({}, "nothing can be said about how the model treats sub"),
    "seen": (
        {"seen_in_training": 4, "unseen": share("", 26, 0.5, 0.321, 0.679)},
        "4 of these images also stand in the training split",
        "On the 26 others the accuracy is 50.0% (95%: 32.1 to 67.9)",
    ),
}


@pytest.mark.parametrize("case", TOLD)
def test_groups_and_images_that_were_trained_on_are_told(write, case):
    figures, *phrases = TOLD[case]
    run = fixtures.evaluation()
    run = fixtures.evaluation(metrics=run.metrics | figures)
    text = write(evaluations={"test": run}).text
    for phrase in phrases:
        assert phrase in text


def test_names_and_texts_are_escaped(write):
    evil = "<script>alert(1)</script>"
    # Mathtext would read the last name as a formula and fail on it.
    run = fixtures.evaluation(names=("a&b", evil, r"$\frac$"), ids=[evil] * 30)
    page = write(title=evil, summary={evil: evil}, evaluations={"test": run})
    assert "<script" not in page.source
    assert page.text.count(evil) > 4
    assert r"$\frac$" in page.text


def test_collapse_is_an_alarm_that_names_the_classes(write):
    run = fixtures.answers(np.arange(9) % 3, np.tile([0.2, 0.5, 0.3], (9, 1)))
    page = write(history=[], evaluations={"validation": run})
    (alarm,) = (row for _, row in page.tags if row.get("role") == "alert")
    assert "alarm" in alarm["class"]
    assert "never predicts ant, cat" in page.text
    assert "1 of 3 classes" in page.text


def test_page_without_training_pictures_or_examples_of_a_class(write):
    run = fixtures.answers([0, 0, 1, 1], np.eye(3)[[0, 1, 1, 2]])
    page = write(history=[], summary={}, evaluations={"validation": run})
    assert "No epoch was trained" in page.text
    assert "mistakes" not in page.text
    assert "no example of cat" in page.text
    assert len(page.pictures()) == CHARTS_PER_SPLIT


def test_mistakes_are_the_most_confident_ones_first_in_their_colours():
    first = np.array([0.6, 0.9, 0.2, 0.99, 0.3])
    probabilities = np.stack([first, 1 - first], axis=1)
    shades = np.arange(5, dtype=np.uint8) * 50
    images = np.tile(shades[:, None, None, None], (1, 4, 4, 1))
    pictures = {"images": images, "ids": list("vwxyz")}
    run = fixtures.answers([1, 1, 1, 0, 0], probabilities, "ab", **pictures)
    faces = report._mistakes(run)
    assert [face["id"] for face in faces] == ["w", "z", "v"]
    assert (faces[0]["true"], faces[0]["predicted"]) == ("b", "a")
    assert faces[0]["confidence"] == pytest.approx(0.9)
    assert np.asarray(fixtures.decode(faces[0]["source"])).max() == 50
    face = report._mistakes(fixtures.evaluation(channels=3))[0]
    assert fixtures.decode(face["source"]).mode == "RGB"


@pytest.mark.parametrize(
    "odd",
    [{}, {"val_loss": None}, {"loss": np.nan}, {"learning_rate": 0.0}],
    ids=["one epoch", "not validated", "diverged", "rate zero"],
)
@pytest.mark.filterwarnings("error")
def test_odd_histories_are_drawn_without_a_warning(write, odd):
    page = write(history=[fixtures.epoch(0, **odd)], evaluations={})
    assert "Nothing was evaluated" in page.text
    assert len(page.pictures()) == LEARNING_CHARTS
    broken = fixtures.epoch(1)
    del broken["val_loss"]
    with pytest.raises(ValueError, match=r"entry 1 lacks \['val_loss'\]"):
        write(history=[fixtures.epoch(0), broken])


@pytest.mark.parametrize("field", ["labels", "probabilities", "images", "ids"])
def test_arrays_of_another_split_are_refused(field):
    short = getattr(fixtures.evaluation(n=12), field)
    with pytest.raises(ValueError, match=f"`{field}` must hold the 30"):
        fixtures.evaluation(**{field: short})


def test_a_page_is_written_to_the_byte_or_kept(write, tmp_path, monkeypatch):
    evaluations = {"test": fixtures.evaluation()}
    page = write(history=[], evaluations=evaluations)
    again = write(history=[], evaluations=evaluations)
    assert page.source == again.source
    assert dict(matplotlib.rcParams) == STATE

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write(title="second", history=[], evaluations={})
    (kept,) = (tmp_path / "run").iterdir()
    assert kept.read_text("utf-8") == page.source
