"""The page about a search, from made-up results."""

import html.parser
import pathlib
import re

import numpy as np
import pytest

from tests.tuning.tuning_fixtures import make_trial
from trainer.evaluation import charts as trainer_charts
from trainer.settings import settings as settings_lib
from tuning import charts
from tuning import options as options_lib
from tuning import report
from tuning import results

SETTINGS = settings_lib.from_flat({"head_epochs": 3, "dataset": "fer2013"})


def make_options(**changes):
    return options_lib.SearchOptions(
        settings=SETTINGS,
        out=pathlib.Path("search"),
        workdir="runs/tuned",
        tune=("optimizer", "head_learning_rate"),
        **changes,
    )


def trials():
    made = []
    for i in range(12):
        values = {"optimizer": ("sgd", "adam", "adamw")[i % 3]}
        values |= {"head_learning_rate": 10.0 ** -(2 + i / 10)}
        made.append(make_trial(str(i), 0.5 + 0.05 * (i % 3), **values))
    return [*made, make_trial("12")]


SPREADS = [
    results.Spread("2", 0.6, (0.60, 0.61)),
    results.Spread("5", 0.6, (0.605, 0.60)),
    results.Spread(results.RECIPE, None, (0.4, 0.41)),
]


def write(tmp_path, *, spreads=(), **changes):
    path = tmp_path / "report.html"
    found = report.Found(trials(), spreads, "2")
    report.write_report(path, make_options(**changes), found)
    return path.read_text()


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return write(tmp_path_factory.mktemp("page"), spreads=SPREADS)


def test_the_page_shows_every_trial_and_loads_nothing(page):
    html.parser.HTMLParser().feed(page)
    assert page.count("<table") == page.count("</table>") == 4
    assert "Parallel coordinates" in page
    sources = re.findall(r'src="(.{22})', page)
    # Overview, progress, importance, spread and two hyperparameters.
    assert sources == ["data:image/png;base64,"] * 6
    assert "http" not in page.replace("http-equiv", "")
    assert page.count("adamw") >= 4
    assert "boom" in page
    assert re.search(r"completed<b>12</b>\s.*of 13 trials", page)
    rows = re.findall(r'<th scope="row">(optimizer|head_\w+)</th>', page)
    assert rows[0] == "optimizer"  # the most important one


def test_a_lead_inside_the_noise_is_called_that(page):
    assert "than trial 5: inside the noise" in page
    assert "20.00 points better than the recipe" in page
    assert "more than the noise" in page


def test_without_seeds_the_lead_is_open_and_of_a_loss_less_is_better(tmp_path):
    page = write(tmp_path)
    assert "nothing can be" in page
    assert "Spread over seeds" not in page
    page = write(tmp_path, objective="loss", spreads=SPREADS)
    assert "validation loss (nats)" in page
    assert "0.2000 nats worse than the recipe" in page
    assert re.search(r"best trial<b>0.4000</b>", page)


def test_with_one_seed_no_noise_is_claimed(tmp_path):
    spreads = [
        results.Spread("2", 0.6, (0.60,)),
        results.Spread(results.RECIPE, None, (0.4,)),
    ]
    page = write(tmp_path, spreads=spreads)
    assert "<td>no noise measured</td>" in page
    assert "inside the noise" not in page
    assert "twice" not in page
    assert "With one seed each no noise was measured" in page


def test_a_flag_on_the_page_is_not_broken_after_its_hyphens(tmp_path):
    page = write(tmp_path)
    assert '<span class="flag">--confirm_seeds=3.</span>' in page
    assert ".flag { display: inline-block; }" in page


def test_a_wide_chart_is_scrolled_on_a_phone(page):
    """Shrunk to a phone its letters would be three pixels high."""
    (wide,) = re.findall(r'<div class="wide">\s*<img [^>]*alt="([^"]*)', page)
    assert "Parallel coordinates" in wide
    assert "overflow-x: auto" in re.search(r"\.wide \{.*?\}", page)[0]
    width = int(re.search(r"\.wide img \{ min-width: (\d+)px", page)[1])
    assert 8 / 72 * width / trainer_charts.WIDE_INCHES[0] >= 10  # px of 8 pt


@pytest.mark.parametrize("count", [1, 2, 3])
def test_trials_and_epochs_are_whole_numbers(count, monkeypatch):
    figures = []
    monkeypatch.setattr(
        charts.charts,
        "make_chart",
        lambda figure, *_, **__: figures.append(figure),
    )
    charts.progress_chart([0.5] * count, "accuracy", False)
    trainer_charts.epoch_chart("", "", {"a": np.full(count, 0.5)})
    for figure in figures:
        (axes,) = figure.axes
        assert {tick % 1 for tick in axes.get_xticks()} == {0}
