"""How wide a face is to be cut out around the box of the detector.

  python -m benchmarks.edge_margin --model=M.tflite --data_dir=DIR

Puts faces of a validation split, enlarged, into a larger picture, finds them
there with the detector of `python -m edge`, and classifies what is cut out
with each margin. The same faces as they stand in the data are the yardstick.
Never looks at a test split: the margin is a choice.
"""

import argparse
import itertools
from collections.abc import Iterator

import numpy as np
from PIL import Image

from edge import boxes
from edge.boxes import Box
from edge.boxes import CropRule
from edge.classifier import Classifier
from edge.faces import Detector
from edge.faces import load_detector
from trainer.data import prepared
from trainer.settings import settings

HEADER = "| what is classified | accuracy | same answer as the whole face |"
MARGINS, UPS = (0.0, 0.1, 0.15, 0.2, 0.3), (0.0, 0.1)
FACE_PX, SIZE = 144, (480, 360)
# A box that overlaps the face by less is of something else.
LEAST_OVERLAP = 0.2


def place(face: np.ndarray, rng: np.random.Generator) -> tuple:
    """Puts a face, uint8 [S, S, C], on a background of soft patches.

    Returns:
      uint8 [360, 480, 3] and the box of the face.
    """
    patches = rng.integers(60, 180, (4, 5, 3), np.uint8)
    picture = Image.fromarray(patches).resize(SIZE, Image.Resampling.BICUBIC)
    plane = face[..., 0] if face.shape[-1] == 1 else face
    large = Image.fromarray(plane).resize(
        (FACE_PX, FACE_PX), Image.Resampling.BICUBIC
    )
    left, top = (int(rng.integers(40, side - FACE_PX - 40)) for side in SIZE)
    picture.paste(large.convert("RGB"), (left, top))
    return np.asarray(picture), Box(left, top, FACE_PX, FACE_PX)


def find(
    faces: np.ndarray, detector: Detector
) -> Iterator[tuple[int, np.ndarray, Box]]:
    """Yields index, picture and box of each face that is found."""
    rng = np.random.default_rng(0)
    for index, face in enumerate(faces):
        picture, known = place(face, rng)
        for box in detector.find(picture):
            if boxes.overlap(box, known) >= LEAST_OVERLAP:
                yield index, picture, box
                break


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--data_dir", required=True)
    parser.add_argument("--face_model")
    parser.add_argument("--num_faces", type=int, default=1000)
    options = parser.parse_args()
    classifier = Classifier(options.model)
    data = settings.from_flat({"data_dir": options.data_dir}).data
    split = prepared.load_split(data, "validation")
    faces = split.images[: options.num_faces]
    found = list(find(faces, load_detector(options.face_model)))
    indices = [index for index, _, _ in found]
    truth = split.labels[indices]

    def answer(pictures):
        return classifier.predict(pictures).argmax(axis=1)

    whole = answer(faces[indices])
    print(f"{len(found)} of {len(faces)} faces found\n")
    print("\n".join([HEADER, "|" + " --- |" * (HEADER.count("|") - 1)]))
    print(f"| the face as in the data | {np.mean(whole == truth):.1%} | - |")
    for rule in itertools.starmap(CropRule, itertools.product(MARGINS, UPS)):
        cut = answer([boxes.crop(p, box, rule) for _, p, box in found])
        print(
            f"| margin {rule.margin:g}, up {rule.up:g} | "
            f"{np.mean(cut == truth):.1%} | {np.mean(cut == whole):.1%} |"
        )


if __name__ == "__main__":
    main()
