"""Which settings have no effect on a run, given the others.

A table of rules, each read off the code that uses the setting. A rule holds
back where only the data or the machine could tell. What a later export does
with the settings of a run is not counted. Pure: imports no TensorFlow.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

from trainer import phases
from trainer.settings.augmentation import STRENGTHS
from trainer.settings.augmentation import AugmentationSettings
from trainer.settings.settings import Settings


@dataclasses.dataclass(frozen=True)
class Rule:
    """When settings are idle, and why.

    Attributes:
      names: the settings.
      reason: for people; `{name}` stands for the value of a setting.
      holds: whether it is so.
    """

    names: tuple[str, ...]
    reason: str
    holds: Callable[[Settings], bool]


def idle_settings(settings: Settings) -> dict[str, str]:
    """Finds the settings that are no default and have no effect.

    Returns:
      Name -> reason, such as `--optimizer=adam`, in the order of settings.
    """
    values, defaults = settings.flat(), Settings().flat()
    changed = [name for name in values if values[name] != defaults[name]]
    reasons = _reasons(settings, values)
    return {name: reasons[name] for name in changed if name in reasons}


def _reasons(settings: Settings, values: dict[str, Any]) -> dict[str, str]:
    """The first reason of each idle setting, its default or not."""
    reasons: dict[str, str] = {}
    for rule in RULES:
        if rule.holds(settings):
            for name in rule.names:
                reasons.setdefault(name, rule.reason.format_map(values))
    return reasons


def _augments(settings: Settings) -> bool:
    return not settings.augmentation.is_off


def _changes_images(settings: Settings) -> bool:
    return _augments(settings) or settings.target.mixup > 0


def _no_phase_is_augmented(settings: Settings) -> bool:
    planned = phases.planned_phases(settings.training)
    return not any(phase.is_augmented for phase in planned)


def _no_phase_has_sgd(settings: Settings) -> bool:
    planned = phases.planned_phases(settings.training)
    return not any(phase.optimizer == "sgd" for phase in planned)


def _has_one_optimizer(settings: Settings) -> bool:
    return settings.training.fine_tune_optimizer == "same"


def _no_phase_is_longer(settings: Settings, epochs: int) -> bool:
    training = settings.training
    return epochs >= max(training.head_epochs, training.fine_tune_epochs)


def _stops_before_plateau(settings: Settings) -> bool:
    training = settings.training
    return 0 < training.early_stopping <= training.plateau_patience


def _has_plateau(settings: Settings) -> bool:
    return settings.training.schedule == "plateau"


def _views_teach(settings: Settings) -> bool:
    """Teachers predict on augmented views, whatever the phases show."""
    target = settings.target
    return bool(
        target.distill_from and target.distill_views and target.distill_share
    )


def _views_change_nothing(settings: Settings) -> bool:
    """Images are shown as they would be without teachers."""
    return (
        not settings.target.distill_views
        or not _augments(settings)
        or _no_phase_is_augmented(settings)
    )


def _has_none_of(settings: Settings, names: tuple[str, ...]) -> bool:
    return not any(getattr(settings.augmentation, name) for name in names)


_AUGMENTATIONS = tuple(
    field.name for field in dataclasses.fields(AugmentationSettings)
)

_PROBABILITIES = tuple(
    Rule(
        (name,),
        f"no {', '.join(f'--{strength}' for strength in strengths)}",
        functools.partial(_has_none_of, names=strengths),
    )
    for name, strengths in STRENGTHS.items()
)

_MODEL = (
    Rule(
        ("widths", "stage_depth", "stem_stride"),
        "--backbone={backbone}",
        lambda s: s.model.backbone != "plain_cnn",
    ),
    Rule(
        ("head_activation", "head_l2"),
        "no --head_units",
        lambda s: not s.model.head_units,
    ),
)

_IMAGES = (
    Rule(
        _AUGMENTATIONS,
        "--nohead_augmentation, --fine_tune_epochs=0",
        lambda s: _no_phase_is_augmented(s) and not _views_teach(s),
    ),
    Rule(
        ("mixup",),
        "--nohead_augmentation, --fine_tune_epochs=0",
        _no_phase_is_augmented,
    ),
    Rule(
        ("colour_cast",),
        "--channels={channels}",
        lambda s: s.data.channels != 3,
    ),
    *_PROBABILITIES,
)

_TARGETS = (
    Rule(
        ("soft_labels",),
        "--soft_label_share=0",
        lambda s: s.target.soft_label_share == 0,
    ),
    Rule(
        ("soft_label_share",),
        "no --soft_labels",
        lambda s: s.target.soft_labels == "none",
    ),
    Rule(
        ("soft_labels", "soft_label_share"),
        "--distill_share=1",
        lambda s: bool(s.target.distill_from) and s.target.distill_share == 1,
    ),
    Rule(
        (
            "distill_share",
            "distill_temperature",
            "distill_views",
            "distill_targets",
        ),
        "no --distill_from",
        lambda s: not s.target.distill_from,
    ),
    Rule(
        ("distill_temperature",),
        "--distill_share=0",
        lambda s: s.target.distill_share == 0,
    ),
    Rule(
        ("distill_from",),
        "--distill_share=0",
        lambda s: s.target.distill_share == 0 and _views_change_nothing(s),
    ),
    Rule(
        ("distill_targets",),
        "--distill_views=0",
        lambda s: s.target.distill_views == 0,
    ),
    # Predicting on every batch they cost more, and see mixed images.
    Rule(
        ("distill_views",),
        "no augmentation",
        lambda s: s.target.distill_views > 0 and not _augments(s),
    ),
)

_PHASES = (
    Rule(
        ("head_learning_rate", "head_augmentation", "reuse_features"),
        "--head_epochs=0",
        lambda s: s.training.head_epochs == 0,
    ),
    Rule(
        ("head_augmentation",),
        "no augmentation, --mixup=0",
        lambda s: not _changes_images(s),
    ),
    Rule(
        ("reuse_features",),
        "phase 1 augments or mixes its images",
        lambda s: s.training.head_augmentation and _changes_images(s),
    ),
    Rule(
        ("reuse_features",),
        "--distill_views=0",
        lambda s: bool(s.target.distill_from) and s.target.distill_views == 0,
    ),
    Rule(
        ("fine_tune_learning_rate", "fine_tune_from", "fine_tune_optimizer"),
        "--fine_tune_epochs=0",
        lambda s: s.training.fine_tune_epochs == 0,
    ),
)

_OPTIMIZATION = (
    Rule(
        ("optimizer",),
        "--head_epochs=0, --fine_tune_optimizer={fine_tune_optimizer}",
        lambda s: s.training.head_epochs == 0 and not _has_one_optimizer(s),
    ),
    Rule(
        ("momentum",),
        "--optimizer={optimizer}",
        lambda s: _has_one_optimizer(s) and _no_phase_has_sgd(s),
    ),
    Rule(("momentum",), "no phase has sgd", _no_phase_has_sgd),
    Rule(
        ("plateau_patience", "plateau_factor"),
        "--schedule={schedule}",
        lambda s: not _has_plateau(s),
    ),
    Rule(
        ("schedule", "plateau_patience"),
        "--plateau_factor=1",
        lambda s: _has_plateau(s) and s.training.plateau_factor == 1,
    ),
    Rule(
        ("schedule", "plateau_patience", "plateau_factor"),
        "--early_stopping={early_stopping} ends a phase first",
        lambda s: _has_plateau(s) and _stops_before_plateau(s),
    ),
    Rule(
        ("schedule", "plateau_patience", "plateau_factor"),
        "no phase is longer than --plateau_patience={plateau_patience}",
        lambda s: (
            _has_plateau(s)
            and _no_phase_is_longer(s, s.training.plateau_patience)
        ),
    ),
)

_CHOICE = (
    Rule(
        ("early_stopping",),
        "no phase is longer",
        lambda s: _no_phase_is_longer(s, s.training.early_stopping),
    ),
    # The first epoch is the best so far in any case.
    Rule(
        ("selection_metric",),
        "one epoch in all",
        lambda s: s.training.head_epochs + s.training.fine_tune_epochs == 1,
    ),
)

RULES = (*_MODEL, *_IMAGES, *_TARGETS, *_PHASES, *_OPTIMIZATION, *_CHOICE)
