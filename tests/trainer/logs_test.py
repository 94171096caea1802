import csv
import io

from trainer import logs

ROW = {
    "epoch": 3,
    "phase": "head",
    "loss": 1.25,
    "accuracy": 0.5,
    "val_loss": 1.5,
    "val_accuracy": 0.4,
    "val_macro_f1": 0.3,
    "learning_rate": 0.01,
    "seconds": 2.5,
}


def test_history_becomes_one_row_an_epoch():
    text = logs.history_csv([ROW, {**ROW, "epoch": 4}])
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["epoch"] for row in rows] == ["3", "4"]
    assert rows[0]["val_macro_f1"] == "0.3"


def test_the_line_names_its_figures():
    line = logs.epoch_line(ROW, 10, True)
    for part in ("3/10", "head", "loss 1.2500", "accuracy 0.4000", "best"):
        assert part in line
    assert "best" not in logs.epoch_line(ROW, 10, False)


def test_nothing_is_rewritten_when_nobody_watches(capsys):
    logs.show_progress(1, 2, loss=1.0, accuracy=0.5)
    assert capsys.readouterr().out == ""


def test_tensorboard_gets_every_figure(tmp_path):
    from tensorboard.backend.event_processing import event_accumulator

    logs.Logs(tmp_path).write([ROW])
    events = event_accumulator.EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert sorted(events.Tags()["tensors"]) == sorted(logs.COLUMNS[2:])
    assert (tmp_path / "history.csv").exists()
