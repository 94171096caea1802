"""Tests of what the tables of benchmarks/RESULTS.md are made of."""

import collections
import os
import pathlib
import re
import signal
import time
import types

import pytest
from PIL import Image

from benchmarks import affectnet_build
from benchmarks import device
from benchmarks import fer2013_build
from benchmarks import frozen_phase
from benchmarks import growth
from benchmarks import harness
from benchmarks import head_trial
from benchmarks import input_pipeline
from benchmarks import training_step
from tests.benchmarks.tables import SECTIONS
from tests.benchmarks.tables import cells


@pytest.fixture
def answers(monkeypatch):
    """Processes are not started: each call takes the next prepared answer."""
    waiting = collections.deque()

    def answer(*_, **__):
        return waiting.popleft()

    monkeypatch.setattr(harness, "run_alone", answer)
    monkeypatch.setattr(harness, "run_watched", answer)
    return waiting


def test_ratios_are_taken_within_each_turn():
    found = harness.ratios([10, 30, 80], [5, 10, 20])
    assert found == harness.Spread(median=3, low=2, high=4)
    assert str(found) == "3.00 (2.00 to 4.00)"
    with pytest.raises(ValueError, match="zip"):
        harness.ratios([1, 2], [1])


@pytest.mark.parametrize(
    ("value", "text"),
    [(12345.6, "12,346"), (45.67, "45.7"), (2.345, "2.35"), (0.04567, "0.046")],
    ids=str,
)
def test_figures_have_three_digits(value, text):
    assert harness.digits(value) == text


def test_ways_take_turns():
    seen = []

    def way(name):
        return lambda: seen.append(name) or len(seen)

    found = harness.in_turns({"a": way("a"), "b": way("b")}, 3)
    assert "".join(seen) == "ababab"
    assert found == {"a": [1, 3, 5], "b": [2, 4, 6]}


def test_a_section_is_replaced_and_the_notebook_stays(tmp_path):
    page = tmp_path / "RESULTS.md"
    page.write_text("a\n<!-- x -->\nold\n<!-- /x -->\n## Notebook\nmine\n")
    harness.write_section(page, "x", "new")
    assert page.read_text() == (
        "a\n<!-- x -->\nnew\n<!-- /x -->\n## Notebook\nmine\n"
    )
    with pytest.raises(ValueError, match="<!-- y -->"):
        harness.write_section(page, "y", "new")


def test_the_page_has_a_section_for_each_table():
    text = (harness.ROOT / "benchmarks/RESULTS.md").read_text(encoding="utf-8")
    for name in " ".join(SECTIONS.values()).split():
        assert text.count(f"<!-- {name} -->") == 1
        assert text.count(f"<!-- /{name} -->") == 1


def test_the_machine_is_named_by_cores_and_instructions_alone():
    line = harness.machine_line()
    assert line.startswith(f"{os.cpu_count()} cores, ")
    info = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*:\s*(.*)", info)
    assert model is None or model[1] not in line
    known = {name.upper() for name in harness.INSTRUCTIONS}
    assert set(line.rstrip(".").split(", ")[2:]) <= known


def test_input_tables_hold_the_ratio_to_each_baseline(
    tmp_path, answers, capsys
):
    page = tmp_path / "page.md"
    names = ("input_training", "input_evaluation")
    page.write_text("".join(f"<!-- {n} --><!-- /{n} -->" for n in names))
    rates = [100, 40, 10, 20, 50] * 2 + [300, 10, 25, 50] * 2
    answers.extend({"images_per_second": r, "first_batch": 2} for r in rates)
    input_pipeline.main(
        [
            "--num_images=20",
            "--repetitions=2",
            f"--scratch={fake_data(tmp_path, 25, 20)}",
            f"--results={page}",
            f"--pictures={tmp_path / 'pictures'}",
        ]
    )
    assert not answers
    _, _, *rows = cells(capsys.readouterr().out.split("\n\n")[1])
    assert [row[3] for row in rows[:5]] == [
        "-",
        "2.50",
        "10.0",
        "5.00",
        "2.00",
    ]
    assert page.read_text().count("30.0") == 1
    assert Image.open(tmp_path / "pictures" / "input_training.png").width > 300


def fake_data(tmp_path, *counts):
    """A scratch folder that seems to hold all drawn data already."""
    scratch = tmp_path / "scratch"
    for count in counts:
        for name in ("csv", "data", "folders", "photographs"):
            (scratch / f"{name}_{count}").mkdir(parents=True)
    return scratch


def test_no_turn_at_all_is_refused(capsys):
    with pytest.raises(SystemExit):
        harness.make_parser("").parse_args(["--repetitions=0"])
    assert "0 turns measure nothing" in capsys.readouterr().err


def test_step_rows_compare_both_loops_with_the_bare_step():
    times = {"loop": [3, 4], "memory": [2.02, 2.02], "train_on_batch": [2, 2]}
    seconds = {name: [t / 1000 for t in times[name]] for name in times}
    row = training_step.step_row("x.flags", seconds)
    assert list(map(str, row[1:])) == [
        "3.50 (3.00 to 4.00)",
        "2.02",
        "2.00",
        "1.75 (1.50 to 2.00)",
        "1.01",
    ]


def test_steps_of_several_ways_alternate_and_compiling_is_not_timed(
    monkeypatch,
):
    taken, now = [], [0.0]
    monkeypatch.setattr(
        training_step,
        "time",
        types.SimpleNamespace(perf_counter=lambda: now[0]),
    )

    def way(name, seconds):
        def take_steps(count):
            is_first = name not in [other for other, _ in taken]
            now[0] += 100 if is_first else seconds * count
            taken.append((name, count))

        return take_steps

    found = training_step.compare_steps({"a": way("a", 2), "b": way("b", 4)}, 2)
    block = [(n, c) for n in "ab" for c in (1, training_step.BLOCK_STEPS)]
    assert taken == block * (2 * training_step.BLOCKS)
    assert found == {"a": [2, 2], "b": [4, 4]}


def test_the_first_steps_are_not_timed():
    taken = []

    def take_steps(count):
        taken.append(count)
        time.sleep(0.5 if len(taken) == 1 else 0.01 * count)

    found = training_step.time_steps(take_steps, 0.2)
    assert taken[:2] == [1, training_step.FEWEST_STEPS]
    assert found["steps"] == taken[2] > 10
    assert found["seconds"] / found["steps"] == pytest.approx(0.01, rel=0.3)


def test_builder_table_and_files_without_a_framework(tmp_path, answers):
    turns = [30, 10, 24, 12]
    answers.extend({"seconds": s, "peak_bytes": s * 2**20} for s in turns)
    parser = harness.make_parser("")
    options = parser.parse_args(["--repetitions=2"])
    options.num_images, options.scratch = 50, fake_data(tmp_path, 50)
    text = fer2013_build.measure(options)["fer2013_build"]
    ours, bare = cells(text)[2:]
    assert ours[1:] == [
        "27.0 (24.0 to 30.0)",
        "1.85",
        "30",
        "2.50 (2.00 to 3.00)",
    ]
    assert (bare[1], bare[-1]) == ("11.0 (10.0 to 12.0)", "-")


def test_device_ratios_say_how_far_ours_is_ahead():
    def turns(*values):
        return [dict.fromkeys(device.MEASURED, value) for value in values]

    figures, ratios = device.as_tables(
        {"ours": 100_000, "rival": 250_000},
        {"ours": turns(1, 2), "rival": turns(3, 4)},
        ["ours"],
    )
    assert cells(figures)[2][:3] == ["ours", "100", "1.50 (1.00 to 2.00)"]
    spread = "2.50 (2.00 to 3.00)"
    assert cells(ratios)[2:] == [["rival", "2.50", spread, spread, spread]]
    # A package is no single file.
    figures, ratios = device.as_tables(
        {"ours": 100_000}, {"ours": turns(1), "package": turns(3)}, ["ours"]
    )
    assert cells(figures)[3] == ["package", "-", "3.00", "3.00", "3.00"]
    assert cells(ratios)[2] == ["package", "-", "3.00", "3.00", "3.00"]


def test_growth_tables_and_pictures_are_for_one_image(tmp_path):
    keys = [
        "build",
        *((t, w) for w in growth.WAYS for t in growth.TASKS),
    ]
    rows = [
        {
            "count": count,
            "seconds": {key: count / 1000 for key in keys},
            "mib": {"build": 5, "in memory": count, "streamed": 7},
        }
        for count in (1000, 2000)
    ]
    build, others, memory = growth.as_tables(rows).split("\n\n")
    assert [row[1:] for row in cells(build)[2:]] == [["1,000"] * 4] * 2
    assert [row[1:] for row in cells(others)[2:]] == [["1,000"] * 3] * 2
    assert cells(memory)[2:] == [
        ["1,000", "5", "1,000", "7"],
        ["2,000", "5", "2,000", "7"],
    ]
    growth.draw(tmp_path, rows)
    assert len(list(tmp_path.glob("growth_*.png"))) == 2


def test_a_head_trial_is_compared_whole_and_by_its_epochs():
    def turn(trial, epochs):
        return {
            "features_seconds": 7,
            "trial_seconds": trial,
            "epochs_seconds": epochs,
        }

    found = {"quick": [turn(2, 1)], "plain": [turn(100, 90)]}
    assert list(map(str, head_trial.figures(found))) == [
        "7.00",
        "2.00",
        "100",
        "50.0",
        "90.0",
    ]


@pytest.mark.parametrize(
    ("accuracies", "text"), [("5555", "yes"), ("5556", "no")], ids=str
)
def test_phase_1_is_compared_in_time_and_accuracy(accuracies, text):
    seconds = zip((10, 12, 2, 4), accuracies, strict=True)
    turns = list(seconds)
    options = frozen_phase.argparse.Namespace(backbone="b", train_split="t")
    row = frozen_phase.table_row(options, 5, plain=turns[:2], quick=turns[2:])
    assert list(map(str, row[3:])) == [
        "11.0 (10.0 to 12.0)",
        "3.00 (2.00 to 4.00)",
        "4.00 (3.00 to 5.00)",
        text,
    ]


def test_builds_differ_in_their_number_of_processes():
    found = affectnet_build.commands(
        pathlib.Path("raw"), pathlib.Path("data"), [1, 4]
    )
    assert list(found) == [
        affectnet_build.PLAIN,
        "tfds build, 1 process",
        "tfds build, 4 processes",
    ]
    assert found["tfds build, 4 processes"][-1].endswith("num_workers=4")
    row = affectnet_build.table_row(
        100, "x", [{"seconds": s, "peak_bytes": 2**20} for s in (1, 2, 6)]
    )
    assert row == ["100", "x", "2.00 (1.00 to 6.00)", "50", "1 MiB"]


def test_wide_tables_are_set_as_several_with_their_first_column():
    header = ["model", *"abcdefgh"]
    text = harness.as_table(header, [["x", *range(8)]])
    tables = [table.splitlines() for table in text.split("\n\n")]
    assert [table[0] for table in tables] == [
        "| model | a | b | c | d |",
        "| model | e | f | g | h |",
    ]
    assert [table[2] for table in tables] == [
        "| x | 0 | 1 | 2 | 3 |",
        "| x | 4 | 5 | 6 | 7 |",
    ]
    narrow = harness.as_table(header[:6], [["x", *range(5)]])
    assert len(narrow.splitlines()) == 3


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in sorted((harness.ROOT / "benchmarks").glob("*.py"))
        if "def main(" in path.read_text(encoding="utf-8")
    ],
    ids=lambda path: path.stem,
)
def test_every_command_takes_ctrl_c(path):
    end = path.read_text(encoding="utf-8").splitlines()[-2:]
    assert end[0].startswith("if __name__")
    assert end[1] == "    harness.run_stoppable(main)"


def test_ctrl_c_is_one_line(capsys):
    with pytest.raises(SystemExit) as ended:
        harness.run_stoppable(lambda: signal.raise_signal(signal.SIGINT))
    assert ended.value.code == 130
    assert capsys.readouterr().err == (
        "stopped by SIGINT: the same command measures anew\n"
    )
