"""A SavedModel as TensorFlow Serving wants it: ROOT/NAME/VERSION/.

A server watches ROOT/NAME and loads the highest number that appears, so the
folder is written under a hidden name and moved when it is whole. Changes no
version that is there.
"""

import pathlib
import re
import shutil

from export import artifacts
from trainer import files

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


class ServingError(ValueError):
    """The model cannot be put there; the text says why."""


def check(root: pathlib.Path, name: str) -> None:
    """Refuses a name or a place that will not do, before any work.

    Raises:
      ServingError: the name is no folder's name, or the place is a file.
    """
    if not _NAME.fullmatch(name):
        raise ServingError(
            "`serving_name` must be letters, digits, `_`, `-` or `.`; "
            f"received {name!r}"
        )
    for path in (root, root / name):
        if path.exists() and not path.is_dir():
            raise ServingError(f"{path} is a file; give another --serving")


def publish(
    folder: pathlib.Path, root: pathlib.Path, name: str
) -> pathlib.Path:
    """Copies an export's SavedModel in as the next version.

    Args:
      folder: of a finished export.
      root: what the server is started with, as `--model_base_path=ROOT/NAME`.
      name: what clients call the model.

    Returns:
      The new folder, ROOT/NAME/VERSION; the first version is 1.

    Raises:
      ServingError: as `check`, or the export holds no SavedModel.
    """
    check(root, name)
    source = folder / artifacts.SAVED_MODEL
    if not (source / "saved_model.pb").is_file():
        raise ServingError(f"{folder} holds no {artifacts.SAVED_MODEL}")
    target = root / name / str(_last_version(root / name) + 1)
    with files.write_aside(target) as aside:
        shutil.copytree(source, aside)
        for extra in (artifacts.LABELS, artifacts.METADATA):
            # Where a server leaves them alone and hands them to nobody.
            (aside / "assets.extra").mkdir(exist_ok=True)
            shutil.copy(folder / extra, aside / "assets.extra" / extra)
    return target


def _last_version(folder: pathlib.Path) -> int:
    if not folder.is_dir():
        return 0
    names = (path.name for path in folder.iterdir())
    return max((int(name) for name in names if name.isdecimal()), default=0)
