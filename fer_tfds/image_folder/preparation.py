"""Every picture decoded once: its pixels as PNG, and what it looks like.

The PNG files lie one after the other in a nameless file until they are written
as records, so that memory does not grow with the number of pictures.
"""

import concurrent.futures
import io
import os
import tempfile
from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from edge import pictures
from fer_tfds.sources.archives.trees import FileTree
from fer_tfds.sources.image_folder import near_equal
from fer_tfds.sources.image_folder.records import Labelled

# A picture of 64 million pixels in 16-bit colour, without compression.
MAX_BYTES = 400 << 20
# Pictures that are decoded before the next ones are read.
_BATCH = 32


class Reject(NamedTuple):
    """A picture that is left out, and why."""

    name: str
    reason: str


class _Decoded(NamedTuple):
    png: bytes
    signature: np.ndarray


class PreparedPictures:
    """The pictures of a source, in the size and colours of a configuration.

    Attributes:
        kept: those that could be read, in their order.
        rejects: the others.
        signatures: float32 [k, 256], what the kept ones look like.
    """

    def __init__(
        self,
        tree: FileTree,
        labelled: Sequence[Labelled],
        *,
        size_px: int,
        channels: int,
        scratch: Path,
    ):
        """Decodes them all.

        Args:
            tree: holds the pictures.
            labelled: the pictures to read.
            size_px: side of the stored square.
            channels: 1 for grey, 3 for RGB.
            scratch: folder that has room for the stored pictures.

        Raises:
            SourceError: the archive is damaged.
        """
        self.kept: list[Labelled] = []
        self.rejects: list[Reject] = []
        self._size_px, self._channels = size_px, channels
        self._ends = [0]
        # It lives as long as the build.
        self._file = tempfile.TemporaryFile(dir=scratch)  # noqa: SIM115
        signatures = []
        for picture, decoded in self._decode_all(tree, labelled):
            if isinstance(decoded, pictures.PictureError):
                self.rejects.append(Reject(picture.name, str(decoded)))
                continue
            self.kept.append(picture)
            signatures.append(decoded.signature)
            self._ends.append(self._ends[-1] + self._file.write(decoded.png))
        width = near_equal.SIDE_PX**2
        self.signatures = np.array(signatures, np.float32).reshape(-1, width)

    def png(self, position: int) -> bytes:
        """The stored file of a kept picture."""
        start, end = self._ends[position : position + 2]
        self._file.seek(start)
        return self._file.read(end - start)

    def _decode_all(
        self, tree: FileTree, labelled: Sequence[Labelled]
    ) -> Iterator[tuple[Labelled, _Decoded | pictures.PictureError]]:
        # Pillow and numpy let other threads run while they decode and scale.
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for first in range(0, len(labelled), _BATCH):
                batch = labelled[first : first + _BATCH]
                read = (tree.read(p.name, MAX_BYTES) for p in batch)
                names = [p.name for p in batch]
                done = pool.map(self._decode, read, names)
                yield from zip(batch, done, strict=True)

    def _decode(
        self, data: bytes, name: str
    ) -> _Decoded | pictures.PictureError:
        try:
            pixels = pictures.decode_picture(data, name).pixels
        except pictures.PictureError as error:
            return error
        side = near_equal.SIDE_PX
        thumbnail = pictures.prepare_picture(pixels, side, 1)
        face = pictures.prepare_picture(pixels, self._size_px, self._channels)
        return _Decoded(_to_png(face), near_equal.signature(thumbnail))


def _to_png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    squeezed = pixels[..., 0] if pixels.shape[-1] == 1 else pixels
    Image.fromarray(squeezed).save(buffer, "PNG")
    return buffer.getvalue()
