"""What the builders have in common: configurations, raw folder, messages."""

import os
import sys
from pathlib import Path

import tensorflow_datasets as tfds

from fer_tfds.sources.records import SourceError


class NamedConfigs:
    """Mixin for a TFDS builder, to stand before its base class.

    `tfds build` without `--config` builds everything in `BUILDER_CONFIGS`,
    which is more than most people want: that list holds the default alone,
    and `builder_configs` all of them by name.
    """

    builder_configs: dict[str, tfds.core.BuilderConfig]

    @classmethod
    def get_builder_config(
        cls, name: str, version: object = None
    ) -> tfds.core.BuilderConfig:
        """Finds a configuration; all of them share the builder's version.

        Raises:
            ValueError: there is none of that name.
        """
        if name not in cls.builder_configs:
            show_the_message_alone()
            raise ValueError(
                f"`--config` must be one of {', '.join(cls.builder_configs)}. "
                f"Received: {name!r}."
            )
        return cls.builder_configs[name]


def find_manual_path(dl_manager: tfds.download.DownloadManager) -> Path:
    """The folder, or the one file, that `--manual_dir` names.

    Raises:
        SourceError: it is absent or empty.
    """
    try:
        return Path(os.fspath(dl_manager.manual_dir))
    except NotADirectoryError as error:  # it names one file
        return Path(error.filename)
    except AssertionError as error:  # TFDS's word for absent or empty
        raise SourceError(str(error)) from None


def show_the_message_alone() -> None:
    """Keeps the `tfds` command from printing its own calls before an error.

    Forty lines about the inside of TFDS hide the one that names the row.
    Other programs keep their tracebacks.
    """
    if os.path.basename(sys.argv[0]) == "tfds":
        sys.tracebacklimit = 0
