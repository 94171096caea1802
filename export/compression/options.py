"""Which compressed variants there are, and how they are trained.

No TensorFlow here, since the command checks its flags with this before it
loads anything.
"""

import dataclasses

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
    """Which variants to make, and how.

    Attributes:
      variants: of VARIANTS.
      epochs: of fine-tuning in each step of a variant.
      learning_rate: its peak; it falls to 0 along a cosine.
      sparsity: share of each pruned kernel that becomes 0, in [0, 1).
      clusters: values that each clustered kernel keeps.
    """

    variants: tuple[str, ...] = ()
    epochs: int = 2
    learning_rate: float = 1e-4
    sparsity: float = 0.5
    clusters: int = 16


def canonical(name: str) -> str | None:
    """Returns the variant that a name means, whatever the order of its steps.

    Example: `canonical("qat+prune")` is `prune+qat`; None if there is none.
    """
    steps = name.split("+")
    for variant, known in VARIANTS.items():
        if sorted(steps) == sorted(known):
            return variant
    return None
