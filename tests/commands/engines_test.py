"""docs/data.md's commands for engines, as typed there: real processes."""

import contextlib
import importlib.util
import os
import re
import shlex
import signal
import socket
import subprocess

import pytest

from fer_tfds import synthetic
from tests.commands.affectnet_command import read
from tests.commands.affectnet_command import run
from tests.commands.affectnet_command import start
from tests.commands.affectnet_command import wait_for_shards
from tests.commands.command_line import BIN
from tests.commands.command_line import ROOT
from tests.commands.command_line import wait_for
from tests.fer_tfds.affectnet_fixtures import SEED
from tests.trainer import two_workers

PAGE = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
NUM_SHARDS = 24

needs_dask = pytest.mark.skipif(
    importlib.util.find_spec("distributed") is None,
    reason="Dask is not installed: pip install -e ./edge -e '.[cluster]'",
)


def commands(heading):
    """The commands of a section, with free ports of this machine in them."""
    section = PAGE.partition(f"### {heading}\n")[2].partition("\n#")[0]
    block = re.search(r"```\n(.*?)```", section, re.S)[1]
    for port in sorted(set(re.findall(r"\b\d{4,5}\b", block))):
        block = block.replace(port, str(two_workers.free_ports(1)[0]))
    block = block.replace("\\\n", " ").replace("HOST", "localhost")
    return [shlex.split(line, comments=True) for line in block.splitlines()]


def options_of(command):
    """What the build is given besides its folders."""
    assert command[:3] == ["tfds", "build", "fer_tfds/affectnet"]
    return [one for one in command[3:] if "_dir=" not in one]


@contextlib.contextmanager
def running(command, log):
    """A command that does not end by itself, in a session of its own."""
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    environment.pop("PYTHONPATH", None)
    environment["DASK_TEMPORARY_DIRECTORY"] = str(log.parent)
    with log.open("w") as file:
        process = subprocess.Popen(
            command,
            cwd=log.parent,
            env=environment,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for_port(command):
    """Until the port that a command names is listened on."""
    port = int(re.search(r"port=(\d+)", " ".join(command))[1])

    def is_there():
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port)).close()
            return True

    wait_for(is_there)


def finish(process):
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, output + errors
    return output


@pytest.fixture
def raw(tmp_path):
    counts = {"train": [250] * 8, "validation": [30] * 8}
    synthetic.write("full", tmp_path / "raw", counts, seed=SEED)
    return tmp_path / "raw"


@pytest.fixture
def plain(raw, tmp_path):
    """What the build without an engine gives."""
    code, _, errors = run(raw, tmp_path / "plain", f"--num_shards={NUM_SHARDS}")
    assert code == 0, errors
    content = read(tmp_path / "plain")
    assert len(content) > 2_240
    return content


def files_of(data_dir):
    return sorted(
        path.relative_to(data_dir).as_posix()
        for path in data_dir.rglob("*")
        if path.is_file()
    )


def assert_equal(data_dir, plain):
    """Ids, labels, pictures, their order and the files are the same."""
    content = read(data_dir)
    assert list(content.items()) == list(plain.items())
    assert files_of(data_dir) == files_of(data_dir.with_name("plain"))


def all_busy(client, number):
    """Whether so many workers have shards to write."""
    tasks = client.processing()
    return len(tasks) == number and all(tasks.values())


@needs_dask
@pytest.mark.slow
def test_dask_builds_the_same_though_a_worker_is_killed(raw, tmp_path, plain):
    from distributed import Client

    scheduler, worker, build = commands("Dask")
    data_dir, address = tmp_path / "dask", worker[2]
    with (
        running(scheduler, tmp_path / "scheduler.log"),
        running(worker, tmp_path / "one.log") as one,
        running(worker, tmp_path / "two.log"),
        Client(address, timeout=120) as client,
    ):
        client.wait_for_workers(2, timeout=120)
        options = options_of(build)
        job = start(raw, data_dir, f"--num_shards={NUM_SHARDS}", *options)
        wait_for_shards(data_dir, job, number=3)
        assert all_busy(client, 2)
        os.killpg(one.pid, signal.SIGKILL)
        wait_for(lambda: all_busy(client, 1))
        finish(job)
    assert_equal(data_dir, plain)


@pytest.mark.slow
def test_a_job_service_with_a_worker_pool_builds_the_same(raw, tmp_path, plain):
    service, pool, build = commands("Beam's own job service")
    data_dir = tmp_path / "service"
    with (
        running(service, tmp_path / "service.log"),
        running(pool, tmp_path / "pool.log"),
    ):
        wait_for_port(service)
        wait_for_port(pool)
        options = options_of(build)
        finish(start(raw, data_dir, f"--num_shards={NUM_SHARDS}", *options))
    assert_equal(data_dir, plain)
