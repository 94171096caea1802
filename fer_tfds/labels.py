"""The label taxonomy: which names each data set uses, and in which order.

The only place where class names are written down: builders, training and
artefacts read them here. It must stay importable everywhere, so it uses
nothing beyond the standard library.
"""

# Index = the official label id of the data set, which is also what is stored.
# FER-2013: the `emotion` column of the challenge's fer2013.csv, ids 0 to 6.
# AffectNet: the `expression` column of the full release, ids 0 to 10; the last
# three say that there is no expression to classify.
NATIVE_NAMES: dict[str, tuple[str, ...]] = {
    "fer2013": (
        "angry",
        "disgust",
        "fear",
        "happy",
        "sad",
        "surprise",
        "neutral",
    ),
    "affectnet": (
        "neutral",
        "happiness",
        "sadness",
        "surprise",
        "fear",
        "disgust",
        "anger",
        "contempt",
        "none",
        "uncertain",
        "no-face",
    ),
}

CANONICAL_NAMES: tuple[str, ...] = (*NATIVE_NAMES["fer2013"], "contempt")

# Names of class folders and columns seen in copies of both data sets.
_ALIASES: dict[str, str] = {
    "anger": "angry",
    "disgusted": "disgust",
    "fearful": "fear",
    "happiness": "happy",
    "sadness": "sad",
    "surprised": "surprise",
}


def class_names(dataset: str) -> tuple[str, ...]:
    """The class names of a data set, in the order of its label ids.

    Args:
        dataset: a key of `NATIVE_NAMES`, such as "fer2013".

    Returns:
        The native names; the name at index i belongs to label id i.

    Raises:
        ValueError: the data set is not known.
    """
    if dataset not in NATIVE_NAMES:
        raise ValueError(
            f"`dataset` must be one of {', '.join(sorted(NATIVE_NAMES))}. "
            f"Received: {dataset!r}."
        )
    return NATIVE_NAMES[dataset]


def canonical_name(name: str) -> str:
    """The one name this project uses for an expression.

    Args:
        name: a name from any data set, in any case; blanks around it are
            ignored. For example "disgusted", "Anger" or " happy".

    Returns:
        One of `CANONICAL_NAMES`, for example "disgust", "angry" or "happy".

    Raises:
        ValueError: no expression is known under that name.
    """
    key = name.strip().lower()
    key = _ALIASES.get(key, key)
    if key not in CANONICAL_NAMES:
        known = sorted((*CANONICAL_NAMES, *_ALIASES))
        raise ValueError(
            f"`name` must be one of {', '.join(known)}. Received: {name!r}."
        )
    return key
