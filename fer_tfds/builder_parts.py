"""What the builders have in common: configurations, locks, the raw folder."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds

from fer_tfds import build_command
from fer_tfds import locks
from fer_tfds.sources.records import SourceError


class _Info(tfds.core.DatasetInfo):
    """What TFDS knows of a data set; `tfds build` prints it in the end."""

    def __repr__(self) -> str:
        if build_command.is_running():
            return build_command.summary(self)
        return super().__repr__()

    def initialize_from_bucket(self) -> None:
        """Does nothing: what is built here lies on no server of TFDS.

        To look there leaves an empty folder of the system's temporary ones.
        """


class CommonParts:
    """Mixin for a TFDS builder, to stand before its base class.

    `tfds build` without `--config` builds everything in `BUILDER_CONFIGS`,
    which is more than most people want: that list holds the default alone,
    and `builder_configs` all of them by name.
    """

    builder_configs: dict[str, tfds.core.BuilderConfig]

    def __init__(self, **options: Any):
        build_command.take_over()
        super().__init__(**options)

    @classmethod
    def get_builder_config(
        cls, name: str, version: object = None
    ) -> tfds.core.BuilderConfig:
        """Finds a configuration; all of them share the builder's version.

        Raises:
            ValueError: there is none of that name.
        """
        if name not in cls.builder_configs:
            raise ValueError(
                f"`--config` must be one of {', '.join(cls.builder_configs)}. "
                f"Received: {name!r}."
            )
        return cls.builder_configs[name]

    def dataset_info_from_configs(self, **options: Any) -> _Info:
        """As TFDS's method; the text files of the data set prevail."""
        metadata = self.get_metadata()
        texts = {
            "description": metadata.description,
            "citation": metadata.citation,
        }
        return _Info(builder=self, **options, **texts)

    def download_and_prepare(
        self,
        *,
        download_config: tfds.download.DownloadConfig | None = None,
        **options: Any,
    ) -> None:
        """As TFDS's method, by one process at a time.

        Raises:
            locks.InUseError: another process builds the same.
        """
        mode = download_config and download_config.download_mode
        is_kept = self.is_prepared() and not (mode and mode.overwrite_dataset)
        alone = contextlib.nullcontext() if is_kept else self._alone()
        with alone:
            super().download_and_prepare(
                download_config=download_config, **options
            )

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keeps others out, and says of what ends it what is left."""
        folder, version = self.data_path.parent, self.data_path.name
        with locks.hold_folder(Path(folder), f".{version}.lock") as is_held:
            if is_held:
                _remove_leftovers(Path(folder), version)
            try:
                yield
            except BaseException as error:
                error.add_note(
                    f"{self.info.full_name} is not built, and nothing of it "
                    "is kept. Type the same command to build it from the start"
                )
                raise

    def _log_download_bytes(self) -> None:
        """Says nothing of sizes: nobody knows them before."""


def _remove_leftovers(folder: Path, version: str) -> None:
    """Deletes what killed builds of a version have left: nobody holds it."""
    prefix = tfds.core.constants.INCOMPLETE_PREFIX
    for path in sorted(folder.glob(f"{prefix}??????_{version}")):
        print(f"Deleting what a killed build has left: {path}", flush=True)
        shutil.rmtree(path)


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
