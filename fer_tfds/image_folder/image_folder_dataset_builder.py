"""Your own labelled pictures for TFDS: classes and names are yours.

How raw data is read is the business of `fer_tfds.sources.image_folder`. Build
with `tfds build fer_tfds/image_folder --manual_dir=DIR`.
"""

import collections
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import tensorflow_datasets as tfds

# TFDS imports this file as image_folder.image_folder_dataset_builder, so the
# package must be found by its own name: a relative import has no parent here.
from fer_tfds.builder_parts import CommonParts
from fer_tfds.builder_parts import find_manual_path
from fer_tfds.image_folder import arrange
from fer_tfds.image_folder import checks
from fer_tfds.image_folder import preparation
from fer_tfds.image_folder import remarks
from fer_tfds.sources.archives import file_trees
from fer_tfds.sources.image_folder import splits as splits_lib
from fer_tfds.sources.image_folder.records import Source


@dataclasses.dataclass(eq=False)
class PixelConfig(tfds.core.BuilderConfig):
    """A configuration: side in pixels and channels of the stored squares."""

    size_px: int = 48
    channels: int = 1


GREY_48 = PixelConfig(
    name="grey_48",
    description="Grey squares of 48x48 pixels, as FER-2013 has.",
)
_CONFIGS = (
    GREY_48,
    PixelConfig(
        name="grey_96",
        description="Grey squares of 96x96 pixels.",
        size_px=96,
    ),
    PixelConfig(
        name="rgb_224",
        description="Coloured squares of 224x224 pixels.",
        size_px=224,
        channels=3,
    ),
)


class Builder(CommonParts, tfds.core.GeneratorBasedBuilder):
    """Labelled pictures that the user has put into `manual_dir`."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}  # noqa: RUF012, TFDS's form

    BUILDER_CONFIGS = [GREY_48]  # noqa: RUF012, TFDS's form
    builder_configs = {  # noqa: RUF012, TFDS's form
        config.name: config for config in _CONFIGS
    }

    MANUAL_DOWNLOAD_INSTRUCTIONS = """
    Put your pictures into a folder DIR, one folder for each class, and run
      tfds build fer_tfds/image_folder --manual_dir=DIR
    Put --config=grey_96 or --config=rgb_224 behind it for larger pictures.
    DIR, or a zip file that --manual_dir names, holds one of
      <class>/<picture>;
      train/, validation/ or test/ with a folder for each class;
      labels.csv (path,label and, if you have them, split and group);
      RAF-DB or CK+48 as they are handed out.
    Each picture should be one face that is cut out: `python -m edge
    --crops=CROPS DIR` cuts them out of photographs. A file image_folder.json in
    DIR may say more, for example
    {"class_names": {"hapy": "happy"}, "group_pattern": "^(S\\\\d+)_"}: what
    folders mean, and which part of a file's name tells the person.
    """

    def _info(self) -> tfds.core.DatasetInfo:
        config = self.builder_config
        shape = (config.size_px, config.size_px, config.channels)
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(
                        shape=shape, encoding_format="png"
                    ),
                    # Its names are known once the pictures are listed.
                    "label": tfds.features.ClassLabel(),
                    "id": tfds.features.Text(),
                    "split_group": tfds.features.Text(),
                }
            ),
            supervised_keys=("image", "label"),
        )

    def _split_generators(
        self, dl_manager: tfds.download.DownloadManager
    ) -> dict[str, Iterator]:
        found = self._read(find_manual_path(dl_manager))
        self.info.features["label"].names = arrange.in_order(found.classes)
        positions = collections.defaultdict(list)
        for position, split in enumerate(found.splits):
            positions[split].append(position)
        return {
            split: self._generate_examples(found, positions[split])
            for split in splits_lib.SPLITS
            if split in positions
        }

    def _read(self, manual_dir: Path) -> arrange.Arranged:
        source, settings = arrange.find_source(manual_dir)
        print(f"Reading {source.path} ({source.form}) ...", flush=True)
        checks.check_classes(source, settings)
        remarks.say(source.note, remarks.on_faces(source))
        prepared = self._prepare(source)
        rejects = [
            *prepared.rejects,
            *(preparation.Reject(n, "it has no label") for n in source.stray),
        ]
        checks.keep_rejects(Path(self.data_path), rejects)
        checks.check_rejects(source, prepared, rejects, settings=settings)
        found = arrange.arrange(prepared, settings)
        print(remarks.table(found.classes, found.splits), flush=True)
        remarks.say(
            *remarks.on_splits(found.classes, found.splits),
            *arrange.on_equal_pictures(found),
        )
        return found

    def _prepare(self, source: Source) -> preparation.PreparedPictures:
        with file_trees.open_tree(source.path) as tree:
            return preparation.PreparedPictures(
                tree,
                source.pictures,
                size_px=self.builder_config.size_px,
                channels=self.builder_config.channels,
                scratch=Path(self.data_path),
            )

    def _generate_examples(
        self, found: arrange.Arranged, positions: list[int]
    ) -> Iterator:
        for position in positions:
            name = found.prepared.kept[position].name
            yield (
                name,
                {
                    "image": found.prepared.png(position),
                    "label": found.classes[position],
                    "id": name,
                    "split_group": found.groups[position],
                },
            )
