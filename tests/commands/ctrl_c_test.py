"""Ctrl-C in commands that load no TensorFlow: one line, and code 130."""

import runpy
import signal
import sys

import pytest

from edge import fetch_detector
from fer_tfds.drawing import layouts
from fer_tfds.sources.fer2013 import find
from trainer.evaluation import stored_runs


@pytest.mark.parametrize(
    ("command", "module", "name"),
    [
        ("trainer.compare --out=OUT a b", stored_runs, "read_run"),
        ("fer_tfds.synthetic --out=OUT", layouts, "write_aside"),
        ("fer_tfds.audit --manual_dir=OUT", find, "find_source"),
        ("edge.fetch_detector --to=OUT", fetch_detector.subprocess, "run"),
    ],
)
def test_ctrl_c_is_one_line(
    command, module, name, monkeypatch, tmp_path, capsys, request
):
    def stop(*_, **__):
        signal.raise_signal(signal.SIGINT)

    # Tests that run in the background inherit that Ctrl-C is ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    monkeypatch.setattr(module, name, stop)
    program, *arguments = command.replace("OUT", f"{tmp_path}/out").split()
    monkeypatch.setattr(sys, "argv", [program, *arguments])
    monkeypatch.delitem(sys.modules, program, raising=False)
    with pytest.raises(SystemExit) as ended:
        runpy.run_module(program, run_name="__main__")
    assert ended.value.code == 130
    said = capsys.readouterr().err
    assert "stopped by SIGINT: " in said
    assert said.count("\n") == 1
