"""Which settings have no effect, given the others."""

import ast

import pytest

from tests.commands import command_line
from trainer.settings import idle_settings
from trainer.settings import settings as settings_lib

HEAD = {"head_epochs": 2}
HEAD_ONLY = {**HEAD, "fine_tune_epochs": 0}
STILL = {**HEAD_ONLY, "head_augmentation": False}
TAUGHT = {"distill_from": ("runs/a",)}
HIDDEN = {"head_units": (8,), "head_dropout": (0.1,)}
TUNED = {"fine_tune_epochs": 1}
VOTES = {"soft_labels": "fer2013/plus"}
PLATEAU = {"schedule": "plateau"}
LISTED = {"backbone": "layer_list", "layers": ("c8",)}
SHARED = {name: value for name, value in vars().items() if name.isupper()}

# Settings and values | what makes it idle | the reason | the least change that
# gives it an effect.
TABLE = """
widths=8,16 | backbone=tiny_cnn | --backbone=tiny_cnn | backbone=plain_cnn
stage_depth=(3,) | backbone=densenet121 |
    --backbone=densenet121 | backbone=plain_cnn
stem_stride=2 | LISTED | --backbone=layer_list | backbone=plain_cnn layers=()
head_activation=elu head_l2=0.1 |  | no --head_units | HIDDEN
flip=True mixup=0.2 | STILL |
    --nohead_augmentation, --fine_tune_epochs=0 | head_augmentation=True
shift=0.1 | STILL | --nohead_augmentation, --fine_tune_epochs=0 | TAUGHT
rotation=5.0 zoom=0.1 brightness=0.1 contrast=0.1 erasing=0.1 | STILL |
    --nohead_augmentation, --fine_tune_epochs=0 | TUNED
noise=5.0 blur=0.1 low_resolution=0.5 jpeg=10 gamma=0.1 dimming=0.1 | STILL |
    --nohead_augmentation, --fine_tune_epochs=0 | TUNED
gradient=0.1 crop_zoom=0.1 crop_shift=0.1 crop_tilt=5.0 | STILL |
    --nohead_augmentation, --fine_tune_epochs=0 | TUNED
colour_cast=0.1 | STILL |
    --nohead_augmentation, --fine_tune_epochs=0 | TUNED channels=3
noise_probability=0.3 | STILL |
    --nohead_augmentation, --fine_tune_epochs=0 | TUNED noise=5.0
blur_probability=0.3 | STILL |
    --nohead_augmentation, --fine_tune_epochs=0 | TUNED blur=0.1
low_resolution_probability=0.3 | STILL |
    --nohead_augmentation, --fine_tune_epochs=0 | TUNED low_resolution=0.5
jpeg_probability=0.3 | STILL |
    --nohead_augmentation, --fine_tune_epochs=0 | TUNED jpeg=10
light_probability=0.3 | STILL |
    --nohead_augmentation, --fine_tune_epochs=0 | TUNED gamma=0.1
crop_probability=0.3 | STILL |
    --nohead_augmentation, --fine_tune_epochs=0 | TUNED crop_tilt=5.0
noise_probability=0.3 |  |
    no --noise | noise=5.0
blur_probability=0.3 |  |
    no --blur | blur=0.1
low_resolution_probability=0.3 |  |
    no --low_resolution | low_resolution=0.5
jpeg_probability=0.3 |  |
    no --jpeg | jpeg=10
light_probability=0.3 |  |
    no --gamma, --dimming, --gradient, --colour_cast | gamma=0.1
crop_probability=0.3 |  |
    no --crop_zoom, --crop_shift, --crop_tilt | crop_tilt=5.0
colour_cast=0.1 |  | --channels=1 | channels=3
soft_labels=fer2013/plus | soft_label_share=0.0 |
    --soft_label_share=0 | soft_label_share=0.1
soft_label_share=0.3 |  | no --soft_labels | VOTES
soft_labels=fer2013/plus | TAUGHT distill_share=1.0 |
    --distill_share=1 | distill_from=()
soft_label_share=0.3 | TAUGHT VOTES distill_share=1.0 |
    --distill_share=1 | distill_share=0.9
distill_share=0.3 distill_temperature=2.0 distill_views=0 |  |
    no --distill_from | TAUGHT
distill_targets=runs/b |  | no --distill_from | TAUGHT
distill_targets=runs/b | TAUGHT distill_views=0 |
    --distill_views=0 | distill_views=2
distill_temperature=2.0 | TAUGHT distill_share=0.0 |
    --distill_share=0 | distill_share=0.1
distill_from=('runs/a',) | distill_share=0.0 | --distill_share=0 | flip=True
distill_from=('runs/a',) | distill_share=0.0 flip=True distill_views=0 |
    --distill_share=0 | distill_share=0.1
distill_views=3 | TAUGHT | no augmentation | flip=True
head_learning_rate=0.5 reuse_features=False |  | --head_epochs=0 | HEAD
head_augmentation=False | flip=True | --head_epochs=0 | HEAD
head_augmentation=False | HEAD | no augmentation, --mixup=0 | mixup=0.2
reuse_features=False | HEAD flip=True |
    phase 1 augments or mixes its images | head_augmentation=False
reuse_features=False | HEAD TAUGHT distill_views=0 |
    --distill_views=0 | distill_views=8
fine_tune_learning_rate=0.5 fine_tune_from=logits fine_tune_optimizer=sgd |
    HEAD_ONLY | --fine_tune_epochs=0 | TUNED
optimizer=sgd | fine_tune_optimizer=rmsprop |
    --head_epochs=0, --fine_tune_optimizer=rmsprop | HEAD
momentum=0.5 |  | --optimizer=adam | fine_tune_optimizer=sgd
momentum=0.5 | optimizer=adamw | --optimizer=adamw | optimizer=sgd
momentum=0.5 | optimizer=sgd fine_tune_optimizer=rmsprop |
    no phase has sgd | HEAD
plateau_patience=3 |  | --schedule=constant | PLATEAU
plateau_factor=0.5 | schedule=cosine | --schedule=cosine | PLATEAU
schedule=plateau | plateau_factor=1.0 | --plateau_factor=1 | plateau_factor=0.5
plateau_patience=3 | PLATEAU plateau_factor=1.0 |
    --plateau_factor=1 | plateau_factor=0.5
schedule=plateau | early_stopping=2 |
    --early_stopping=2 ends a phase first | early_stopping=3
plateau_patience=3 | PLATEAU early_stopping=3 |
    --early_stopping=3 ends a phase first | early_stopping=4
plateau_factor=0.5 | PLATEAU early_stopping=1 |
    --early_stopping=1 ends a phase first | early_stopping=0
schedule=plateau | fine_tune_epochs=2 |
    no phase is longer than --plateau_patience=2 | fine_tune_epochs=3
plateau_patience=10 | PLATEAU |
    no phase is longer than --plateau_patience=10 | fine_tune_epochs=11
plateau_factor=0.5 | PLATEAU TUNED |
    no phase is longer than --plateau_patience=2 | head_epochs=3
early_stopping=10 |  | no phase is longer | head_epochs=11
selection_metric=macro_f1 | TUNED | one epoch in all | head_epochs=1
"""


def values_of(text):
    values = {}
    for word in text.split():
        name, _, value = word.partition("=")
        if name in SHARED:
            values |= SHARED[name]
            continue
        try:
            values[name] = ast.literal_eval(value)
        except (SyntaxError, ValueError):
            values[name] = value
    return values


def read_cases():
    for line in TABLE.strip().replace("|\n", "|").splitlines():
        setting, others, reason, mended = map(str.strip, line.split("|"))
        for name, value in values_of(setting).items():
            yield name, value, values_of(others), reason, values_of(mended)


CASES = list(read_cases())


def reasons(values):
    return idle_settings.idle_settings(settings_lib.from_flat(values))


@pytest.mark.parametrize(
    ("name", "value", "others", "reason", "mended"), CASES, ids=str
)
def test_what_has_no_effect_is_named(name, value, others, reason, mended):
    assert reasons({**others, name: value})[name] == reason
    assert name not in reasons({**others, name: value, **mended})


def test_every_rule_has_a_case_of_its_own():
    rules = [
        (name, rule.reason)
        for rule in idle_settings.RULES
        for name in rule.names
    ]
    met = set()
    for name, value, others, reason, _ in CASES:
        values = settings_lib.from_flat({**others, name: value}).flat()
        met |= {
            (one, template)
            for one, template in rules
            if one == name and template.format_map(values) == reason
        }
    assert met == set(rules)


def test_a_default_is_not_named():
    assert reasons({}) == {}
    assert reasons({"momentum": 0.9, "widths": (32, 64, 128, 256)}) == {}


def test_the_rules_need_no_tensorflow():
    statement = "import trainer.settings.idle_settings"
    assert not command_line.loaded_after(statement, "tensorflow", "keras")
