"""One of two workers, which reads and trains nothing.

    TF_CONFIG=... python -m tests.trainer.two_readers SETTINGS.json

Prints which examples it is given in two epochs, and how many are evaluated.
"""

import json
import pathlib
import sys

import numpy as np

from trainer import runtime
from trainer.data import input_pipeline
from trainer.data import prepared
from trainer.settings import settings as settings_lib
from trainer.settings.augmentation import AugmentationSettings


def main(path: str) -> None:
    """Reads the training split as a run would."""
    settings = settings_lib.from_json(pathlib.Path(path).read_text("utf-8"))
    strategy = runtime.configure(settings.training)
    split = prepared.load_split(settings.data, "train")
    targets = np.eye(len(split.labels), dtype=np.float32)
    batch = settings.training.batch_size
    steps = len(split.labels) // batch
    batches = iter(
        strategy.distribute_datasets_from_function(
            lambda context: input_pipeline.make_for_train(
                split.images,
                targets,
                AugmentationSettings(),
                batch_size=batch,
                seed=0,
                epochs=range(2),
                context=context,
            )
        )
    )
    epochs = [
        [
            int(row)
            for _ in range(steps)
            for row in strategy.experimental_local_results(next(batches))[0][1]
            .numpy()
            .argmax(axis=1)
        ]
        for _ in range(2)
    ]
    evaluated = iter(
        strategy.distribute_datasets_from_function(
            lambda context: input_pipeline.make_for_eval(
                split.images, batch_size=100, context=context
            )
        )
    )
    places = [
        strategy.gather(next(evaluated)[0], axis=0).numpy() for _ in range(3)
    ]
    count = len({place for part in places for place in part if place >= 0})
    print(json.dumps({"epochs": epochs, "evaluated": count}))


if __name__ == "__main__":
    main(*sys.argv[1:])
