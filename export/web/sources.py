"""What the static folder is made of, and what to type where a part is missing.

The page stands in `web/`, LiteRT.js where npm puts it, BlazeFace in the user's
cache, and the models wherever they are.
"""

import pathlib

from edge import detector_files
from edge.detector_files import DetectorFile
from edge.detector_files import FaceModelError
from export.options import ExportError

ROOT = pathlib.Path(__file__).parents[2]
PAGE = ROOT / "web"
LICENCE = ROOT / "LICENSE"
PAGE_FILES = ("*.html", "*.css", "*.js", "*.mjs", "*.svg")
_NPM = PAGE / "node_modules" / "@litertjs"
# For browsers with relaxed SIMD, and for all others; a visitor loads one.
_BUILDS = ("litert_wasm_internal", "litert_wasm_compat_internal")
# Of LiteRT.js: name in the static folder -> file.
VENDOR = {
    "litert.js": _NPM / "core/dist/index.js",
    "wasm-utils.js": _NPM / "wasm-utils/dist/index.js",
    **{
        f"{build}{end}": _NPM / f"core/wasm/{build}{end}"
        for build in _BUILDS
        for end in (".js", ".wasm")
    },
}
NOTICE = """\
The page, its models and the code around them: fer_tfds, Apache License 2.0.

vendor/: LiteRT.js (@litertjs/core and @litertjs/wasm-utils), copyright Google
LLC, Apache License 2.0.

models/face_detection_*.tflite: BlazeFace, by the MediaPipe authors, copyright
2019 Google LLC, Apache License 2.0.

The text of the Apache License 2.0 is in LICENSE.txt beside this file.
"""


def check() -> None:
    """Makes sure that every part is there.

    Raises:
      ExportError: names what is missing and the command that brings it.
    """
    if not (PAGE / "index.html").is_file():
        raise ExportError(
            f"{PAGE} holds no page: --web needs the project's own folder, "
            "installed with pip's --editable"
        )
    if not all(path.is_file() for path in VENDOR.values()):
        raise ExportError(
            "LiteRT.js is not here; type: npm ci --ignore-scripts --prefix "
            f"{PAGE}"
        )
    detector()


def page() -> list[pathlib.Path]:
    """Returns the files of the page itself."""
    found = (path for pattern in PAGE_FILES for path in PAGE.glob(pattern))
    return sorted(found)


def detector() -> dict[DetectorFile, bytes]:
    """Returns BlazeFace's two files.

    Raises:
      ExportError: they are not here, or are damaged.
    """
    try:
        contents = detector_files.find()
    except FaceModelError as error:
        raise ExportError(str(error)) from None
    if contents is None:
        raise ExportError(
            f"the face detector is not here; type: {detector_files.COMMAND}"
        )
    return contents
