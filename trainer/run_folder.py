"""The names of the files in a run folder (workdir), and who writes them.

    settings.json       every setting, written first: `trainer.workdirs`
    run.flags           the same as flags, for --flagfile=WORKDIR/run.flags:
                        `trainer.train`
    manifest.json       data content hashes, versions, commit, hardware:
                        `trainer.workdirs`
    targets.npy         teachers' predictions, with labels and votes mixed in:
                        `trainer.train`
    checkpoints/epoch-N everything needed to resume after epoch N:
                        `trainer.checkpoints`
    best.weights.h5     weights of the best epoch so far: `trainer.training_run`
    history.csv         one row per epoch: `trainer.logs`
    tensorboard/        the same for TensorBoard: `trainer.logs`
    predictions.npz     ids, labels and probabilities of validation and test:
                        `trainer.evaluation.evaluate`
    robustness.json     validation accuracy on blurred, noisy ... images:
                        `trainer.evaluation.evaluate`
    report.html         curves, tables and images:
                        `trainer.evaluation.evaluate`
    metrics.json        the final evaluation; written last: the run is
                        finished: `trainer.evaluation.evaluate`

Must not import TensorFlow: whoever reads run folders takes the names here.
"""

SETTINGS = "settings.json"
FLAGFILE = "run.flags"
MANIFEST = "manifest.json"
TARGETS = "targets.npy"
CHECKPOINTS = "checkpoints"
BEST_WEIGHTS = "best.weights.h5"
HISTORY = "history.csv"
TENSORBOARD = "tensorboard"
PREDICTIONS = "predictions.npz"
ROBUSTNESS = "robustness.json"
REPORT = "report.html"
METRICS = "metrics.json"
# Written by `python -m trainer.evaluate` into a folder of its own, beside
# figures, predictions, robustness and page of the same names.
EVALUATION = "evaluation.json"
# Written by `python -m export`: its folder, and the file that proves it.
EXPORT = "export"
PARITY = "parity.json"

# All that a run writes. Its figures go first when it is deleted, since they
# say that it is finished; its settings last, since they say that it is a run.
WRITTEN = (METRICS, REPORT, ROBUSTNESS, PREDICTIONS, TENSORBOARD, HISTORY)
WRITTEN += (BEST_WEIGHTS, CHECKPOINTS, TARGETS, MANIFEST, FLAGFILE, SETTINGS)

# All that an evaluation writes.
EVALUATED = (EVALUATION, METRICS, REPORT, ROBUSTNESS, PREDICTIONS)
