"""What runs of the tests of settings have besides `small_runs.TINY`."""

import pathlib

ROOT = pathlib.Path(__file__).parents[3]
FLAGFILES = sorted(ROOT.glob("*.flags")) + sorted(ROOT.glob("recipes/*.flags"))

HEAD = {"head_epochs": 1, "fine_tune_epochs": 1, "head_learning_rate": 0.01}
VOTES = {"soft_labels": "fer2013/plus"}
# The finished run of a teacher, which a test's fixture puts in.
TAUGHT = {"distill_from": "TEACHER"}
STALE = {"schedule": "plateau", "fine_tune_learning_rate": 1e-7}
