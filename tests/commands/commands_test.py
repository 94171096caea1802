"""The commands of README.md and the Makefile, typed as a user types them."""

import json
import re
import sys

import pytest

from tests.commands.command_line import ROOT
from tests.commands.command_line import run

README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def quickstart_lines(folder):
    """The recipe lines of `make quickstart`, writing below `folder`."""
    recipe = re.search(r"^quickstart:.*\n((?:\t.*\n)+)", MAKEFILE, re.M)[1]
    text = recipe.replace("$(BIN)/", "").replace("$(QUICK)", f"{folder}/q")
    return [line.strip().replace("$$", "$") for line in text.splitlines()]


def test_quickstart_goes_from_drawn_faces_to_an_answer(tmp_path):
    lines = quickstart_lines(tmp_path)
    assert len(lines) == 5
    extra = f" --workdir={tmp_path}/q --data_dir={tmp_path}/q_data"
    for line in lines:
        is_training = "-m trainer" in line
        result = run(line + extra if is_training else line)
        assert result.returncode == 0, result.stderr[-3000:]
    answer = result.stdout
    assert re.search(r"/test/happy/PrivateTest_\d+.jpg: .*happy 0.\d+", answer)
    metrics = json.loads((tmp_path / "q" / "metrics.json").read_text())
    assert metrics["test"]["accuracy"] > 0.95
    parity = json.loads((tmp_path / "q" / "export/parity.json").read_text())
    assert parity["passed"] is True


def test_the_four_commands_fit_together_by_their_defaults(tmp_path):
    """Raw file, prepared data and run in their default folders."""
    for name in ("fer_tfds", "edge.flags"):
        (tmp_path / name).symlink_to(ROOT / name)
    home = tmp_path / "tensorflow_datasets"
    manual = home / "downloads" / "manual"
    drawn = run(
        f"python -m fer_tfds.synthetic --out={manual} --layout=archive "
        "--train=20 --validation=6 --test=6"
    )
    assert drawn.returncode == 0, drawn.stderr
    block = re.search(r"```\n(tfds build.*?)```", README, re.S)[1]
    lines = [line.split("#")[0].strip() for line in block.splitlines()]
    build, train, export, _ = lines
    # The whole recipe would take hours, and a run this short need not agree
    # with its int8 file.
    train += " --fine_tune_epochs=1 --backbone=tiny_cnn --batch_size=28"
    export += " --int8_agreement=0 --accuracy_loss_points=100"
    for command in (build, train, export):
        result = run(
            command,
            folder=tmp_path,
            TFDS_DATA_DIR=str(home),
            PYTHONPATH=str(ROOT),
        )
        assert result.returncode == 0, result.stdout + result.stderr[-3000:]
    assert "run: runs/edge" in result.stdout
    assert (tmp_path / "runs/edge/export/model_int8.tflite").exists()


@pytest.mark.parametrize(
    ("command", "text"),
    [
        # A folder of its own: the user may have trained the recipe already.
        (
            "python -m trainer --flagfile=edge.flags --workdir=runs/nowhere",
            "tfds build fer_tfds/",
        ),
        ("python -m export --tflite --runs=nowhere", "python -m trainer"),
        ("python -m trainer --batch_size=none", "batch_size"),
        ("python -m trainer edge.flags", "are not flags"),
        ("python -m trainer --head_units=8", "`head_dropout` needs one value"),
        ("python -m edge --model=none.tflite x.png", "none.tflite"),
    ],
    ids=lambda value: value[:40],
)
def test_what_is_missing_is_said_with_the_next_command(command, text, tmp_path):
    result = run(command, TFDS_DATA_DIR=str(tmp_path))
    assert result.returncode != 0
    assert text in result.stdout + result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("package", ["trainer", "export", "edge"])
def test_help_names_its_flags(package):
    result = run(f"python -m {package} --help")
    text = result.stdout + result.stderr
    flag = {"trainer": "--fine_tune_epochs", "export": "--[no]tflite"}
    assert flag.get(package, "--model") in text


def test_every_file_that_readme_names_exists():
    """Those of the repository; what commands write is named as well."""
    written = ("saved_model/", "golden/", "runs/", "best.flags")
    for name in re.findall(r"`(\w+\.flags|\w+/)`", README):
        if name not in written:
            assert (ROOT / name).exists(), name


def test_make_takes_the_newest_python_that_runs(tmp_path):
    """A shim may be there, and on the path, without a Python behind it."""
    broken = "#!/bin/sh\necho 'python3.13: command not found' >&2\nexit 127\n"
    for name in ("python3.13", "python3.12", "python3.11"):
        text = broken
        if name != "python3.13":
            text = f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    result = run(
        "make --no-print-directory --eval='asked: ; @echo $(PYTHON)' asked",
        PATH=f"{tmp_path}:/usr/bin:/bin",
    )
    assert result.stdout == "python3.12\n", result.stderr
