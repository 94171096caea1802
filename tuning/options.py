"""What a search is made of, checked before TensorFlow is loaded.

Reads no flags and touches no files.
"""

import dataclasses
import pathlib

from trainer.settings.field import check_settings
from trainer.settings.field import setting
from trainer.settings.settings import Settings
from tuning import space

ALGORITHMS = ("random", "bayesian", "hyperband", "grid")

# Objective -> the column of history.csv, and whether less is better.
OBJECTIVES = {
    "accuracy": ("val_accuracy", False),
    "macro_f1": ("val_macro_f1", False),
    "loss": ("val_loss", True),
}

# What to do about a search whose files are damaged.
BEGIN_AGAIN = "give another --out, or --overwrite to begin again"

# Trials that keep weights and are trained again with other seeds.
KEPT = 3


@dataclasses.dataclass(frozen=True)
class SearchOptions:
    """All choices of a search; checked when made.

    Attributes:
      settings: what every trial starts from; trials change some of it.
      out: folder of the search.
      workdir: where the run of best.flags is to go.

    Raises:
      ValueError: one is out of its bounds, or they contradict each other or
        the settings.
    """

    settings: Settings
    out: pathlib.Path
    workdir: str
    scope: str = setting(
        "head",
        "head: heads on backbone features that are computed once. full: "
        "fine-tuning, each trial a whole run.",
        choices=tuple(space.PARAMETERS),
    )
    algorithm: str = setting(
        "random", "Who chooses trials.", choices=ALGORITHMS
    )
    objective: str = setting(
        "accuracy",
        "Validation figure to search by.",
        choices=tuple(OBJECTIVES),
    )
    max_trials: int = setting(30, "Trials, failed ones included.", lower=1)
    tune: tuple[str, ...] = setting(
        (), "Hyperparameters to search; default: all of the scope."
    )
    feature_passes: int = setting(
        0,
        "head: augmented passes over the training images that features are "
        "computed of; epochs take turns. 0: the images as they are.",
        lower=0,
        upper=20,
    )
    confirm_seeds: int = setting(
        3,
        "Further seeds that the three best, and the recipe as it is, are "
        "trained with; 0 is off.",
        lower=0,
    )
    worker_timeout: float = setting(
        60.0,
        "Several processes: seconds after which a silent worker counts as "
        "lost.",
        lower=5,
    )

    def __post_init__(self) -> None:
        """Refuses what cannot be searched."""
        check_settings(self)
        known = [each.name for each in space.PARAMETERS[self.scope]]
        unknown = [name for name in self.tune if name not in known]
        if unknown:
            raise ValueError(
                f"`tune` names hyperparameters of --scope={self.scope}, which "
                f"are {','.join(known)}; received {','.join(unknown)}"
            )
        if not space.searched(self.scope, self.tune, self.settings):
            raise ValueError(
                f"`tune={','.join(self.tune)}` leaves nothing to search: the "
                "layers they belong to are not there; add head_depth to --tune"
            )
        if self.scope == "head":
            _check_head(self.settings, self.feature_passes)
        else:
            _check_full(self.settings, self.feature_passes)

    @property
    def parameters(self) -> tuple[space.Parameter, ...]:
        """The hyperparameters that this search tries values of."""
        return space.searched(self.scope, self.tune, self.settings)

    @property
    def base(self) -> Settings:
        """The settings that trials start from: no trial sees the test split.

        The objective picks the best epoch too; what a trial of
        a head trains on is what phase 1 of the trainer then trains on.
        """
        settings = self.settings
        training = dataclasses.replace(
            settings.training, selection_metric=self.objective
        )
        if self.scope == "head":
            training = dataclasses.replace(
                training, head_augmentation=self.feature_passes > 0
            )
        return dataclasses.replace(
            settings,
            data=dataclasses.replace(settings.data, test_split="none"),
            training=training,
        )

    @property
    def epochs(self) -> int:
        """Epochs of a whole trial, in the phase that is searched."""
        training = self.settings.training
        is_head = self.scope == "head"
        return training.head_epochs if is_head else training.fine_tune_epochs


def _check_head(settings: Settings, passes: int) -> None:
    if not settings.training.head_epochs:
        raise ValueError(
            "--scope=head trains heads for `head_epochs`, which is 0; give "
            "--head_epochs=10, or search with --scope=full"
        )
    if settings.training.strategy != "default":
        raise ValueError(
            "--scope=head trains small heads in one process on one device; "
            "give --strategy=default, and start several workers instead"
        )
    if passes and settings.augmentation.is_off:
        raise ValueError(
            "`feature_passes` are passes over augmented images, and nothing "
            "augments them; give --feature_passes=0, or such as --flip"
        )
    if passes and settings.target.mixup:
        raise ValueError(
            "features of mixed images cannot be computed beforehand; give "
            "--feature_passes=0 or --mixup=0"
        )


def _check_full(settings: Settings, passes: int) -> None:
    if not settings.training.fine_tune_epochs:
        raise ValueError(
            "--scope=full searches phase 2, and `fine_tune_epochs` is 0; give "
            "--fine_tune_epochs=5, or search with --scope=head"
        )
    if passes:
        raise ValueError(
            "`feature_passes` is for --scope=head; --scope=full trains on "
            "pixels, give --feature_passes=0"
        )
