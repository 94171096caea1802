"""Says how far a build is that takes hours, and when nothing moves."""

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from fer_tfds.affectnet import shards

_SECONDS_BETWEEN_REPORTS = 30
# A shard is written in 10 seconds or so; the workers of an engine may need a
# minute to start. Engines wait for ever for a worker that cannot.
_SECONDS_WITHOUT_A_SHARD = 180


@contextlib.contextmanager
def report(folder: Path, num_shards: int) -> Iterator[None]:
    """Prints now and then how many shards in `folder` are written."""
    done = threading.Event()
    thread = threading.Thread(
        target=_print_until, args=(done, folder, num_shards), daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _print_until(done: threading.Event, folder: Path, num_shards: int) -> None:
    start, was_advised = time.monotonic(), False
    while not done.wait(_SECONDS_BETWEEN_REPORTS):
        num_finished = shards.count_finished(folder)
        seconds = time.monotonic() - start
        print(
            f"{num_finished:,} of {num_shards:,} shards written after "
            f"{seconds / 60:.1f} minutes",
            flush=True,
        )
        if num_finished == 0 and seconds >= _SECONDS_WITHOUT_A_SHARD:
            if not was_advised:
                print(_advice(folder), flush=True)
            was_advised = True


def _advice(folder: Path) -> str:
    return (
        "No shard is written yet. On this machine alone that means a slow disk "
        "or large pictures. With an engine (runner=...), look at what its "
        "workers print: each needs this environment (a worker pool starts "
        "`python` from its PATH), the raw data under the same path as here, "
        f"and must be able to write to {folder}. docs/data.md, 'On several "
        "machines', has the commands."
    )
