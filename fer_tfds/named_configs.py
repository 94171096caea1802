"""Builder configurations that are built only when they are asked for.

`tfds build` without `--config` builds everything in `BUILDER_CONFIGS`, which
is more than most people want; here that list holds the default alone, and
the others are found by their names.
"""

import os
import sys

import tensorflow_datasets as tfds


class NamedConfigs:
    """Mixin for a TFDS builder, to stand before its base class.

    `BUILDER_CONFIGS` holds the default configuration, `builder_configs` all
    of them by name.
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


def show_the_message_alone() -> None:
    """Keeps the `tfds` command from printing its own calls before an error.

    Forty lines about the inside of TFDS hide the one that names the row.
    Other programs keep their tracebacks.
    """
    if os.path.basename(sys.argv[0]) == "tfds":
        sys.tracebacklimit = 0
