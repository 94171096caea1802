"""AffectNet for TFDS: coloured faces with expression, valence and arousal.

Finds the raw data and starts a Beam pipeline; how raw data is read is the
business of `fer_tfds.sources`, how shards are written that of
`pipeline`. The stored label is the official id. Build with
`tfds build fer_tfds/affectnet --manual_dir=DIR`.
"""

import dataclasses
import os
from pathlib import Path

import tensorflow_datasets as tfds
from tensorflow_datasets.core import dataset_builder

# TFDS imports this file as affectnet.affectnet_dataset_builder, so the package
# must be found by its own name: a relative import has no parent here.
from fer_tfds.affectnet import pipeline
from fer_tfds.affectnet import rejects
from fer_tfds.affectnet import shards
from fer_tfds.builder_parts import CommonParts
from fer_tfds.builder_parts import find_manual_path
from fer_tfds.sources.affectnet import find
from fer_tfds.sources.affectnet import settings as affectnet_settings
from fer_tfds.sources.records import SPLITS
from fer_tfds.sources.records import SourceError

# Beside the records while they are written.
_SCRATCH_FOLDER = "building"


@dataclasses.dataclass(eq=False)
class SizeConfig(tfds.core.BuilderConfig):
    """A configuration: the side of the stored squares, in pixels."""

    size_px: int = 96


def _make_config(size_px: int) -> SizeConfig:
    return SizeConfig(
        name=f"size_{size_px}",
        description=f"Faces as squares of {size_px}x{size_px} pixels.",
        size_px=size_px,
    )


# 96 is the size of Kaggle's copies, 48 that of FER-2013, 224 of AffectNet-8.
_DEFAULT_CONFIG = _make_config(96)
_CONFIGS = (_DEFAULT_CONFIG, _make_config(48), _make_config(224))


class Builder(CommonParts, dataset_builder.FileReaderBuilder):
    """AffectNet, from raw data that the user has put into `manual_dir`.

    Every row with a good picture becomes an example, also those labelled none
    (8) and uncertain (9); rows labelled no-face (10) are left out. `valence`
    and `arousal` are NaN where a copy has none, and in the full release where
    they are -2, its mark for rows that nobody has annotated so. Examples stand
    in the order of a hash of their ids: shuffled, and the same each time.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}  # noqa: RUF012, TFDS's form

    BUILDER_CONFIGS = [_DEFAULT_CONFIG]  # noqa: RUF012, TFDS's form
    builder_configs = {  # noqa: RUF012, TFDS's form
        config.name: config for config in _CONFIGS
    }

    MANUAL_DOWNLOAD_INSTRUCTIONS = """
    AffectNet is handed out by its owners to researchers who sign an agreement:
    see http://mohammadmahoor.com/affectnet/. Put what you were given into a
    folder DIR, unpacked, and run
      tfds build fer_tfds/affectnet --manual_dir=DIR
    Put --config=size_48 or --config=size_224 behind it for another size, and
    --beam_pipeline_options=direct_running_mode=multi_processing,direct_num_workers=N
    to use N processor cores. DIR holds one of
      training.csv, validation.csv and Manually_Annotated_Images/ (the release);
      train_set/ and val_set/, with images/ and annotations/ (AffectNet-8);
      labels.csv and a folder of pictures for each class, or a zip of them;
      train/, val/ or test/ with a folder for each class, or a zip of them.
    A file affectnet.json in DIR may say more about the copy, for example
    {"max_rejected_fraction": 0.1, "class_names": {"0": "neutral"}}: how much of
    it may be damaged, and what numbered class folders mean.
    """

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            features=shards.make_features(self.builder_config.size_px),
            supervised_keys=("image", "label"),
            homepage="http://mohammadmahoor.com/affectnet/",
        )

    def _download_and_prepare(
        self,
        dl_manager: tfds.download.DownloadManager,
        download_config: tfds.download.DownloadConfig,
    ) -> None:
        if download_config.max_examples_per_split == 0:
            return  # as all of TFDS's builders do
        infos = self._build(
            local_path(os.fspath(find_manual_path(dl_manager))),
            download_config,
        )
        self.info.set_splits(tfds.core.SplitDict(infos))

    def _build(
        self, manual_dir: Path, download_config: tfds.download.DownloadConfig
    ) -> list[tfds.core.SplitInfo]:
        settings = affectnet_settings.load(manual_dir)
        source = find.find_source(manual_dir, settings)
        print(f"Reading {source.path} ({source.form}) ...", flush=True)
        if source.note:
            print(source.note, flush=True)
        folder = local_path(os.fspath(self.data_path))
        return pipeline.build(
            shards.ShardJob(
                source=source,
                size_px=self.builder_config.size_px,
                folder=folder / _SCRATCH_FOLDER,
                templates={
                    split: self._get_filename_template(split).replace(
                        data_dir=tfds.core.Path(folder)
                    )
                    for split in SPLITS
                },
                file_format=self.info.file_format,
            ),
            settings,
            pipeline.BeamSettings(
                runner=download_config.beam_runner,
                options=download_config.beam_options,
                num_shards=download_config.num_shards,
                max_examples=download_config.max_examples_per_split,
            ),
            rejects_path=folder / rejects.REJECTS_FILE,
        )


def local_path(path: str) -> Path:
    """An absolute path, which workers in other folders understand as well.

    Raises:
        SourceError: it is a place in a cloud, such as gs://bucket.
    """
    if "://" in path:
        raise SourceError(
            f"{path}: --data_dir and --manual_dir must be folders that all "
            "workers have mounted under one path. Build there, and copy the "
            "records afterwards."
        )
    return Path(path).absolute()
