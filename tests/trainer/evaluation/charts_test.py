"""What the charts plot, and what they say to who cannot see them."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from tests.trainer.evaluation import report_fixtures as fixtures
from trainer.evaluation import calibration
from trainer.evaluation import charts
from trainer.evaluation import metrics


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
    run = fixtures.answers([0, 0, 0, 1, 2], np.eye(3)[[0, 1, 1, 1, 2]])
    matrix = run.metrics["confusion_matrix"]
    chart = charts.confusion_chart(matrix, fixtures.NAMES)
    assert "ant, taken for bee in 67% of its images" in chart["alt"]
    axes = figures[0].axes[0]
    texts = {text.get_position(): text.get_text() for text in axes.texts}
    # (x, y): two ants (row 0) were taken for bees (column 1).
    assert (texts[1, 0], texts[0, 1]) == ("2\n67%", "0\n0%")
    assert axes.images[0].get_array()[0, 1] == pytest.approx(2 / 3)
    assert axes.get_ylabel() == "true class"
    ticks = [tick.get_text() for tick in axes.get_xticklabels()]
    assert ticks == [*fixtures.NAMES]


def columns(history):
    keys = [key for key in history[0] if key != "phase"]
    return {k: np.array([row[k] for row in history], float) for k in keys}


def test_learning_charts_plot_the_history(figures):
    charts.learning_charts(columns(fixtures.HISTORY), 2)
    accuracy, loss, rate = (figure.axes[0] for figure in figures)
    lines = {line.get_label(): line for line in loss.lines}
    assert list(lines["training"].get_xdata()) == [1, 2, 3]
    assert list(lines["training"].get_ydata()) == [1.0, 1 / 2, 1 / 3]
    assert list(lines["validation"].get_ydata()) == [1.1] * 3
    assert list(lines["fine-tuning begins"].get_xdata()) == [2.5, 2.5]
    shares = {x.get_label(): [*x.get_ydata()] for x in accuracy.lines[:3]}
    names = ("training", "validation", "validation macro-F1")
    assert [shares[name] for name in names] == [[50] * 3, [40] * 3, [30] * 3]
    assert rate.get_yscale() == "log"


def test_roc_chart_follows_the_probabilities(figures):
    run = fixtures.evaluation()
    curves = metrics.roc_curves(run.labels, run.probabilities)
    charts.roc_chart(curves, fixtures.NAMES)
    lines = {line.get_label(): line for line in figures[0].axes[0].lines}
    names = ("false_positive_rate", "true_positive_rate")
    shares = [100 * np.array(curves[1][name]) for name in names]
    np.testing.assert_allclose(lines["bee"].get_data(), shares)
    assert len(shares[0]) > 3  # more corners than hard labels have


def draw_everything():
    """One chart of each kind; what they show."""
    # Mathtext would read this name as a formula and fail on it.
    odd = r"$\frac$"
    run = fixtures.evaluation(("a", "b", odd))
    curves = metrics.roc_curves(run.labels, run.probabilities)
    bins = calibration.reliability(run.labels, run.probabilities)
    point = {"accuracy": 0.5, "interval": [0.4, 0.6]}
    points = [{"strength": s, **point} for s in (None, 1, 2.5)]
    curve = {"name": "Blur", "unit": "px", "points": points}
    rows = run.metrics["per_class"]
    return [
        *charts.learning_charts(columns(fixtures.HISTORY), 0),
        charts.epoch_chart("Accuracy", "share (%)", {odd: np.ones(2)}),
        charts.confusion_chart(
            run.metrics["confusion_matrix"], run.class_names
        ),
        charts.roc_chart(curves, run.class_names),
        charts.reliability_chart("Reliability", bins),
        *charts.robustness_charts([curve]),
        charts.recall_chart(run.class_names, {odd: rows, "two": rows}),
    ]


def test_every_chart_has_a_picture_and_a_text_for_who_cannot_see_it():
    shown = draw_everything()
    assert len(shown) == 9
    for chart in shown:
        assert fixtures.decode(chart["source"]).width > 100
        assert chart["title"] in chart["alt"]
        assert len(chart["alt"]) > len(chart["title"]) + 15
    assert "loss (nats): training from 1 to 0.333" in shown[1]["alt"]
    assert "px, as it is: 50.0%, 1: 50.0%, 2.5: 50.0%" in shown[7]["alt"]


def test_no_two_lines_differ_by_colour_alone():
    styles = [charts.line_style(i) for i in range(12)]
    looks = {(style["linestyle"], style["marker"]) for style in styles}
    assert len(looks) == len(styles)
    # Where there are no markers, dash and colour together tell them apart.
    pairs = {(style["linestyle"], style["color"]) for style in styles[:8]}
    assert len(pairs) == 8


def test_robustness_chart_has_a_band_around_its_line(figures):
    plain = {"strength": None, "accuracy": 0.8, "interval": [0.7, 0.9]}
    points = [plain, {"strength": 5, "accuracy": 0.3, "interval": [0.2, 0.45]}]
    curve = {"name": "JPEG", "unit": "quality", "points": points}
    charts.robustness_charts([curve])
    axes = figures[0].axes[0]
    assert list(axes.lines[0].get_ydata()) == [80, 30]
    names = [tick.get_text() for tick in axes.get_xticklabels()]
    assert names == ["as it is", "5"]
    heights = axes.collections[0].get_paths()[0].vertices[:, 1]
    assert heights.min() == 20
    assert heights.max() == pytest.approx(90)


def test_recall_chart_leaves_out_what_a_run_does_not_have(figures):
    row = {"recall": 0.5, "recall_interval": [0.4, 0.7]}
    absent = {"recall": None, "recall_interval": None}
    runs = {"one": [row, None, absent], "two": [row, row, row]}
    charts.recall_chart(fixtures.NAMES, runs)
    one, two = figures[0].axes[0].containers
    assert list(one.lines[0].get_ydata()) == [50]
    assert list(two.lines[0].get_ydata()) == [50, 50, 50]
    assert one.lines[0].get_xdata()[0] < two.lines[0].get_xdata()[0]


def test_legends_name_all_and_stay_outside_the_axes(figures):
    names = ["_hidden", "plain", r"$\frac$"]
    charts.epoch_chart("Loss", "nats", {name: np.ones(2) for name in names})
    texts = [text.get_text().strip() for text in figures[0].legends[0].texts]
    assert texts == ["_hidden", "plain", r"\$\frac\$"]
    draw_everything()
    for figure in figures:
        area = figure.axes[0].get_window_extent()
        for legend in figure.legends:
            assert not legend.get_window_extent().overlaps(area)
        assert figure.axes[0].get_legend() is None
        assert figure.axes[0].get_ylabel()
