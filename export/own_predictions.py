"""Whether a loaded run still predicts what it predicted when it was trained.

A file of weights may be damaged, or be that of another run, and load all the
same. Writes nothing.
"""

import numpy as np

from export.options import ExportError
from trainer import run_folder
from trainer.batches import PREDICT_BATCH_SIZE
from trainer.checkpoints import FinishedRun
from trainer.data.prepared import Split
from trainer.evaluation import predictions
from trainer.evaluation import stored_runs

# Mean over images of the largest difference of a probability. In float32 on two
# processors it was below 1e-5; a GPU or 16 bits round more coarsely.
MOST_DIFFERENCE = 1e-3
MOST_COARSE_DIFFERENCE = 2e-2


def check(run: FinishedRun, validation: Split) -> None:
    """Refuses a run whose weights are not those that it was judged by.

    A run of an earlier version, which kept no predictions, and other data than
    the run had cannot be checked; a line says so.

    Args:
      run: the loaded run.
      validation: the whole split, uint8 [n, S, S, C] in [0, 255]; one batch of
        images is compared, spread over all of them.

    Raises:
      ExportError: the network predicts something else than the run recorded.
      predictions.PredictionsError: what it recorded is damaged.
    """
    path = run.workdir / run_folder.PREDICTIONS
    if not path.exists():
        print(f"WARNING: no {path} to check the weights by", flush=True)
        return
    stored = predictions.read(path, "validation")
    places = {name: row for row, name in enumerate(stored.ids)}
    count = len(validation.ids)
    rows = np.unique(np.linspace(0, count - 1, PREDICT_BATCH_SIZE).astype(int))
    rows = [row for row in rows if validation.ids[row] in places]
    if _has_other_images(run, validation) or not rows:
        print("WARNING: other images than the run had: weights not checked")
        return
    recorded = stored.probabilities[
        [places[validation.ids[row]] for row in rows]
    ]
    found = run.model.predict(
        validation.images[rows].astype(np.float32),
        batch_size=PREDICT_BATCH_SIZE,
        verbose=0,
    )
    difference = np.abs(found - recorded).max(axis=1).mean()
    if not difference <= _most_difference(run):
        raise ExportError(
            f"{run.workdir / run_folder.BEST_WEIGHTS} does not predict what "
            f"{path} recorded ({difference:.3f} off on average). One of them, "
            f"or {run_folder.SETTINGS}, is damaged or of another run: "
            f"{stored_runs.train_again(run.workdir)}"
        )


def _has_other_images(run: FinishedRun, validation: Split) -> bool:
    splits = run.manifest["data"].get("splits", {})
    return validation.is_other_than(splits.get("validation", {}))


def _most_difference(run: FinishedRun) -> float:
    has_gpu = run.manifest.get("hardware", {}).get("gpus")
    if run.manifest.get("precision") == "float32" and not has_gpu:
        return MOST_DIFFERENCE
    return MOST_COARSE_DIFFERENCE
