"""The folder in which one expression network after the other is timed.

The rivals come from npm, in pinned versions, into `runs/benchmark/browser`.
"""

import json
import pathlib
import shutil
import subprocess

import numpy as np

from benchmarks import harness
from export.web import layout

PAGE = pathlib.Path(__file__).with_name("browser_page")
RIVALS = harness.SCRATCH / "browser"
HUMAN = "@vladmandic/human"
FACE_API = "@vladmandic/face-api"
_TFJS = "@tensorflow/tfjs-backend-wasm"
VERSIONS = {HUMAN: "3.3.6", FACE_API: "1.7.15", _TFJS: "4.22.0"}
# Both rivals bring TensorFlow.js without the files of its WebAssembly.
_FILES = {
    "human": (
        f"{HUMAN}/dist/human.esm.js",
        f"{HUMAN}/models/emotion.json",
        f"{HUMAN}/models/emotion.bin",
    ),
    "face_api": (
        f"{FACE_API}/dist/face-api.esm.js",
        f"{FACE_API}/model/face_expression_model-weights_manifest.json",
        f"{FACE_API}/model/face_expression_model.bin",
    ),
    "tfjs": (
        f"{_TFJS}/dist/tfjs-backend-wasm.wasm",
        f"{_TFJS}/dist/tfjs-backend-wasm-simd.wasm",
        f"{_TFJS}/dist/tfjs-backend-wasm-threaded-simd.wasm",
    ),
}


def install_rivals(folder: pathlib.Path = RIVALS) -> None:
    """Installs the rivals with npm, unless these versions are there.

    Args:
      folder: where; made if it is not there.

    Raises:
      ValueError: there is no npm, or it failed; holds what it said.
    """
    wanted = {"private": True, "dependencies": VERSIONS}
    text = json.dumps(wanted, indent=1) + "\n"
    manifest = folder / "package.json"
    done = folder / "node_modules" / ".package-lock.json"
    if done.is_file() and manifest.read_text(encoding="utf-8") == text:
        return
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder / "node_modules", ignore_errors=True)
    manifest.write_text(text, encoding="utf-8")
    _run_npm(folder)


def _run_npm(folder: pathlib.Path) -> None:
    command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"]
    # Else it installs all of TensorFlow.js, which both rivals have in them.
    command += ["--legacy-peer-deps", f"--prefix={folder}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError as error:
        raise ValueError(f"cannot run npm: {error.strerror}") from None
    if done.returncode:
        raise ValueError(f"npm failed:\n{done.stderr[-2000:]}")


def write(
    folder: pathlib.Path, images: np.ndarray, *, rivals: pathlib.Path | None
) -> None:
    """Writes the page, the networks and the pictures.

    Args:
      folder: is there, and empty.
      images: uint8 [n, 48, 48, 1], n at least 1.
      rivals: where they are installed; None leaves them out.

    Raises:
      export.options.ExportError: a part of our page is missing.
    """
    layout.write(folder / "ours", layout.shipped_models())
    for path in PAGE.iterdir():
        shutil.copyfile(path, folder / path.name)
    (folder / "first.bin").write_bytes(images[:1].tobytes())
    (folder / "pictures.bin").write_bytes(images.tobytes())
    if rivals is None:
        return
    for name, paths in _FILES.items():
        (folder / name).mkdir()
        for path in paths:
            source = rivals / "node_modules" / path
            shutil.copyfile(source, folder / name / source.name)
