"""The label taxonomy: which names each data set uses, and in which order.

The only place where class names are written down: builders, training and
artefacts read them here. It must stay importable everywhere, so it uses
nothing beyond the standard library.
"""

# Index = the official label id of the data set, which is also what is stored.
# FER-2013: the `emotion` column of the challenge's fer2013.csv, ids 0 to 6.
# FER+: the columns of fer2013new.csv; the last two are no expressions.
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
    "ferplus": (
        "neutral",
        "happiness",
        "surprise",
        "sadness",
        "anger",
        "disgust",
        "fear",
        "contempt",
        "unknown",
        "nf",
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

# How many of the native names, from the first on, are expressions. In FER+ and
# AffectNet contempt is the last of them, so that 7 classes are the first 7.
_NUM_EXPRESSIONS = {"fer2013": 7, "ferplus": 8, "affectnet": 8}

# Configurations of a data set whose labels are not those of the data set.
_TAXONOMY_OF_CONFIG = {"fer2013/plus": "ferplus"}

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


def is_known(dataset: str) -> bool:
    """Whether a data set's labels are written down here.

    Args:
        dataset: as in `native_names`.
    """
    return dataset.split("/")[0] in NATIVE_NAMES


def native_names(dataset: str) -> tuple[str, ...]:
    """Every name that a prepared label may have, in the order of label ids.

    Args:
        dataset: a data set such as "fer2013" or "affectnet", with its
            configuration where it has one: "fer2013/plus".

    Returns:
        The native names; the name at index i belongs to label id i.

    Raises:
        ValueError: the data set is not known.
    """
    return NATIVE_NAMES[_taxonomy(dataset)]


def class_names(dataset: str, num_classes: int = 0) -> tuple[str, ...]:
    """The expressions to be told apart, in the order of their label ids.

    Args:
        dataset: as in `native_names`.
        num_classes: how many of them, from the first on; 0 is all of them.

    Returns:
        The native names of the ids 0 to `num_classes - 1`.

    Raises:
        ValueError: the data set is not known, or has not so many expressions.
    """
    taxonomy = _taxonomy(dataset)
    most = _NUM_EXPRESSIONS[taxonomy]
    if num_classes and not 2 <= num_classes <= most:
        raise ValueError(
            f"`num_classes` must be from 2 to {most} for {dataset}, or 0 for "
            f"all {most}. Received: {num_classes}."
        )
    return NATIVE_NAMES[taxonomy][: num_classes or most]


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


def common_name(name: str) -> str:
    """The name by which classes of two data sets are matched.

    Args:
        name: of an expression, or of any other class.

    Returns:
        The canonical name where there is one, and else the name itself.
    """
    try:
        return canonical_name(name)
    except ValueError:
        return name


def _taxonomy(dataset: str) -> str:
    name = _TAXONOMY_OF_CONFIG.get(dataset, dataset.split("/")[0])
    if name not in NATIVE_NAMES:
        raise ValueError(
            f"`dataset` must be one of {', '.join(sorted(NATIVE_NAMES))}. "
            f"Received: {dataset!r}."
        )
    return name
