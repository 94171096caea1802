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
from fer_tfds import labels
from fer_tfds.builder_parts import CommonParts
from fer_tfds.builder_parts import find_manual_path
from fer_tfds.image_folder import checks
from fer_tfds.image_folder import preparation
from fer_tfds.image_folder import remarks
from fer_tfds.sources.archives import file_trees
from fer_tfds.sources.image_folder import find
from fer_tfds.sources.image_folder import near_equal
from fer_tfds.sources.image_folder import settings as folder_settings
from fer_tfds.sources.image_folder import splits as splits_lib
from fer_tfds.sources.image_folder.records import Source
from fer_tfds.sources.image_folder.settings import FolderSettings


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


@dataclasses.dataclass(frozen=True)
class _Pictures:
    """Pictures that could be read; each list has one entry for each of them."""

    prepared: preparation.PreparedPictures
    classes: list[str]
    groups: list[str]
    splits: list[str]


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
        self.info.features["label"].names = _in_order(found.classes)
        positions = collections.defaultdict(list)
        for position, split in enumerate(found.splits):
            positions[split].append(position)
        return {
            split: self._generate_examples(found, positions[split])
            for split in splits_lib.SPLITS
            if split in positions
        }

    def _read(self, manual_dir: Path) -> _Pictures:
        settings = folder_settings.load(manual_dir)
        source = find.find_source(manual_dir)
        print(f"Reading {source.path} ({source.form}) ...", flush=True)
        source, settings = _with_meaning(source, settings)
        checks.check_classes(source, settings)
        remarks.say(source.note, remarks.on_faces(source))
        prepared = self._prepare(source)
        rejects = [
            *prepared.rejects,
            *(preparation.Reject(n, "it has no label") for n in source.stray),
        ]
        checks.keep_rejects(Path(self.data_path), rejects)
        checks.check_rejects(source, prepared, rejects, settings=settings)
        return _arrange(prepared, settings)

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
        self, found: _Pictures, positions: list[int]
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


def _with_meaning(
    source: Source, settings: FolderSettings
) -> tuple[Source, FolderSettings]:
    """The settings, filled up with what the form of the copy tells."""
    return source, dataclasses.replace(
        settings,
        class_names={**source.class_names, **settings.class_names},
        group_pattern=settings.group_pattern or source.group_pattern,
    )


def _arrange(
    prepared: preparation.PreparedPictures, settings: FolderSettings
) -> _Pictures:
    """Gives every picture its class, group and split, and shows the counts."""
    kept = prepared.kept
    classes = [settings.class_of(picture.label) for picture in kept]
    groups = [
        p.group or settings.group_of(p.name.rsplit("/", 1)[-1]) for p in kept
    ]
    # A group may be called like a picture.
    keys = [
        f"group {group}" if group else f"picture {p.name}"
        for group, p in zip(groups, kept, strict=True)
    ]
    pairs = list(near_equal.find_pairs(prepared.signatures))
    splits = [picture.split for picture in kept]
    if not all(splits):
        splits = splits_lib.assign(keys, classes, pairs)
    elif "validation" not in splits:
        goes_over = splits_lib.cut_validation(keys, pairs)
        splits = [
            "validation" if goes and split == "train" else split
            for goes, split in zip(goes_over, splits, strict=True)
        ]
    print(remarks.table(classes, splits), flush=True)
    names = [picture.name for picture in kept]
    remarks.say(
        *remarks.on_equal_pictures(pairs, names, classes=classes, splits=splits)
    )
    return _Pictures(prepared, classes, groups, splits)


def _in_order(classes: list[str]) -> list[str]:
    """Expressions in the order of their ids, then the others by name."""
    known = labels.CANONICAL_NAMES
    return sorted(
        set(classes),
        key=lambda n: (known.index(n) if n in known else len(known), n),
    )
