"""The model card: what was measured, and what the model is not for.

Every number is read from the files of the run and of its export; what was not
measured is said to be so. Computes nothing and loads no model.
"""

import datetime
import pathlib
from typing import Any

from export import artifacts
from export.measure import latency
from trainer import files
from trainer import json_files
from trainer import run_folder
from trainer import seen_before
from trainer.evaluation import report
from trainer.settings import settings as settings_lib

CARD = "MODEL_CARD.md"
TEMPLATE = "model_card.md.j2"

# What is known of each data set, beyond what its own files say.
DATA_NOTES = {
    "fer2013": (
        "FER-2013: 48x48 grey faces from a web image search of 2013, labelled "
        "by few people, with many wrong labels. Nobody in it was asked. It "
        "was handed out under the rules of a Kaggle competition and may not "
        "be redistributed; whether a model trained on it may be sold is not "
        "settled.",
        "Age, sex, skin colour and origin of the people are not recorded: no "
        "group is known to be represented.",
    ),
    "affectnet": (
        "AffectNet: faces from web searches in six languages, licensed for "
        "research alone by the University of Denver; neither the pictures nor "
        "a commercial use of models is covered.",
        "Who is in it, and in what shares of age, sex and skin colour, is not "
        "recorded.",
    ),
    "image_folder": (
        "Labelled pictures that a user brought, in classes of their own. "
        "Whether the people in them were asked, and what they agreed to, is "
        "for whoever built the data set to say here.",
        "Nothing is recorded of age, sex, skin colour or origin: name here who "
        "is in the pictures, and who is not.",
    ),
}
_ADVICE = "put the file back, or export again with --overwrite"
UNKNOWN_DATA = (
    "Nothing is known here of this data beyond its name: read its licence.",
    "Who is in it is not recorded here.",
)


def write(folder: pathlib.Path, workdir: pathlib.Path) -> pathlib.Path:
    """Writes MODEL_CARD.md into the folder of an export.

    Args:
      folder: of the export, with its metadata and parity report; latency.json
        is used when it is there.
      workdir: of the run.

    Returns:
      The path of the card.

    Raises:
      OSError: the folder cannot be written.
      ValueError: a file of the run or of the export is damaged.
    """
    try:
        text = _fill_in(folder, workdir)
    except json_files.DamagedFileError:
        raise
    except json_files.UNREADABLE as error:
        raise ValueError(
            f"what {workdir} or {folder} holds is damaged or of another "
            f"version ({error!r:.200}): {_ADVICE}"
        ) from error
    files.write_text(folder / CARD, text.rstrip() + "\n")
    return folder / CARD


def _fill_in(folder: pathlib.Path, workdir: pathlib.Path) -> str:
    metadata = _read(folder / artifacts.METADATA)
    timed = folder / latency.LATENCY
    measured = _read(workdir / run_folder.METRICS)
    dataset = metadata["settings"]["data"]["dataset"]
    known = DATA_NOTES.get(dataset.split("/")[0], UNKNOWN_DATA)
    begun = seen_before.origin(settings_lib.from_groups(metadata["settings"]))
    return report.render(
        TEMPLATE,
        package=__package__,
        name=workdir.resolve().name,
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        metadata=metadata,
        settings=metadata["settings"],
        splits={k: v for k, v in measured.items() if _is_split(v)},
        manifest=_read(workdir / run_folder.MANIFEST),
        parity=_read(folder / run_folder.PARITY),
        latency=_read(timed) if timed.is_file() else None,
        notes=known[0] + _on_origin(begun, dataset),
        not_represented=known[1],
        sizes=_sizes(folder),
    )


def _on_origin(begun: seen_before.Source | None, dataset: str) -> str:
    """What the data of the weights at the start adds to the licence limits."""
    name = begun and begun.data.dataset.split("/")[0]
    if name in (None, dataset.split("/")[0]):
        return ""
    return (
        f" It began with the weights of `{begun.model}`, which were learned "
        f"from other data. {DATA_NOTES.get(name, UNKNOWN_DATA)[0]}"
    )


def _is_split(value: Any) -> bool:
    return isinstance(value, dict) and "accuracy_interval" in value


def _sizes(folder: pathlib.Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in folder.glob("*.tflite")}


def _read(path: pathlib.Path) -> dict[str, Any]:
    return json_files.read(path, json_files.as_object, advice=_ADVICE)
