"""Lays the page out as a static folder, with models and all that it loads.

Paths are relative, so any static host will do, in any folder of it.
"""

import hashlib
import json
import pathlib
import shutil
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from edge import detector_files
from edge import model_file
from export.options import ExportError
from export.web import golden_vectors
from export.web import model_check
from export.web import settings
from export.web import sources
from trainer import files

SETTINGS = "settings.json"
VENDOR, MODELS, GOLDEN = "vendor", "models", "golden"
LICENCES = "licences"


class WebModel(NamedTuple):
    """A model that the page offers.

    Attributes:
      name: what the page calls it.
      path: the `.tflite` file.
      min_confidence: the probability from which on its answer is sure.
    """

    name: str
    path: pathlib.Path
    min_confidence: float


def shipped_models() -> list[WebModel]:
    """Returns the models that the runtime carries, its default first."""
    return [
        WebModel(name, model_file.SHIPPED / f"{name}.tflite", confidence)
        for name, confidence in model_file.MIN_CONFIDENCE.items()
    ]


def own_models(paths: Sequence[pathlib.Path]) -> list[WebModel]:
    """Returns models of one's own under their files' names, smallest first."""
    confidence = model_file.OWN_MIN_CONFIDENCE
    ordered = sorted(paths, key=lambda path: path.stat().st_size)
    return [WebModel(path.stem, path, confidence) for path in ordered]


def check_target(folder: pathlib.Path) -> None:
    """Refuses a folder that holds something else.

    Raises:
      ExportError: it is no page of ours, and not empty.
    """
    if (folder / SETTINGS).is_file() or not folder.exists():
        return
    if folder.is_file() or any(folder.iterdir()):
        raise ExportError(f"{folder} is no page of ours; give another --out")


def write(folder: pathlib.Path, models: Sequence[WebModel]) -> None:
    """Writes the static folder; a page that is there is replaced.

    Raises:
      ExportError: a part is missing, or LiteRT.js cannot run a model.
    """
    sources.check()
    check_target(folder)
    for model in models:
        model_check.check(model.path)
    with files.write_aside(folder) as aside:
        aside.mkdir()
        _write_parts(aside)
        content = settings.edge_numbers()
        content |= _write_models(aside, models)
        content |= _inventory(aside)
        text = json.dumps(content, indent=1) + "\n"
        (aside / SETTINGS).write_text(text, encoding="utf-8")
        if folder.exists():
            folder.rename(aside.parent / "old")


def _write_parts(folder: pathlib.Path) -> None:
    """The page, LiteRT.js and the licences."""
    for path in sources.page():
        shutil.copyfile(path, folder / path.name)
    (folder / VENDOR).mkdir()
    for name, path in sources.VENDOR.items():
        shutil.copyfile(path, folder / VENDOR / name)
    (folder / LICENCES).mkdir()
    shutil.copyfile(sources.LICENCE, folder / LICENCES / "LICENSE.txt")
    notice = folder / LICENCES / "NOTICE.txt"
    notice.write_text(sources.NOTICE, encoding="utf-8")


def _write_models(
    folder: pathlib.Path, models: Sequence[WebModel]
) -> dict[str, Any]:
    """Copies models and detector; returns what the page must know of them."""
    for name in (MODELS, GOLDEN):
        (folder / name).mkdir()
    for file, content in sources.detector().items():
        (folder / MODELS / file.name).write_bytes(content)
    described = []
    for name, path, confidence in models:
        shutil.copyfile(path, folder / MODELS / path.name)
        described.append(
            {
                "name": name,
                "file": f"{MODELS}/{path.name}",
                "min_confidence": confidence,
                "golden": golden_vectors.write(path, folder / GOLDEN),
            }
        )
    detector = {
        "short": f"{MODELS}/{detector_files.SHORT.name}",
        "back": f"{MODELS}/{detector_files.BACK.name}",
    }
    return {"models": described, "detector": detector}


def _inventory(folder: pathlib.Path) -> dict[str, Any]:
    """Every file with its size, and a version that changes with any byte."""
    digest, sizes = hashlib.sha256(), {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = path.relative_to(folder).as_posix()
            content = path.read_bytes()
            digest.update(f"{name}\n{len(content)}\n".encode() + content)
            sizes[name] = len(content)
    return {"version": digest.hexdigest()[:16], "files": sizes}
