"""Several processes on one search: who does what, and who has gone.

KerasTuner's own service and its variables: KERASTUNER_ORACLE_IP and
KERASTUNER_ORACLE_PORT of the chief in every process, KERASTUNER_TUNER_ID
`chief` in one of them and any other name in each worker. The processes share
the folder of the search; a worker shows in it that it lives. What is mended
here, of KerasTuner 1.4.8: a chief waits for ever for a worker that was
killed, and a worker for an hour for a chief.
"""

import contextlib
import functools
import os
import pathlib
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from concurrent import futures
from typing import Any

import grpc
from keras_tuner.src import protos
from keras_tuner.src.distribute import oracle_chief
from keras_tuner.src.distribute import oracle_client

VARIABLES = (
    "KERASTUNER_ORACLE_IP",
    "KERASTUNER_ORACLE_PORT",
    "KERASTUNER_TUNER_ID",
)
SINGLE = "tuner0"

# A sign of life, in seconds; far below the shortest sensible timeout.
BEAT = 2.0

# How long a worker waits for a chief, in seconds: long enough for one that
# loads TensorFlow and computes features first, or is started again.
CHIEF_TIMEOUT = 600.0


class ServiceError(ConnectionError):
    """The processes of a search cannot reach each other."""


def role() -> str:
    """Returns `single`, `chief` or `worker`, as the environment says.

    Raises:
      ValueError: some of KerasTuner's variables are set and others are not.
    """
    missing = [name for name in VARIABLES if not os.environ.get(name)]
    if len(missing) == len(VARIABLES):
        return "single"
    if missing:
        raise ValueError(
            f"a search on several processes needs {', '.join(VARIABLES)} in "
            f"each of them; not set: {', '.join(missing)}"
        )
    # KerasTuner itself looks for the word anywhere in the name.
    return "chief" if "chief" in tuner_id() else "worker"


def tuner_id() -> str:
    """Returns the name of this process in the search."""
    return os.environ.get("KERASTUNER_TUNER_ID") or SINGLE


@contextlib.contextmanager
def beating(folder: pathlib.Path) -> Iterator[None]:
    """Shows in a folder, as long as the block runs, that this worker lives."""
    path, stop = folder / tuner_id(), threading.Event()
    folder.mkdir(parents=True, exist_ok=True)
    path.touch()

    def beat() -> None:
        while not stop.wait(BEAT):
            with contextlib.suppress(OSError):
                path.touch()

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        path.unlink(missing_ok=True)


class PatientOracle:
    """The chief's oracle as a worker sees it, also while it starts again.

    A call that the chief's end cuts off is made again; that does no harm,
    since a trial that has ended stays as it is.
    """

    def __init__(self, client: oracle_client.OracleClient):
        self._client = client

    def __getattr__(self, name: str) -> Any:
        """Returns what the client has; a call is patient."""
        value = getattr(self._client, name)
        if not callable(value):
            return value
        return functools.partial(_call_patiently, value)


@contextlib.contextmanager
def explain_lost_chief() -> Iterator[None]:
    """Bounds how long a worker waits for its chief, and says what to do.

    Raises:
      ServiceError: it does not answer.
    """
    oracle_client.TIMEOUT = CHIEF_TIMEOUT
    try:
        yield
    except grpc.RpcError as error:
        where = ":".join(os.environ[name] for name in VARIABLES[:2])
        raise ServiceError(
            f"the chief at {where} does not answer ({error.code().name}). "
            "Its trials are kept: start chief and workers with the same "
            "commands again"
        ) from error


def serve(oracle: Any, workers: pathlib.Path, timeout: float) -> None:
    """Answers workers until the search is over.

    Args:
      oracle: of the search.
      workers: the folder in which workers show that they live.
      timeout: seconds after which a silent worker counts as lost; so long,
        and at least `CHIEF_TIMEOUT`, the chief waits for one at all.

    Raises:
      ServiceError: the port is taken, or no worker has come.
    """
    # One thread for all that touches the oracle: KerasTuner's lock stays held
    # for good after an exception, for every thread but the one it was held by.
    pool = futures.ThreadPoolExecutor(max_workers=1)
    servicer = oracle_chief.OracleServicer(oracle)
    server = _start(servicer, pool)
    watch, waited = _Watch(workers, timeout), time.monotonic()
    try:
        while True:
            time.sleep(BEAT / 2)
            alive, lost = watch.look()
            for name in lost:
                if pool.submit(oracle.give_up, name).result():
                    print(
                        f"worker {name} is lost; another takes its trial",
                        flush=True,
                    )
            is_over = pool.submit(oracle.is_over, servicer.stop_triggered)
            if is_over.result() and not alive:
                return
            if alive:
                waited = time.monotonic()
            elif time.monotonic() - waited > max(timeout, CHIEF_TIMEOUT):
                raise ServiceError(
                    f"no worker has come for {CHIEF_TIMEOUT:.0f} s. The trials "
                    "are kept: start chief and workers again"
                )
    finally:
        server.stop(grace=None)


def _call_patiently(
    call: Callable[..., Any], *arguments: Any, **options: Any
) -> Any:
    deadline = time.monotonic() + CHIEF_TIMEOUT
    while True:
        try:
            return call(*arguments, **options)
        except grpc.RpcError as error:
            is_cut_off = error.code() == grpc.StatusCode.UNAVAILABLE
            if not is_cut_off or time.monotonic() > deadline:
                raise
            time.sleep(BEAT)


def _start(
    servicer: oracle_chief.OracleServicer, pool: futures.ThreadPoolExecutor
) -> grpc.Server:
    where = ":".join(os.environ[name] for name in VARIABLES[:2])
    server = grpc.server(pool)
    protos.get_service_grpc().add_OracleServicer_to_server(servicer, server)
    try:
        server.add_insecure_port(where)
    except RuntimeError as error:
        raise ServiceError(
            f"cannot listen on {where}, as {' and '.join(VARIABLES[:2])} say: "
            "another program may use that port; choose another one"
        ) from error
    server.start()
    print(f"waiting for workers on {where}", flush=True)
    return server


class _Watch:
    """Which workers live, by their files; by this machine's clock alone."""

    def __init__(self, folder: pathlib.Path, timeout: float):
        self._folder, self._timeout = folder, timeout
        self._seen: dict[str, tuple[int, float]] = {}

    def look(self) -> tuple[set[str], set[str]]:
        """Returns the names of living workers, and of those newly gone."""
        now, lost = time.monotonic(), set()
        beats = self._beats()
        for name in self._seen.keys() - beats.keys():
            lost.add(name)  # It has ended by itself, well or badly.
            del self._seen[name]
        for name, beat in beats.items():
            known, since = self._seen.get(name, (None, now))
            self._seen[name] = (beat, now if beat != known else since)
            if now - self._seen[name][1] > self._timeout:
                lost.add(name)
                del self._seen[name]
                (self._folder / name).unlink(missing_ok=True)
        return set(self._seen), lost

    def _beats(self) -> dict[str, int]:
        beats = {}
        for path in self._folder.glob("*"):
            with contextlib.suppress(FileNotFoundError):
                beats[path.name] = path.stat().st_mtime_ns
        return beats
