"""`pip wheel . ./edge`: the wheels carry all files, and run where nothing is.

Building needs a network once, for setuptools.
"""

import pathlib
import shutil
import subprocess
import sys
import sysconfig
import zipfile

import pytest

from tests.commands.command_line import ROOT

FOLDERS = {
    "fer_edge": ("edge",),
    "fer_tfds": ("fer_tfds", "trainer", "tuning", "export"),
}
# Of the folder `edge`: about the distribution, no part of the package.
LEFT_OUT = {f"edge/{name}" for name in ("Dockerfile", "README.md")}
LEFT_OUT |= {f"edge/{name}" for name in (".dockerignore", "pyproject.toml")}
NOT_SOURCES = ("runs", ".venv*", ".git", "node_modules", "build", "tests")
NOT_SOURCES += ("__pycache__", "*.egg-info", ".*_cache")


def run(*command, folder):
    """Runs a command to its end, with nothing of ours on the path."""
    return subprocess.run(
        list(map(str, command)),
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "CUDA_VISIBLE_DEVICES": "-1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """A copy of the project, so that no earlier build gets into the wheels."""
    folder = tmp_path_factory.mktemp("project") / "sources"
    shutil.copytree(
        ROOT, folder, ignore=shutil.ignore_patterns(*NOT_SOURCES), symlinks=True
    )
    return folder


@pytest.fixture(scope="module")
def wheels(sources):
    """Name of the distribution -> its wheel."""
    pip = (sys.executable, "-m", "pip")
    asked = run(
        *pip, "download", "--no-deps", "setuptools==80.9.0", folder=sources
    )
    if asked.returncode:
        pytest.skip(f"no package index: {asked.stderr[-300:]}")
    built = run(
        *(*pip, "wheel", "--no-deps", "--wheel-dir", "wheels", ".", "./edge"),
        folder=sources,
    )
    assert built.returncode == 0, built.stderr
    found = (sources / "wheels").glob("*.whl")
    return {path.name.split("-")[0]: path for path in found}


@pytest.fixture(scope="module")
def fresh(wheels, tmp_path_factory):
    """Python of an environment with the wheels and this one's libraries.

    A folder that a .pth file names has its own .pth files unread: an editable
    installation of the project stays out of sight.
    """
    folder = tmp_path_factory.mktemp("fresh") / "environment"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    done = run(
        *(python, "-m", "pip", "install", "--no-index", "--no-deps"),
        *wheels.values(),
        folder=folder,
    )
    assert done.returncode == 0, done.stderr
    (site,) = (folder / "lib").glob("python*/site-packages")
    libraries = sysconfig.get_paths()["purelib"]
    (site / "libraries.pth").write_text(f"{libraries}\n")
    return python


@pytest.mark.slow
@pytest.mark.parametrize("name", FOLDERS)
def test_every_file_of_the_packages_is_in_the_wheel(name, wheels, sources):
    packed = {
        each
        for each in zipfile.ZipFile(wheels[name]).namelist()
        if ".dist-info/" not in each
    }
    there = {
        path.relative_to(sources).as_posix()
        for folder in FOLDERS[name]
        for path in (sources / folder).rglob("*")
        if path.is_file() and "build" not in path.relative_to(sources).parts
    }
    # setuptools leaves these in the folder that it builds from.
    there = {each for each in there if ".egg-info/" not in each}
    assert packed == there - LEFT_OUT


@pytest.mark.slow
def test_the_packages_are_those_of_the_wheels(fresh, tmp_path):
    asked = "import edge, trainer; print(edge.__file__, trainer.__file__)"
    done = run(fresh, "-c", asked, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    for path in done.stdout.split():
        assert pathlib.Path(path).is_relative_to(fresh.parents[1])


@pytest.mark.slow
def test_the_released_models_answer_from_an_empty_folder(fresh, tmp_path):
    faces = tmp_path / "faces"
    drawn = run(
        *(fresh, "-m", "fer_tfds.synthetic", "--layout=folders"),
        *(f"--out={faces}", "--train=1", "--validation=1", "--test=1"),
        folder=tmp_path,
    )
    assert drawn.returncode == 0, drawn.stderr
    picture = next((faces / "test" / "happy").iterdir())
    for model in ("edge", "pocket"):
        done = run(
            *(fresh, "-m", "edge", f"--model={model}", picture),
            folder=tmp_path,
        )
        assert done.returncode == 0, done.stderr
        assert picture.name in done.stdout


@pytest.mark.slow
def test_training_and_export_run_from_an_empty_folder(
    fresh, prepared_data, tmp_path
):
    trained = run(
        *(fresh, "-m", "trainer", f"--data_dir={prepared_data}"),
        *("--backbone=tiny_cnn", "--fine_tune_epochs=1", "--batch_size=28"),
        "--workdir=run",
        folder=tmp_path,
    )
    assert trained.returncode == 0, trained.stderr[-3000:]
    assert "<html" in (tmp_path / "run" / "report.html").read_text()
    exported = run(
        *(fresh, "-m", "export", "--workdir=run", "--tflite"),
        *("--microcontroller", "--int8_agreement=0"),
        *("--accuracy_loss_points=100", "--recall_loss_points=100"),
        folder=tmp_path,
    )
    assert exported.returncode == 0, exported.stderr[-3000:]
    written = tmp_path / "run" / "export"
    assert (written / "MODEL_CARD.md").is_file()
    assert (written / "microcontroller" / "example.cc").is_file()
