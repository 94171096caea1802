"""Tests of trainer/console.py: what a command's process is given and shows."""

import os
import subprocess
import sys

import pytest

from trainer import console

OPS = "TF_ENABLE_ONEDNN_OPTS"
COMMAND = """
import os
import sys
from absl import flags
from trainer import console
flags.FLAGS(sys.argv)
console.load_tensorflow()
from tensorflow.python.framework import test_util
print(test_util.IsMklEnabled(), os.environ["TF_ENABLE_ONEDNN_OPTS"])
"""


@pytest.mark.parametrize(("given", "found"), [(None, "1"), ("0", "0")])
def test_onednn_is_on_unless_its_variable_says_otherwise(given, found):
    environment = {k: v for k, v in os.environ.items() if k != OPS}
    if given is not None:
        environment[OPS] = given
    done = subprocess.run(
        [sys.executable, "-c", COMMAND],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [str(found == "1"), found]
    assert "oneDNN" not in done.stderr


def test_output_goes_to_the_end_of_a_file_and_comes_back(tmp_path, capfd):
    path = tmp_path / "log"
    path.write_text("before\n")
    with console.output_to(path, 1, 2):
        os.write(1, b"to 1\n")
        os.write(2, b"to 2\n")
    os.write(1, b"after\n")
    assert path.read_text().splitlines() == ["before", "to 1", "to 2"]
    assert capfd.readouterr() == ("after\n", "")


def test_output_comes_back_after_an_error(tmp_path, capfd):
    with (
        pytest.raises(RuntimeError, match="stop"),
        console.output_to(tmp_path / "log", 1),
    ):
        raise RuntimeError("stop")
    os.write(1, b"after\n")
    assert capfd.readouterr().out == "after\n"
