"""Commands as a user types them, each in a process of its own."""

import os
import pathlib
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).parents[2]
BIN = pathlib.Path(sys.executable).parent


def run(command, folder=ROOT, **environment):
    """Runs a command line in the project's root, as this environment does."""
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env={**os.environ, "PATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )


def python(*arguments, folder=ROOT, env=None, **options):
    """Runs this Python to its end; None in `env` takes a variable away."""
    values = {**os.environ, "PYTHONPATH": str(ROOT), **(env or {})}
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=folder,
        env={k: v for k, v in values.items() if v is not None},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        **options,
    )


def loaded_after(statement, *libraries):
    """Those of the libraries that a new process has loaded by then."""
    done = python("-c", f"import sys; {statement}; print(*sys.modules)")
    assert done.returncode == 0, done.stderr
    return set(libraries) & set(done.stdout.split())


def wait_for(is_there):
    """Waits until a condition holds."""
    deadline = time.monotonic() + 240
    while not is_there():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def kill_once(arguments, is_there):
    """Starts this Python, and kills it -9 once something is there."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )

    def is_time():
        assert process.poll() is None, "it ended before it was killed"
        return is_there()

    wait_for(is_time)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
