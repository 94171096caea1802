"""Which compressed variants there are, and how they are trained.

No TensorFlow here, since the command checks its flags with this before it
loads anything.
"""

import dataclasses
from collections.abc import Iterable

from trainer.settings.field import setting

# Each variant is a list of steps, in the order they are done in. Quantisation
# comes last and keeps the zeros and the shared values of what came before.
VARIANTS = {
    "qat": ("qat",),
    "prune": ("prune",),
    "cluster": ("cluster",),
    "prune+cluster": ("prune", "cluster"),
    "prune+qat": ("prune", "qat"),
    "cluster+qat": ("cluster", "qat"),
    "prune+cluster+qat": ("prune", "cluster", "qat"),
}


@dataclasses.dataclass(frozen=True)
class CompressionOptions:
    """Which variants to make, and how."""

    variants: tuple[str, ...] = setting(
        (),
        "Also write compressed variants, trained a little more, of "
        f"{', '.join(VARIANTS)}.",
        flag="compress",
    )
    epochs: int = setting(
        2,
        "Epochs of each step of --compress.",
        lower=1,
        flag="compress_epochs",
    )
    learning_rate: float = setting(
        1e-4,
        "Peak learning rate of --compress (Adam, falling to 0).",
        lower=1e-9,
        flag="compress_learning_rate",
    )
    sparsity: float = setting(
        0.5,
        "--compress=prune: share of each kernel that becomes 0.",
        lower=0.01,
        upper=0.99,
    )
    clusters: int = setting(
        16,
        "--compress=cluster: values that each kernel keeps.",
        lower=2,
        upper=256,
    )


def canonical(name: str) -> str | None:
    """Returns the variant that a name means, whatever the order of its steps.

    Example: `canonical("qat+prune")` is `prune+qat`; None if there is none.
    """
    steps = name.split("+")
    for variant, known in VARIANTS.items():
        if sorted(steps) == sorted(known):
            return variant
    return None


def check_variants(names: Iterable[str]) -> None:
    """Refuses names that mean no variant.

    Raises:
      ValueError: says which, and what there is.
    """
    unknown = [name for name in names if canonical(name) is None]
    if unknown:
        raise ValueError(
            f"`compress` must be of {', '.join(VARIANTS)}; received "
            f"{', '.join(unknown)}"
        )
