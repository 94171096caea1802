"""Streams from archives in which all that can go wrong is a `SourceError`.

They count what they unpack and believe no header. What the bytes mean is not
decided here.
"""

import io
from pathlib import Path
from typing import IO

from fer_tfds.sources.records import SourceError

# What all members of an archive may unpack to. The challenge's archive, the
# largest form of FER-2013, unpacks to 301 MB.
MAX_UNPACKED_BYTES = 4 << 30

BUFFER_BYTES = 1 << 16


class Budget:
    """How many bytes may still be unpacked, over all members together."""

    def __init__(self, path: Path, max_bytes: int):
        self._path = path
        self._max_bytes = max_bytes
        self._left = max_bytes

    def spend(self, num_bytes: int) -> None:
        """Counts bytes that were unpacked.

        Raises:
            SourceError: they are more than were left.
        """
        self._left -= num_bytes
        if self._left < 0:
            raise SourceError(
                f"{self._path}: it unpacks to more than {self._max_bytes:,} "
                "bytes, which no copy of the data does. Get it again from "
                "where it comes from."
            )


def guard(
    stream: IO[bytes], source: str, budget: Budget | None = None
) -> io.BufferedReader:
    """Wraps a stream, so that all that can go wrong is a `SourceError`.

    Args:
        stream: any bytes, unpacked while they are read.
        source: how errors call it, usually a path.
        budget: counts the bytes; None for what is not packed.

    Returns:
        The same bytes, buffered.
    """
    return io.BufferedReader(_Guarded(stream, source, budget), BUFFER_BYTES)


def damaged(source: str, error: object) -> SourceError:
    """The error for an archive or file whose bytes are not what they were."""
    return SourceError(
        f"{source}: it is cut short or damaged ({error}). Copy or "
        "download it again, then build again."
    )


class _Guarded(io.RawIOBase):
    def __init__(
        self, stream: IO[bytes], source: str, budget: Budget | None
    ) -> None:
        self._stream = stream
        self._source = source
        self._budget = budget

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        try:
            data = self._stream.read(len(buffer))
        except SourceError:
            raise
        # The readers of the standard library raise a dozen kinds of errors
        # for what is cut or overwritten, and promise none of them.
        except Exception as error:
            raise damaged(self._source, error) from error
        if self._budget is not None:
            self._budget.spend(len(data))
        buffer[: len(data)] = data
        return len(data)
