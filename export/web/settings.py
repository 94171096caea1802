"""What the page must know of edge: its numbers, taken from where they stand.

The page's modules are twins of edge's. So that no number stands twice, they
read edge's own out of `settings.json`.
"""

from typing import Any

from edge import analyser
from edge import annotate
from edge import detector
from edge import options
from edge import search
from edge import tracks


def edge_numbers() -> dict[str, Any]:
    """Returns edge's tables and constants, as plain JSON values."""
    return {
        "crops": {
            name: rule._asdict() for name, rule in detector.CROPS.items()
        },
        "smallest_face": dict(detector.SMALLEST_FACE),
        "search": _search(),
        "tracks": {
            "grown": tracks.GROWN,
            "same_face": tracks.SAME_FACE,
            "forget_after_s": tracks.FORGET_AFTER_S,
            "search_every": tracks.SEARCH_EVERY,
            "smoothing_s": options.SMOOTHING_S,
        },
        "analyser": {
            "crop_up_to_px": analyser.CROP_UP_TO_PX,
            "least_contrast": analyser.LEAST_CONTRAST,
        },
        "colours": {k: list(v) for k, v in annotate.COLOURS.items()},
    }


def _search() -> dict[str, float]:
    return {
        "least_score": search.LEAST_SCORE,
        "whole_back_score": search.WHOLE_BACK_SCORE,
        "short_from": search.SHORT_FROM,
        "overlap": search.OVERLAP,
        "inside": search.INSIDE,
        "least_px": search.LEAST_PX,
        "window_overlap": search.WINDOW_OVERLAP,
        "near_sides": search.NEAR_SIDES,
        "cut_px": search.CUT_PX,
    }
