"""One split of prepared data, with its images in memory or on disk."""

import dataclasses
import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from trainer.data.stored import Stored


@dataclasses.dataclass(frozen=True)
class Split:
    """One split, prepared.

    Attributes:
      images: uint8 [n, S, S, C] in [0, 255], in stored order; decoded, or
        `Stored` where they are decoded whenever they are read.
      labels: int32 [n], native label ids.
      ids: n names of the examples.
      subgroups: n names of the subgroups that the people in the images
        belong to; None where the records have no feature `group`.
      prints: uint64 [n], fingerprints of the images as they are stored; None
        where the images were never stored.
    """

    images: np.ndarray | Stored
    labels: np.ndarray
    ids: list[str]
    subgroups: list[str] | None = None
    prints: np.ndarray | None = None

    def take(self, rows: Any) -> "Split":
        """Some of the examples; `rows` are indices [m], or bool [n]."""
        places = np.arange(len(self.labels))[rows]
        is_stored = isinstance(self.images, Stored)
        return Split(
            self.images.take(places) if is_stored else self.images[places],
            self.labels[places],
            [self.ids[place] for place in places],
            self.subgroups and [self.subgroups[place] for place in places],
            None if self.prints is None else self.prints[places],
        )

    def content_hash(self) -> str:
        """Returns a sha256 over images and labels, in hexadecimal.

        Images on disk are decoded for it, all of them.
        """
        if isinstance(self.images, Stored):
            digest = hashlib.sha256()
            for image in self.images:
                digest.update(image)
        else:
            digest = hashlib.sha256(np.ascontiguousarray(self.images))
        digest.update(np.ascontiguousarray(self.labels))
        return digest.hexdigest()

    def stored_hash(self) -> str | None:
        """Returns a sha256 over fingerprints and labels; decodes nothing.

        None where the images were never stored.
        """
        if self.prints is None:
            return None
        digest = hashlib.sha256(np.ascontiguousarray(self.prints))
        digest.update(np.ascontiguousarray(self.labels))
        return digest.hexdigest()

    def describe(self) -> dict[str, Any]:
        """Returns what a manifest says of it, as quickly as it may be had."""
        name, value = "sha256", None
        if isinstance(self.images, Stored):
            name, value = "stored_sha256", self.stored_hash()
        value = value or self.content_hash()
        return {"examples": len(self.labels), name: value}

    def is_other_than(self, described: Mapping[str, Any]) -> bool:
        """Whether it is not what `describe` said of another one.

        False where that says nothing which could be compared.
        """
        stored, own = described.get("stored_sha256"), self.stored_hash()
        if stored and own:
            return own != stored
        decoded = described.get("sha256")
        return bool(decoded) and self.content_hash() != decoded
