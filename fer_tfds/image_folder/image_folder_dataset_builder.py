"""Your own labelled pictures for TFDS: classes and names are yours.

How raw data is read is the business of `fer_tfds.sources.image_folder`. Build
with `tfds build fer_tfds/image_folder --manual_dir=DIR`.
"""

import collections
import csv
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import tensorflow_datasets as tfds

# TFDS imports this file as image_folder.image_folder_dataset_builder, so the
# package must be found by its own name: a relative import has no parent here.
from fer_tfds import labels
from fer_tfds.builder_parts import CommonParts
from fer_tfds.builder_parts import find_manual_path
from fer_tfds.image_folder import preparation
from fer_tfds.image_folder import remarks
from fer_tfds.sources.archives import file_trees
from fer_tfds.sources.image_folder import find
from fer_tfds.sources.image_folder import near_equal
from fer_tfds.sources.image_folder import settings as folder_settings
from fer_tfds.sources.image_folder import splits as splits_lib
from fer_tfds.sources.image_folder.records import Source
from fer_tfds.sources.image_folder.settings import FolderSettings
from fer_tfds.sources.records import SourceError

# Beside the records: which pictures were left out, and why.
REJECTS_FILE = "rejects.csv"
_SHOWN = 5


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
        _check_classes(source, settings)
        _say(source.note, remarks.on_faces(source))
        prepared = self._prepare(source)
        rejects = [
            *prepared.rejects,
            *(preparation.Reject(n, "it has no label") for n in source.stray),
        ]
        _keep_rejects(Path(self.data_path), rejects)
        _check_rejects(source, prepared, rejects, settings=settings)
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


def _check_classes(source: Source, settings: FolderSettings) -> None:
    """Refuses what cannot be learned, and says what looks wrong."""
    written = dict.fromkeys(picture.label for picture in source.pictures)
    unsaid = sorted(
        label
        for label in written
        if label.isdecimal() and label not in settings.class_names
    )
    example = {label: "neutral" for label in unsaid[:1]}
    if unsaid:
        raise SourceError(
            f"{source.path}: the classes are called {', '.join(unsaid[:20])}, "
            "and data sets differ in what numbers mean. Say it in a file "
            f"{folder_settings.FILE_NAME} beside the pictures, for example "
            f'{{"class_names": {str(example).replace(chr(39), chr(34))}}}'
        )
    strange = [n for n in written if not folder_settings.is_class_name(n)]
    if strange:
        raise SourceError(
            f"{source.path}: a class is called {strange[0][:80]!r}. Give it a "
            f"name of 1 to {folder_settings.MAX_CLASS_CHARS} letters, without "
            "commas."
        )
    counts = collections.Counter(
        settings.class_of(picture.label) for picture in source.pictures
    )
    if len(counts) < 2:
        raise SourceError(
            f"{source.path}: all {counts.total():,} pictures are of one class, "
            f"`{next(iter(counts))}`. At least two classes are needed, each "
            "in a folder of its own below this one."
        )
    renamed = [
        f"{n} is {c}" for n in written if (c := settings.class_of(n)) != n
    ]
    if renamed:
        print(f"Classes: {', '.join(renamed)}.", flush=True)
    _say(*remarks.on_classes(counts))


def _keep_rejects(folder: Path, rejects: list[preparation.Reject]) -> None:
    if not rejects:
        return
    with (folder / REJECTS_FILE).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(preparation.Reject._fields)
        writer.writerows(rejects)


def _check_rejects(
    source: Source,
    prepared: preparation.PreparedPictures,
    rejects: list[preparation.Reject],
    *,
    settings: FolderSettings,
) -> None:
    """Says which pictures are left out; refuses too many of them."""
    if not rejects:
        return
    total = len(prepared.kept) + len(rejects)
    shown = "\n".join(f"  {r.name}: {r.reason}" for r in rejects[:_SHOWN])
    text = f"{len(rejects):,} of {total:,} pictures are left out:\n{shown}"
    if len(rejects) > settings.max_rejected_fraction * total:
        raise SourceError(
            f"{source.path}: {text}\nAt most "
            f"{settings.max_rejected_fraction:.0%} may be. Mend or remove "
            f"them, or raise max_rejected_fraction in "
            f"{folder_settings.FILE_NAME}."
        )
    _say(f"{text}\nAll of them are in {REJECTS_FILE} beside the records.")


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
    _say(
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


def _say(*texts: str) -> None:
    for text in filter(None, texts):
        print(f"Note: {text}", flush=True)
