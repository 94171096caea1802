"""The settings of augmentation; each is defined here alone.

As in `trainer.settings.model_and_data`: no flags, no files, no TensorFlow.
"""

import dataclasses
from typing import Any

from trainer.settings.field import setting

# How many images something befalls -> what, as the strengths that it has.
STRENGTHS = {
    "noise_probability": ("noise",),
    "blur_probability": ("blur",),
    "low_resolution_probability": ("low_resolution",),
    "jpeg_probability": ("jpeg",),
    "light_probability": ("gamma", "dimming", "gradient", "colour_cast"),
    "crop_probability": ("crop_zoom", "crop_shift", "crop_tilt"),
}


def _probability(name: str) -> Any:
    """A setting of STRENGTHS.

    It cannot be 0, which would be a second way to switch it off.
    """
    of = ", ".join(f"--{strength}" for strength in STRENGTHS[name])
    together = " together" if "," in of else ""
    return setting(
        0.5, f"Probability of {of}{together} in an image.", lower=0.001, upper=1
    )


@dataclasses.dataclass(frozen=True)
class AugmentationSettings:
    """Random changes to training images; all off by default."""

    flip: bool = setting(False, "Mirror half of the images left to right.")
    rotation: float = setting(
        0.0, "Largest rotation, in degrees either way.", lower=0, upper=180
    )
    shift: float = setting(
        0.0, "Largest shift, as a fraction of the side.", lower=0, upper=0.5
    )
    zoom: float = setting(
        0.0, "Largest zoom, as a fraction either way.", lower=0, upper=0.9
    )
    brightness: float = setting(
        0.0,
        "Largest change of brightness; 1 is 255 grey levels.",
        lower=0,
        upper=1,
    )
    contrast: float = setting(
        0.0, "Largest change of contrast, as a fraction.", lower=0, upper=1
    )
    erasing: float = setting(
        0.0, "Probability of erasing a rectangle.", lower=0, upper=1
    )
    noise: float = setting(
        0.0,
        "Largest standard deviation of Gaussian noise, in grey levels.",
        lower=0,
        upper=128,
    )
    noise_probability: float = _probability("noise_probability")
    blur: float = setting(
        0.0,
        "Largest standard deviation of a Gaussian blur, as a fraction of the "
        "side.",
        lower=0,
        upper=0.25,
    )
    blur_probability: float = _probability("blur_probability")
    low_resolution: float = setting(
        0.0,
        "Largest loss of resolution: 0.75 makes images up to four times "
        "smaller, and as large as before.",
        lower=0,
        upper=0.9,
    )
    low_resolution_probability: float = _probability(
        "low_resolution_probability"
    )
    jpeg: int = setting(
        0,
        "Lowest quality of JPEG compression, from 1 to 100; images draw theirs "
        "between it and 100. 0 is off.",
        lower=0,
        upper=100,
    )
    jpeg_probability: float = _probability("jpeg_probability")
    gamma: float = setting(
        0.0,
        "Largest change of gamma: 1 is from half to double.",
        lower=0,
        upper=4,
    )
    dimming: float = setting(
        0.0, "Largest loss of light, as a fraction.", lower=0, upper=0.95
    )
    gradient: float = setting(
        0.0,
        "Light from a side: the largest loss at one edge, and gain at the "
        "opposite one, as a fraction.",
        lower=0,
        upper=1,
    )
    colour_cast: float = setting(
        0.0,
        "Coloured light: the largest change of a channel, as a fraction.",
        lower=0,
        upper=0.9,
    )
    light_probability: float = _probability("light_probability")
    crop_zoom: float = setting(
        0.0,
        "Crops of a face detector: the largest zoom beyond --zoom; 0.5 is "
        "from 1.5 times smaller to 1.5 times larger.",
        lower=0,
        upper=2,
    )
    crop_shift: float = setting(
        0.0,
        "Largest shift of such a crop beyond --shift, as a fraction of the "
        "side.",
        lower=0,
        upper=0.5,
    )
    crop_tilt: float = setting(
        0.0,
        "Largest rotation of such a crop beyond --rotation, in degrees.",
        lower=0,
        upper=180,
    )
    crop_probability: float = _probability("crop_probability")

    @property
    def unspoilt(self) -> "AugmentationSettings":
        """These without what a poor camera does; crops stay loose."""
        spoilt = {
            name
            for probability, strengths in STRENGTHS.items()
            if probability != "crop_probability"
            for name in (probability, *strengths)
        }
        defaults = {
            field.name: field.default
            for field in dataclasses.fields(self)
            if field.name in spoilt
        }
        return dataclasses.replace(self, **defaults)

    @property
    def is_off(self) -> bool:
        """Whether no image is changed, whatever the probabilities are."""
        return all(
            getattr(self, field.name) == field.default
            for field in dataclasses.fields(self)
            if field.name not in STRENGTHS
        )
