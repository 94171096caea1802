"""Runs a model from elsewhere in a process of its own before it is used.

LiteRT checks how a model is built, not all that it asks for: numbers in it
can end the process or take its memory and time. A trial finds out where it
does no harm. On Linux it is a copy of this process, some milliseconds of
work; where other threads run, which must not be copied, it is a new process.

  python -m edge.model_trial FILE NAME USE_XNNPACK

is that new process: prints OK, or what is wrong with the file.
"""

import faulthandler
import os
import pathlib
import select
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from typing import NoReturn

import numpy as np

from edge import model_file
from edge.model_file import ModelFile
from edge.model_file import ModelFileError
from edge.network import Network

OK = "OK"
# Of processor time, for two pictures.
MAX_SECONDS = 2
# Beyond what the process has before, and the model's own size.
MAX_MEGABYTES = 192
# By the clock, when the machine is busy.
PATIENCE_SECONDS = 30


def attempt(path: str, file: ModelFile, *, use_xnnpack: bool) -> None:
    """Runs a model in another process.

    Raises:
      ModelFileError: it cannot be used, or the other process came to its end.
    """
    if _may_be_copied():
        said, status = _copied(lambda: try_out(path, file, use_xnnpack))
    elif sys.executable and not getattr(sys, "frozen", False):
        said, status = _started(path, use_xnnpack)
    else:
        return  # Part of another program: there is no Python to start.
    if said == OK:
        return
    if said:
        raise ModelFileError(said)
    raise model_file.refuse(path, _cause_of_death(status))


def try_out(path: str, file: ModelFile, use_xnnpack: bool) -> str:
    """Runs a model within limits, for the rest of this process.

    Returns:
      OK, or what is wrong with the file.
    """
    _limit(len(file.content))
    try:
        network = Network(path, file, num_threads=1, use_xnnpack=use_xnnpack)
        shape = [2, *[network.image_size] * 2, network.channels]
        images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
        network.run(images[:1])
        network.run(images)
    except ModelFileError as error:
        return str(error)
    return OK


def _may_be_copied() -> bool:
    return sys.platform == "linux" and threading.active_count() == 1


def _copied(work: Callable[[], str]) -> tuple[str, int]:
    """What `work` says in a copy of this process, and the copy's status."""
    source, sink = os.pipe()
    with warnings.catch_warnings():
        # Python cannot know that what runs beside it are idle threads of
        # numpy's and LiteRT's own.
        warnings.simplefilter("ignore")
        child = os.fork()
    if child == 0:
        _work_and_end(work, sink)
    os.close(sink)
    try:
        ready, _, _ = select.select([source], [], [], PATIENCE_SECONDS)
        said = os.read(source, 2**16).decode() if ready else ""
    finally:
        os.close(source)
        status = _end(child)
    return said, status if ready else -signal.SIGXCPU


def _end(child: int) -> int:
    """Ends a child, if it has not; its exit code, or minus its signal."""
    try:
        os.kill(child, signal.SIGKILL)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    except (ChildProcessError, ProcessLookupError):
        return 0  # The program itself waits for all children.


def _work_and_end(work: Callable[[], str], sink: int) -> NoReturn:
    try:
        faulthandler.disable()  # What happens here is told in one line.
        nowhere = os.open(os.devnull, os.O_RDWR)
        for place in (0, 1, 2):
            os.dup2(nowhere, place)
        os.write(sink, work().encode("utf-8", "replace"))
    finally:
        os._exit(0)


def _started(path: str, use_xnnpack: bool) -> tuple[str, int]:
    """What a new process says, and its status."""
    module = [sys.executable, "-m", "edge.model_trial"]
    try:
        done = subprocess.run(
            [*module, os.path.abspath(path), path, str(int(use_xnnpack))],
            # Where Python finds this very package.
            cwd=pathlib.Path(__file__).parents[1],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return "", -signal.SIGXCPU
    return done.stdout.decode("utf-8", "replace").strip(), done.returncode


def _limit(size: int) -> None:
    """Bounds what this process may still take, where the system can."""
    try:
        import resource

        pages = int(pathlib.Path("/proc/self/statm").read_text().split()[0])
    except (ImportError, OSError):
        return
    usage = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(usage.ru_utime + usage.ru_stime) + MAX_SECONDS
    bound = pages * resource.getpagesize() + size + MAX_MEGABYTES * 2**20
    limits = ((resource.RLIMIT_AS, bound), (resource.RLIMIT_CPU, seconds))
    for kind, most in (*limits, (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(kind)
        unlimited = hard == resource.RLIM_INFINITY
        resource.setrlimit(kind, (most if unlimited else min(most, hard), hard))


def _cause_of_death(status: int) -> str:
    if -status == getattr(signal, "SIGXCPU", None):
        return f"it needs more than {MAX_SECONDS} s for a picture"
    return (
        "LiteRT breaks down on it, or needs more than "
        f"{MAX_MEGABYTES} MB besides the model"
    )


if __name__ == "__main__":
    opened, shown, kernels = sys.argv[1:]
    try:
        checked = model_file.read_model_file(opened)
        print(try_out(shown, checked, bool(int(kernels))))
    except ModelFileError as refusal:
        print(refusal)
