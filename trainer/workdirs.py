"""Whether a run may use a folder, and what it writes there first.

The same command typed again resumes the run that is there; other settings are
refused, and nothing there is touched.
"""

import json
import pathlib
from typing import Any

from fer_tfds import locks
from trainer import checkpoints
from trainer import files
from trainer.checkpoints import WorkdirError
from trainer.evaluation import stored_runs
from trainer.run_folder import EXPORT
from trainer.run_folder import FLAGFILE
from trainer.run_folder import MANIFEST
from trainer.run_folder import METRICS
from trainer.run_folder import PARITY
from trainer.run_folder import SETTINGS
from trainer.run_folder import WRITTEN
from trainer.settings import settings as settings_lib

# Settings that say where and how, not what: they may change on resuming.
FREE_ON_RESUME = ("data_dir", "max_memory_gib", "feature_cache")

# What to do about a damaged file of a run that is to go on.
_ADVICE = "give another --workdir, or --overwrite to begin again"


def check_workdir(
    workdir: pathlib.Path, settings: settings_lib.Settings, *, overwrite: bool
) -> None:
    """Refuses a workdir that a run with these settings may not use.

    A run that has ended without a test split may be given one: it is then
    tested, and not trained again.

    Raises:
      WorkdirError: the folder holds a finished run, a run with other
        settings, or something that is no run.
      json_files.DamagedFileError: its settings, manifest or progress cannot
        be read.
    """
    if not workdir.exists() or not _listed(workdir):
        return
    if not is_run(workdir):
        raise WorkdirError(
            f"{workdir} is not empty and holds no run; give another --workdir"
        )
    if overwrite:
        return
    stored = _check_same_settings(workdir, settings)
    if (workdir / MANIFEST).exists():
        stored_runs.read_manifest(workdir, _ADVICE)
    checkpoints.read_progress(workdir)
    if (workdir / METRICS).exists() and not _is_to_be_tested(stored, settings):
        raise WorkdirError(
            f"{workdir} holds a finished run. Export it with\n"
            f"  python -m export --workdir={workdir} --tflite\n"
            "or train again with another --workdir, or with --overwrite"
        )


def open_workdir(
    workdir: pathlib.Path, settings: settings_lib.Settings, *, overwrite: bool
) -> None:
    """Makes a workdir ready for a run, new or resumed.

    Raises:
      WorkdirError: as `check_workdir`.
    """
    check_workdir(workdir, settings, overwrite=overwrite)
    if overwrite and workdir.exists():
        _delete_run(workdir)
    path = workdir / SETTINGS
    if path.exists():
        stored = stored_runs.read_settings(workdir, _ADVICE)
        if not _is_to_be_tested(stored, settings):
            return
        # It is no finished run again until it has been tested.
        (workdir / METRICS).unlink(missing_ok=True)
    files.write_text(path, settings.to_json())


def is_run(workdir: pathlib.Path) -> bool:
    """Whether the trainer wrote here: settings of ours, or its flagfile.

    Other programs have a `settings.json` too.
    """
    try:
        stored_runs.read_settings(workdir)
    except FileNotFoundError:
        return False
    except (OSError, ValueError):
        return (workdir / FLAGFILE).is_file()
    return True


def _delete_run(workdir: pathlib.Path) -> None:
    """Deletes what the trainer and the export of its run wrote, no more."""
    if (workdir / EXPORT / PARITY).is_file():
        files.delete(workdir, [EXPORT])
    files.delete(workdir, WRITTEN)
    kept = _listed(workdir)
    if kept:
        print(f"kept in {workdir}, of no run: {', '.join(kept)}", flush=True)


def _listed(workdir: pathlib.Path) -> list[str]:
    """Names of what is in a folder, but for the lock of this process."""
    names = (path.name for path in workdir.iterdir())
    return sorted(name for name in names if name != locks.LOCK)


def keep_manifest(workdir: pathlib.Path, manifest: dict[str, Any]) -> None:
    """Writes the manifest of a new run; checks that of a resumed one.

    Data of a split that the run did not have so far is added.

    Raises:
      WorkdirError: the prepared data is not what the run began with.
    """
    path = workdir / MANIFEST
    if path.exists():
        stored = stored_runs.read_manifest(workdir, _ADVICE)
        _check_same_data(workdir, stored["data"], manifest["data"])
        manifest = {**manifest, **stored, "data": manifest["data"]}
    files.write_text(path, json.dumps(manifest, indent=2) + "\n")


def _is_to_be_tested(
    stored: settings_lib.Settings, settings: settings_lib.Settings
) -> bool:
    """Whether a run without a test split is given one."""
    before, now = stored.data.test_split, settings.data.test_split
    return before == "none" and now != "none"


def _check_same_data(
    workdir: pathlib.Path, began_with: dict[str, Any], now: dict[str, Any]
) -> None:
    before = began_with.get("splits", {})
    splits = {name: now["splits"].get(name) for name in before}
    if began_with != {**now, "splits": splits}:
        raise WorkdirError(
            f"the run in {workdir} began with other data: {began_with}, and "
            f"now there is {now}. Give --data_dir of the data it "
            "began with, or another --workdir, or --overwrite to begin again"
        )


def _check_same_settings(
    workdir: pathlib.Path, settings: settings_lib.Settings
) -> settings_lib.Settings:
    """Returns the stored settings, unless a run with others is there."""
    stored = stored_runs.read_settings(workdir, _ADVICE)
    free = set(FREE_ON_RESUME)
    if _is_to_be_tested(stored, settings):
        free.add("test_split")
    known = stored.flat()
    changed = [
        f"{name}: {known[name]!r} there, {value!r} now"
        for name, value in settings.flat().items()
        if known[name] != value and name not in free
    ]
    if changed:
        raise WorkdirError(
            f"{workdir} holds a run with other settings:\n  "
            + "\n  ".join(changed)
            + "\nGive another --workdir, or "
            f"--flagfile={workdir / FLAGFILE} to "
            "resume it, or --overwrite to begin again"
        )
    return stored
