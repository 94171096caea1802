"""What a run was made from: data, code, libraries, hardware."""

import datetime
import importlib.metadata
import os
import platform
import subprocess
from typing import Any

import tensorflow as tf
import tensorflow_datasets as tfds

from trainer.data.prepared import Split

LIBRARIES = (
    "tensorflow",
    "keras",
    "tensorflow-datasets",
    "numpy",
    "scikit-learn",
)


def make_manifest(
    builder: tfds.core.DatasetBuilder,
    splits: dict[str, Split],
    *,
    precision: str,
    replicas: int,
    reading: str | None = None,
) -> dict[str, Any]:
    """Describes a run in plain JSON values.

    Args:
      builder: the TFDS builder of the prepared data.
      splits: name -> the loaded split.
      precision: the Keras dtype policy in force.
      replicas: devices that share a batch.
      reading: `memory` or `stream`; None where nothing is trained.
    """
    return {
        "started": datetime.datetime.now(datetime.UTC).isoformat(
            "T", "seconds"
        ),
        "data": {
            "name": builder.info.full_name,
            "splits": {
                name: split.describe() for name, split in splits.items()
            },
        },
        "libraries": {
            name: importlib.metadata.version(name) for name in LIBRARIES
        },
        "python": platform.python_version(),
        "commit": _git_commit(),
        "precision": precision,
        "replicas": replicas,
        **({"reading": reading} if reading else {}),
        "hardware": {
            "processor": platform.machine(),
            "cores": os.cpu_count(),
            "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS"),
            "gpus": len(tf.config.list_physical_devices("GPU")),
        },
    }


def _git_commit() -> str | None:
    """The commit of the code, with `+changes` when it was edited since."""
    folder = os.path.dirname(os.path.abspath(__file__))

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", folder, *arguments],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()

    try:
        commit = git("rev-parse", "HEAD")
        changed = git("status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return None
    return commit + ("+changes" if changed else "")
