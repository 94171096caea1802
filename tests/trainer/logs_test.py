import csv
import io

from tests.trainer.evaluation import report_fixtures
from trainer import logs

ROW = report_fixtures.epoch(3, loss=1.25)


def test_history_becomes_one_row_an_epoch_and_tensorboard_gets_it(tmp_path):
    text = logs.history_csv([ROW, {**ROW, "epoch": 4}])
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["epoch"] for row in rows] == ["3", "4"]
    assert rows[0]["val_macro_f1"] == "0.3"
    from tensorboard.backend.event_processing import event_accumulator

    logs.Logs(tmp_path).write([ROW])
    events = event_accumulator.EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert sorted(events.Tags()["tensors"]) == sorted(logs.COLUMNS[2:])
    assert (tmp_path / "history.csv").exists()


def test_the_line_names_its_figures_and_only_watchers_see_progress(capsys):
    line = logs.epoch_line(ROW, 10, True)
    for part in ("3/10", "head", "loss 1.2500", "accuracy 0.4000", "best"):
        assert part in line
    assert "best" not in logs.epoch_line(ROW, 10, False)
    logs.show_progress(1, 2, loss=1.0, accuracy=0.5)
    assert capsys.readouterr().out == ""
