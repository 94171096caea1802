"""What to export, where to, and how it is judged; checked before any work.

Reads no flags, loads no model and writes nothing but a probe file that it
takes away again.
"""

import dataclasses
import pathlib
import tempfile

from export import agreement
from export import artifacts
from export import choices
from export import representative_data
from export.compression.options import CompressionOptions


class ExportError(ValueError):
    """The export cannot be made, or an artefact did not pass the gate."""


@dataclasses.dataclass(frozen=True)
class ExportOptions:
    """What to export, where to, and how it is judged.

    Attributes:
      workdir: a finished run.
      out: target folder; None is `workdir/export`.
      tflite: also write the `.tflite` files.
      recipes: which of them, of `choices.RECIPES`.
      io: what the ends of an integer file are.
      calibration_images: length of the calibration list.
      parity_images: validation images to compare on; 0 is all.
      bounds: what an artefact may differ by.
      compression: which compressed variants to make, and how.
      microcontroller: also write the int8 file as C.
      benchmark: also measure how fast the files are.
      data_dir: folder of prepared data; None is the run's own.
      overwrite: replace an export that is already there.
    """

    workdir: pathlib.Path
    out: pathlib.Path | None = None
    tflite: bool = False
    recipes: tuple[str, ...] = choices.DEFAULT_RECIPES
    io: str = choices.DEFAULT_IO
    calibration_images: int = representative_data.DEFAULT_IMAGES
    parity_images: int = 0
    bounds: agreement.Bounds = dataclasses.field(
        default_factory=agreement.Bounds
    )
    compression: CompressionOptions = dataclasses.field(
        default_factory=CompressionOptions
    )
    microcontroller: bool = False
    benchmark: bool = False
    data_dir: str | None = None
    overwrite: bool = False

    @property
    def target(self) -> pathlib.Path:
        """The folder that the export ends up in."""
        return self.out or self.workdir / "export"

    @property
    def has_export(self) -> bool:
        """Whether an export stands there already."""
        return (self.target / artifacts.METADATA).is_file()


def check(options: ExportOptions) -> None:
    """Refuses what can be refused before anything is loaded or computed.

    Raises:
      ExportError: a value is unknown, or the target is taken or cannot be
        written.
    """
    if options.parity_images < 0:
        raise ExportError(
            "`parity_images` must be 0 (all) or more; received "
            f"{options.parity_images}"
        )
    _check_names("recipes", options.recipes, choices.RECIPES)
    _check_names("io", [options.io], choices.IO_TYPES)
    for name, is_asked in (
        ("compress", options.compression.variants),
        ("microcontroller", options.microcontroller),
    ):
        if is_asked and not options.tflite:
            raise ExportError(f"`{name}` needs .tflite files: give --tflite")
    if options.microcontroller and (
        "int8" not in options.recipes or options.io == "float32"
    ):
        raise ExportError(
            "`microcontroller` needs integers throughout: give --recipes=int8 "
            "and --io=uint8 or int8"
        )
    _check_target(options)
    _check_writable(options.target.absolute().parent)


def _check_names(what, received, allowed):
    unknown = [name for name in received if name not in allowed]
    if unknown or not received:
        raise ExportError(
            f"`{what}` must be of {', '.join(allowed)}; received "
            f"{', '.join(unknown) or 'none'}"
        )


def _check_target(options):
    target = options.target
    if not target.exists():
        return
    if not options.overwrite:
        raise ExportError(
            f"{target} exists; give --overwrite to replace it, or another --out"
        )
    if not options.has_export and (target.is_file() or any(target.iterdir())):
        raise ExportError(
            f"{target} is not an export, so --overwrite leaves it alone; "
            "give another --out"
        )


def _check_writable(folder):
    """Tries to write where the hidden folder will be, or in its parent."""
    while not folder.exists():
        folder = folder.parent
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"probe")
            file.flush()
    except OSError as error:
        raise ExportError(
            f"cannot write into {folder} ({error.strerror}); give --out "
            "elsewhere"
        ) from error
