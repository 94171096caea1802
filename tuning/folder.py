"""What the folder of a search holds, and which search may use it.

search.json     what the search was made from; written first
features.json   what its features depend on
oracle/         KerasTuner's state
trials/ID/      one folder a trial; see `tuning.trials`
seeds/ID-SEED/  the best, and the recipe, trained with further seeds
workers/        signs of life, where several processes search
trials.csv      every trial
best.flags      the best settings, for `python -m trainer`
report.html     written last
"""

import contextlib
import dataclasses
import json
import pathlib
import time
from collections.abc import Iterator
from typing import Any

from fer_tfds import locks
from trainer import files
from trainer import json_files
from trainer import workdirs
from trainer.settings import cli_flags
from tuning import results
from tuning import service
from tuning import space
from tuning import tuner
from tuning.options import BEGIN_AGAIN
from tuning.options import SearchOptions

SEARCH = "search.json"
FEATURES = "features.json"
REPORT = "report.html"
TABLE = "trials.csv"
BEST_FLAGS = "best.flags"
WORKERS = "workers"
LOCK = ".lock"
# All that a search writes; the file that says that it is one goes last.
WRITTEN = (REPORT, BEST_FLAGS, TABLE, WORKERS, results.SEEDS, results.TRIALS)
WRITTEN += (tuner.ORACLE_FOLDER, FEATURES, SEARCH)

# Of the options, those that say where and how long, not what.
_FREE = ("settings", "out", "workdir", "max_trials", "confirm_seeds")
_FREE += ("worker_timeout",)


class SearchError(ValueError):
    """A search cannot be done as asked, or found nothing."""


def check_folder(options: SearchOptions, *, overwrite: bool) -> None:
    """Refuses a folder that a search with these options may not use.

    Raises:
      SearchError: it holds another search, or something that is none.
      json_files.DamagedFileError: what it was made from cannot be read.
    """
    out = options.out
    if not out.exists() or not _listed(out):
        return
    if not (out / SEARCH).exists():
        raise SearchError(
            f"{out} is not empty and holds no search; give another --out"
        )
    if overwrite:
        return
    now, path = _identity(options), out / SEARCH
    began = json_files.read(path, json_files.as_object, advice=BEGIN_AGAIN)
    changed = [
        f"{name}: {began.get(name)!r} there, {now.get(name)!r} now"
        for name in now | began
        if began.get(name) != now.get(name)
    ]
    if changed:
        raise SearchError(
            f"{out} holds another search:\n  "
            + "\n  ".join(changed)
            + "\nGive another --out, or --overwrite to begin again"
        )


def _identity(options: SearchOptions) -> dict[str, Any]:
    """All that makes a search another search, in plain JSON values."""
    values = {
        field.name: getattr(options, field.name)
        for field in dataclasses.fields(options)
        if field.name not in _FREE
    }
    settings = options.settings.flat()
    for name in (*workdirs.FREE_ON_RESUME, "test_split"):
        settings.pop(name, None)
    return json_files.parse(json.dumps(values | settings))


def open_folder(options: SearchOptions, *, overwrite: bool) -> None:
    """Makes a folder ready for a search, new or resumed."""
    out = options.out
    if overwrite and (out / SEARCH).exists():
        files.delete(out, WRITTEN)
        kept = _listed(out)
        if kept:
            print(f"kept in {out}, of no search: {', '.join(kept)}")
    if not (out / SEARCH).exists():
        text = json.dumps(_identity(options), indent=2) + "\n"
        files.write_text(out / SEARCH, text)


def _listed(out: pathlib.Path) -> list[str]:
    """Names of what is in a folder, but for the locks of processes."""
    names = (path.name for path in out.iterdir())
    return sorted(name for name in names if not name.endswith(LOCK))


def keep_key(out: pathlib.Path, key: dict[str, Any]) -> None:
    """Refuses to resume with other data or weights than the search began with.

    Raises:
      SearchError: they have changed.
    """
    path = out / FEATURES
    if not path.exists():
        files.write_text(path, json.dumps(key, indent=2) + "\n")
        return
    began = json_files.read(path, json_files.as_object, advice=BEGIN_AGAIN)
    if began != json_files.parse(json.dumps(key)):
        raise SearchError(
            f"the search in {out} began with other data or weights; see "
            f"{path}. Bring them back, or give another --out or --overwrite"
        )


def wait_for_chief(out: pathlib.Path) -> None:
    """Waits until there is a search to take part in.

    Raises:
      service.ServiceError: there is none for long.
    """
    deadline = time.monotonic() + service.CHIEF_TIMEOUT
    while not (out / SEARCH).exists():
        if time.monotonic() > deadline:
            raise service.ServiceError(
                f"no chief has begun a search in {out}. Start one with "
                "KERASTUNER_TUNER_ID=chief; all processes share that folder"
            )
        time.sleep(service.BEAT)


@contextlib.contextmanager
def alone(out: pathlib.Path) -> Iterator[None]:
    """Keeps a second process of the same name out of a search.

    Raises:
      SearchError: there is one already.
    """
    with contextlib.ExitStack() as stack:
        try:
            name = f"{service.tuner_id()}{LOCK}"
            stack.enter_context(locks.hold_folder(out, name))
        except locks.InUseError as error:
            raise SearchError(
                f"another process searches as {service.tuner_id()}: {error}. "
                "Processes of one search have a KERASTUNER_TUNER_ID each"
            ) from error
        yield


def best_flags(
    options: SearchOptions,
    name: str,
    values: dict[str, Any],
    *,
    layers: tuple[str, ...] = (),
) -> str:
    """Returns flags to be given to the trainer after those of the search.

    Args:
      options: of the search.
      name: of the trial.
      values: its hyperparameters.
      layers: names of the network's layers that have weights.
    """
    base, given = options.base, options.settings.flat()
    settings = tuner.trial_settings(
        options, values, options.epochs, layers=layers
    )
    found = settings.flat()
    names = set(space.changes(base, values, layers))
    names |= {n for n in found if found[n] != given[n]} - {"test_split"}
    flags = [
        flag
        for flag in cli_flags.to_flags(settings)
        if flag[2:].partition("=")[0] in names
    ]
    lines = [
        f"# Trial {name} of the search in {options.out}; see its {REPORT}.",
        "# Give it to the trainer after the flags that were searched with.",
        f"--workdir={options.workdir}",
        *flags,
    ]
    return "\n".join(lines) + "\n"
