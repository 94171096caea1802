import numpy as np
import pytest

from benchmarks import adapt
from benchmarks import adapt_runs
from fer_tfds import labels
from tests import prepared as drawn
from tests.commands.command_line import ROOT
from trainer.data import prepared
from trainer.settings import cli_flags
from trainer.settings.settings import from_flat

PEOPLE = np.array([f"person {number % 40}" for number in range(400)])


def test_nobody_is_on_two_sides_and_everybody_is_tested_on_once():
    tested = []
    for number in range(adapt.SPLITS):
        parts = adapt_runs.split_people(PEOPLE, number)
        sides = [set(PEOPLE[part]) for part in parts]
        assert not sides[0] & sides[1] | sides[0] & sides[2]
        assert not sides[1] & sides[2]
        assert sum(map(len, parts)) == len(PEOPLE)
        tested += sides[2]
    assert sorted(tested) == sorted(set(PEOPLE))


@pytest.fixture(scope="module")
def pictures():
    data = from_flat({"data_dir": str(drawn.data_dir())}).data
    split = prepared.load_split(data, "train")
    people = np.array([f"p{n}" for n in range(len(split.labels))])
    return adapt_runs.Pictures(split.images, split.labels, people, split.ids)


@pytest.mark.parametrize(("size", "left"), [(10, [8, 2]), (30, [25, 5])])
def test_so_many_of_each_class_are_left(pictures, size, left):
    parts = adapt_runs.split_people(pictures.people, 0)
    taken = adapt_runs.take(pictures, parts, size, seed=0)
    for part, all_of_it, count in zip(taken, parts, left, strict=False):
        assert set(part) <= set(all_of_it)
        counts = np.bincount(pictures.labels[part], minlength=7)
        most = np.bincount(pictures.labels[all_of_it], minlength=7)
        assert counts.tolist() == np.minimum(most, count).tolist()
    assert taken.test is parts.test
    assert adapt_runs.take(pictures, parts, 0, seed=0) is parts


def test_the_released_model_answers_by_name(pictures):
    names = labels.class_names("fer2013")
    part = np.arange(len(pictures.labels))
    right = adapt_runs.score_released(pictures, part, names)
    assert right > 0.5
    swapped = adapt_runs.score_released(pictures, part, names[::-1])
    assert swapped < right - 0.2
    with pytest.raises(ValueError, match="does not know spider"):
        adapt_runs.score_released(pictures, part, [*names, "spider"])


def test_a_run_learns_from_the_pictures_that_it_is_given(pictures):
    settings = cli_flags.read_flagfile(ROOT / "adapt.flags")
    few = {"dataset": "fer2013", "head_epochs": 3, "fine_tune_epochs": 3}
    settings = adapt_runs.change(settings, few)
    parts = adapt_runs.split_people(pictures.people, 0)
    predict = adapt_runs.train(settings, pictures, parts)
    assert adapt_runs.score(predict, pictures, parts.test) > 0.8


def test_tables_hold_means_spreads_and_gains():
    found = {
        adapt.RELEASED: {0: [0.6, 0.5]},
        adapt.ADAPTED: {10: [0.61, 0.52], 0: [0.7, 0.62]},
    }
    table = adapt.accuracy_table(found, [10, 0]).splitlines()
    assert "| accuracy | 10 a class | all |" in table
    assert any("55.0% ± 7.1 | - |" in line for line in table)
    assert any("| 56.5% ± 6.4 | 66.0% ± 5.7 |" in line for line in table)
    gains = adapt.gain_table(found, [10, 0])
    assert "| 10 a class | +1.5 ± 0.7 | +1.0, +2.0 |" in gains
    assert "| all | +11.0 ± 1.4 | +10.0, +12.0 |" in gains


def test_a_folder_without_people_is_one_line(tmp_path):
    settings = from_flat({"data_dir": str(drawn.data_dir())})
    with pytest.raises(ValueError, match="row FILE,PERSON"):
        adapt_runs.read_pictures(settings, tmp_path)
