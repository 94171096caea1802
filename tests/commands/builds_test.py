"""`tfds build` in processes: two at once, Ctrl-C, kill, a full disk."""

import os
import resource
import signal
import subprocess

import pytest

from fer_tfds import locks
from fer_tfds import synthetic
from tests.commands.command_line import BIN
from tests.commands.command_line import ROOT
from tests.commands.command_line import wait_for
from tests.fer_tfds.affectnet_fixtures import SEED
from tests.fer_tfds.fer2013_builds import build

COUNTS = {"train": [40] * 7, "validation": [1] * 7, "test": [1] * 7}
TWO_PROCESSES = (
    "--beam_pipeline_options=direct_running_mode=multi_processing,"
    "direct_num_workers=2"
)


def start(name, raw, data_dir, *options, **more):
    return subprocess.Popen(
        [
            *(BIN / "tfds", "build", f"fer_tfds/{name}"),
            *(f"--manual_dir={raw}", f"--data_dir={data_dir}", *options),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,
    )


def last_line(process):
    """What a build says in the end, once it has ended."""
    errors = process.communicate(timeout=120)[1]
    assert "Traceback" not in errors
    return errors.splitlines()[-1]


def test_a_second_build_and_ctrl_c_are_a_sentence_each(tmp_path):
    raw, data_dir = tmp_path / "raw", tmp_path / "data"
    synthetic.write("csv", raw, COUNTS, seed=SEED)
    first = start("fer2013", raw, data_dir)
    folder = data_dir / "fer2013" / "original"
    wait_for(lambda: any(path.read_text() for path in folder.glob(".*.lock")))
    first.send_signal(signal.SIGSTOP)
    with pytest.raises(locks.InUseError, match=f"process {first.pid} on "):
        build(raw, data_dir)
    first.send_signal(signal.SIGINT)
    first.send_signal(signal.SIGCONT)
    assert last_line(first) == (
        "stopped by SIGINT: fer2013/original/1.1.0 is not built, and nothing "
        "of it is kept. Type the same command to build it from the start"
    )
    assert first.returncode == 130
    assert not folder.exists()


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), (TWO_PROCESSES,)], ids=["one", "two"])
def test_a_signal_ends_a_beam_pipeline_in_one_line(tmp_path, options):
    counts = {"train": [60] * 8, "validation": [5] * 8}
    synthetic.write("full", tmp_path / "raw", counts, seed=SEED)
    process = start(
        *("affectnet", tmp_path / "raw", tmp_path / "data"),
        *("--num_shards=20", *options),
        start_new_session=True,
    )
    folder = tmp_path / "data" / "affectnet" / "size_96"
    wait_for(lambda: list(folder.glob("*/building/*.summary.json")))
    # As a terminal does, to the workers as well.
    os.killpg(process.pid, signal.SIGINT)
    assert last_line(process).startswith("stopped by SIGINT: affectnet/size_96")
    assert process.returncode == 130
    assert not folder.exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "layout", "kib"),
    # The second one fills up while a worker of Beam writes a shard.
    [("fer2013", "csv", 100), ("affectnet", "full", 200)],
)
def test_a_full_disk_is_one_message(tmp_path, name, layout, kib):
    counts = {"train": [60] * (7 if name == "fer2013" else 8)}
    counts |= {"validation": [1] * len(counts["train"])}
    counts |= {"test": counts["validation"]}
    synthetic.write(layout, tmp_path / "raw", counts, seed=SEED)

    def bound():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (kib * 1024, kib * 1024))

    process = start(
        *(name, tmp_path / "raw", tmp_path / "data", "--num_shards=1"),
        preexec_fn=bound,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    message = last_line(process)
    assert message.startswith("error: no room to write (File too large): ")
    assert "is not built, and nothing of it is kept" in message
    assert process.returncode == 1
    assert not list((tmp_path / "data").rglob("incomplete*"))
