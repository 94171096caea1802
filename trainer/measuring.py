"""One model on one split: measured, and written as the end of a run is."""

import dataclasses
import pathlib
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from trainer import any_model
from trainer import manifest
from trainer import run_folder
from trainer import seen_before
from trainer.any_model import AnyModel
from trainer.data import damage
from trainer.data import prepared
from trainer.data.prepared import Split
from trainer.evaluation import evaluate
from trainer.evaluation import matching as matching_lib
from trainer.evaluation import robustness
from trainer.evaluation import train_overlap
from trainer.evaluation.matching import Matching
from trainer.seen_before import SeenBefore
from trainer.settings.model_and_data import DataSettings


@dataclasses.dataclass(frozen=True)
class Measured:
    """What was found of a model on a split.

    Attributes:
      model: what is known of the model.
      part: name of the split.
      split: its examples whose class the model knows, under the model's ids.
      probabilities: float32 [n, K] in [0, 1].
      metrics: as in metrics.json.
      robustness: of the same examples.
      made_from: manifest of data, code, libraries and hardware.
      seen: what of it the model has seen before, for people.
    """

    model: AnyModel
    part: str
    split: Split
    probabilities: np.ndarray
    metrics: dict[str, Any]
    robustness: dict[str, Any]
    made_from: dict[str, Any]
    seen: str


def measure(
    name: str, dataset: str, *, split: str, data_dir: str | None = None
) -> Measured:
    """Measures a model on a split of prepared data.

    What can be refused is refused before an image is read.

    Args:
      name: as `trainer.any_model.describe` takes it.
      dataset: name of the prepared data.
      split: in TFDS's language.
      data_dir: folder of prepared data; None is that of TFDS.

    Raises:
      ValueError: the model or the data cannot be used, they share fewer than
        two classes, the split has no example of a shared class, or the model
        was trained on it; the text says what to do.
    """
    model = any_model.describe(name)
    data, builder = _find(model, dataset, data_dir=data_dir)
    matching = matching_lib.match(model.labels, data.classes)
    damage.count_examples(builder, data, split, such_as="--split=test[:50%]")
    predict = model.load()
    whole = prepared.load_split(data, split)
    kept = _known_to_model(whole, matching, split=split)
    seen = seen_before.look(model, data, kept)
    print(
        f"{model.name}: {len(model.labels)} classes; {builder.info.full_name}, "
        f"{split}: {len(kept.labels):,} of {len(whole.labels):,} images",
        flush=True,
    )
    made_from = manifest.make_manifest(
        builder, {split: whole}, precision=model.precision, replicas=1
    )
    probabilities = predict(kept.images)
    return Measured(
        model=model,
        part=split,
        split=kept,
        probabilities=probabilities,
        metrics={
            **_metrics(model, matching, kept, probabilities=probabilities),
            "left_out": matching.left_out(whole.labels),
            **_on_unseen(seen, kept, probabilities),
        },
        robustness=robustness.measure(predict, kept.images, kept.labels),
        made_from=made_from,
        seen=seen.text,
    )


def write(folder: pathlib.Path, measured: Measured) -> None:
    """Writes what `trainer.run_folder.EVALUATED` names into a folder."""
    part, model = measured.part, measured.model
    evaluate.write_json(folder / run_folder.EVALUATION, _described(measured))
    evaluate.write(
        folder,
        {part: measured.split},
        {part: measured.probabilities},
        evaluated={part: measured.metrics},
        page={
            "title": f"{model.name} on {measured.made_from['data']['name']}",
            "summary": _summary(measured),
            "history": None,
            "robustness": {**measured.robustness, "split": part},
        },
    )


def _find(
    model: AnyModel, dataset: str, *, data_dir: str | None
) -> tuple[DataSettings, tfds.core.DatasetBuilder]:
    """The data as the model takes it, with every class of its records."""
    data = DataSettings(
        dataset=dataset,
        data_dir=data_dir,
        image_size=model.image_size,
        channels=model.channels,
    )
    builder = prepared.find_data(data)
    names = tuple(builder.info.features["label"].names)
    return dataclasses.replace(data, classes=names), builder


def _known_to_model(whole: Split, matching: Matching, *, split: str) -> Split:
    """The examples of shared classes, under the model's label ids."""
    labels = matching.to_model(whole.labels)
    rows = np.flatnonzero(labels >= 0)
    if not len(rows):
        raise matching_lib.MatchingError(
            f"no example of `{split}` has a class that the model knows: they "
            f"are of {', '.join(matching.left_out(whole.labels))}. Give "
            "another --split"
        )
    if len(rows) == len(labels):
        return dataclasses.replace(whole, labels=labels)
    return dataclasses.replace(whole.take(rows), labels=labels[rows])


def _metrics(
    model: AnyModel,
    matching: Matching,
    kept: Split,
    *,
    probabilities: np.ndarray,
) -> dict[str, Any]:
    """Metrics of a split, and which classes were compared."""
    return {
        **evaluate.evaluate_split(
            kept, probabilities, matching.model, temperature=model.temperature
        ),
        "shared_classes": matching_lib.evaluate_shared(
            matching, kept.labels, probabilities
        ),
        "only_in_model": list(matching.only_in_model),
    }


def _on_unseen(
    seen: SeenBefore, kept: Split, probabilities: np.ndarray
) -> dict[str, Any]:
    if seen.images is None:
        return {}
    return train_overlap.evaluate_unseen(
        kept.labels, probabilities, seen.images
    )


def _described(measured: Measured) -> dict[str, Any]:
    """What evaluation.json says: the manifest, and which model it was."""
    settings = measured.model.settings
    return {
        **measured.made_from,
        "model": measured.model.name,
        "trained_on": measured.model.trained_on,
        "settings": settings and dataclasses.asdict(settings),
        "seen_before": measured.seen,
    }


def _summary(measured: Measured) -> dict[str, str]:
    """What the head of the report says of model and data."""
    made_from, figures = measured.made_from, measured.metrics
    left_out = sum(figures["left_out"].values())
    libraries = made_from["libraries"].items()
    return {
        "model": f"{measured.model.name} ({measured.model.precision})",
        "data": f"{made_from['data']['name']}, split {measured.part}",
        "examples": f"{figures['n']:,}, and {left_out:,} left out",
        "seen before": measured.seen,
        "how": "one view of each image, no face detector",
        "code": made_from["commit"] or "not under version control",
        "hardware": f"{made_from['hardware']['cores']} cores, "
        f"{made_from['hardware']['gpus']} GPUs",
        "libraries": ", ".join(f"{n} {v}" for n, v in libraries),
    }
