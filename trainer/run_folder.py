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
