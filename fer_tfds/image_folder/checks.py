"""What ends a build of labelled pictures, or is said before it goes on."""

import collections
import csv
import json
import re
from pathlib import Path

from fer_tfds.image_folder import preparation
from fer_tfds.image_folder import remarks
from fer_tfds.sources.image_folder import settings as folder_settings
from fer_tfds.sources.image_folder.records import Source
from fer_tfds.sources.image_folder.settings import FolderSettings
from fer_tfds.sources.records import SourceError

# Beside the records: which pictures were left out, and why.
REJECTS_FILE = "rejects.csv"
_SHOWN = 5
# Also as other programs write whole numbers: 3.0
_NUMBER = re.compile(r"[-+]?\d+(\.0*)?")


def check_classes(source: Source, settings: FolderSettings) -> None:
    """Refuses what cannot be learned, and says what looks wrong.

    Raises:
        SourceError: the classes are one, numbers, or cannot be shown.
    """
    written = dict.fromkeys(picture.label for picture in source.pictures)
    unsaid = sorted(
        label
        for label in written
        if _NUMBER.fullmatch(label) and label not in settings.class_names
    )
    if unsaid:
        example = json.dumps({"class_names": {unsaid[0]: "neutral"}})
        raise SourceError(
            f"{source.path}: the classes are called {', '.join(unsaid[:20])}, "
            "and data sets differ in what numbers mean. Say it in a file "
            f"{folder_settings.FILE_NAME} beside the pictures, for example "
            f"{example}"
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
    remarks.say(
        *remarks.on_classes(counts), *remarks.on_settings(source, settings)
    )


def keep_rejects(folder: Path, rejects: list[preparation.Reject]) -> None:
    """Writes the list of what is left out into a folder, if anything is."""
    if not rejects:
        return
    with (folder / REJECTS_FILE).open(
        "w", newline="", encoding="utf-8"
    ) as file:
        writer = csv.writer(file)
        writer.writerow(preparation.Reject._fields)
        writer.writerows(rejects)


def check_rejects(
    source: Source,
    prepared: preparation.PreparedPictures,
    rejects: list[preparation.Reject],
    *,
    settings: FolderSettings,
) -> None:
    """Says which pictures are left out; refuses too many of them.

    Raises:
        SourceError: more are left out than the settings allow.
    """
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
    remarks.say(
        f"{text}\nAll of them are in {REJECTS_FILE} beside the records."
    )
