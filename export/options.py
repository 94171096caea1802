"""What to export, where to, and how it is judged; checked before any work.

The command's flags are derived from this. Reads no flags, imports no
TensorFlow, loads no model and writes nothing but a probe file that it takes
away again.
"""

import dataclasses
import pathlib
import tempfile
from collections.abc import Sequence

from export import choices
from export.bounds import Bounds
from export.compression.options import CompressionOptions
from trainer import run_folder
from trainer.settings.field import check_settings
from trainer.settings.field import setting


class ExportError(ValueError):
    """The export cannot be made, or an artefact did not pass the gate."""


@dataclasses.dataclass(frozen=True)
class ExportOptions:
    """What to export, where to, and how it is judged.

    Attributes:
      workdir: a finished run.
      bounds: what an artefact may differ by.
      compression: which compressed variants to make, and how.
    """

    workdir: pathlib.Path
    out: pathlib.Path | None = setting(
        None, "Folder to write; default: WORKDIR/export."
    )
    tflite: bool = setting(
        False, "Also write .tflite files, those of --recipes."
    )
    recipes: tuple[str, ...] = setting(
        ("float32", "int8"),
        f"Which .tflite files, of {', '.join(choices.RECIPES)}; what each "
        "costs and is for is in docs/devices.md.",
    )
    io: str = setting(
        "uint8",
        "What integer files take and give: raw pixels, the same less 128, or "
        "floating point. int16x8 files have int16 ends for the first two.",
        choices=choices.IO_TYPES,
    )
    microcontroller: bool = setting(
        False,
        "Also write the int8 file as C, with golden vectors and an example.",
    )
    web: bool = setting(
        False,
        "Also write web/, a page that runs the .tflite files in a browser; "
        "any static host will do.",
    )
    benchmark: bool = setting(
        False,
        "Measure how fast the .tflite files are; without --tflite, those of "
        "the export that is there.",
    )
    calibrate: bool = setting(
        True,
        "Divide the logits by a temperature fitted on validation, so that of "
        "answers at 80% 80 in 100 are right.",
    )
    calibration_images: int = setting(
        400,
        "Training images, balanced over the classes, that int8 ranges are "
        "measured with; fewer when there are fewer.",
        lower=1,
    )
    parity_images: int = setting(
        0,
        "Validation images that the artefacts are compared on; 0 is all.",
        lower=0,
    )
    data_dir: str | None = setting(
        None, "Folder of prepared data; default: that of the run."
    )
    overwrite: bool = setting(False, "Replace an export that is already there.")
    bounds: Bounds = dataclasses.field(default_factory=Bounds)
    compression: CompressionOptions = dataclasses.field(
        default_factory=CompressionOptions
    )

    @property
    def target(self) -> pathlib.Path:
        """The folder that the export ends up in."""
        return self.out or self.workdir / run_folder.EXPORT

    @property
    def has_export(self) -> bool:
        """Whether an export stands there already."""
        return (self.target / choices.METADATA).is_file()


def check(options: ExportOptions) -> None:
    """Refuses what can be refused before anything is loaded or computed.

    Raises:
      ExportError: a value is unknown or out of its bounds, or the target is
        taken or cannot be written.
    """
    try:
        for part in (options, options.bounds, options.compression):
            check_settings(part)
        check_recipes(options.recipes)
    except ValueError as error:
        raise ExportError(str(error)) from error
    _check_together(options)
    _check_target(options)
    _check_writable(options.target.absolute().parent)


def check_recipes(names: Sequence[str]) -> None:
    """Refuses recipes that are none, or none at all.

    Raises:
      ValueError: says what there is.
    """
    unknown = [name for name in names if name not in choices.RECIPES]
    if unknown or not names:
        raise ValueError(
            f"`recipes` must be of {', '.join(choices.RECIPES)}; received "
            f"{', '.join(unknown) or 'none'}"
        )


def _check_together(options: ExportOptions) -> None:
    """Refuses options that contradict each other."""
    for name, is_asked in (
        ("compress", options.compression.variants),
        ("microcontroller", options.microcontroller),
        ("web", options.web),
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
    if options.web:
        _check_web(options)


def _check_web(options: ExportOptions) -> None:
    """LiteRT.js has neither int8 nor int16 for input and output."""
    integer = {"int8", "int16x8"} & set(options.recipes)
    if "int16x8" in integer and options.io != "float32":
        raise ExportError(
            "`web` cannot run int16x8 files with int16 input and output: leave "
            "int16x8 out of --recipes, or give --io=float32"
        )
    if integer and options.io == "int8":
        raise ExportError(
            "`web` cannot run files with int8 input and output: give --io=uint8"
        )


def _check_target(options: ExportOptions) -> None:
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


def _check_writable(folder: pathlib.Path) -> None:
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
