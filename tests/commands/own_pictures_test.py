"""README's section on your own pictures, typed as it stands there."""

import re
import shutil

import numpy as np
from PIL import Image

from edge import detector_files
from fer_tfds.drawing import faces
from tests.commands.command_line import ROOT
from tests.commands.command_line import run

README = (ROOT / "README.md").read_text(encoding="utf-8")
SECTION = README.partition("## Your own pictures")[2].partition("\n## ")[0]
# An invented class -> the drawn expression that stands for it.
CLASSES = {"party": "happy", "monday": "sad", "spider": "surprise"}
PICTURES = 20


def commands():
    block = re.search(r"```\n(.*?)```", SECTION, re.S)[1]
    return [line.split("#")[0].strip() for line in block.splitlines()]


def draw(folder):
    random = np.random.default_rng(0)
    for name, expression in CLASSES.items():
        (folder / name).mkdir(parents=True)
        for number in range(PICTURES):
            pixels = faces.draw_face(expression, random)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")


def test_five_commands_go_from_photographs_to_an_answer(tmp_path):
    crop, build, train, export, answer = commands()
    for name in ("fer_tfds", "adapt.flags"):
        (tmp_path / name).symlink_to(ROOT / name)
    draw(tmp_path / "photographs")
    if detector_files.find():
        typed(crop, tmp_path)
    else:
        # They are faces already.
        shutil.copytree(tmp_path / "photographs", tmp_path / "crops")
    answer = answer.replace("PHOTOGRAPH.jpg", "photographs/spider/3.png")
    built, trained, _ = (typed(c, tmp_path) for c in (build, train, export))
    assert re.search(r"monday +\d+ +\d+ +\d+\n", built)
    assert "--flagfile=adapt.flags" in built
    assert re.search(r"test: accuracy (0\.[89]|1\.)", trained)
    assert "spider 0." in typed(answer, tmp_path)
    labels = (tmp_path / "runs/adapt/export/labels.txt").read_text()
    assert labels.split() == sorted(CLASSES)


def typed(command, folder):
    done = run(
        command,
        folder=folder,
        TFDS_DATA_DIR=str(folder / "tensorflow_datasets"),
        PYTHONPATH=str(ROOT),
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    return done.stdout


def test_data_that_is_not_there_is_said_with_its_command(tmp_path):
    command = "python -m trainer --flagfile=adapt.flags"
    done = run(command, TFDS_DATA_DIR=str(tmp_path))
    assert done.returncode == 1
    assert "tfds build fer_tfds/image_folder" in done.stderr
    assert "Traceback" not in done.stderr
