import pytest
from absl import flags

from tests.trainer.settings.variants import FLAGFILES
from tests.trainer.settings.variants import ROOT
from trainer.settings import cli_flags
from trainer.settings import settings as settings_lib

# A value for each setting that differs from its default.
OTHER = {
    "dataset": "affectnet", "data_dir": "folder", "train_split": "train[:90%]",
    "validation_split": "train[90%:]", "test_split": "validation",
    "num_classes": 2, "classes": ("one", "two"), "image_size": 64,
    "channels": 3, "reading": "stream", "max_memory_gib": 1.5,
    "backbone": "layer_list", "weights": "file.weights.h5", "widths": (8, 16),
    "stage_depth": (3, 1), "stem_stride": 2, "layers": ("c8", "mp"),
    "pooling": "flatten", "pooling_dropout": 0.25, "head_units": (16, 8),
    "head_dropout": (0.1, 0.2), "head_activation": "tanh",
    "head_batch_norm": True, "head_l2": 0.01, "flip": True, "rotation": 5.0,
    "shift": 0.1, "zoom": 0.2, "brightness": 0.1, "contrast": 0.3,
    "erasing": 0.5, "noise": 20.0, "noise_probability": 0.25, "blur": 0.05,
    "blur_probability": 0.25, "low_resolution": 0.75,
    "low_resolution_probability": 0.25, "jpeg": 10, "jpeg_probability": 0.25,
    "gamma": 1.0, "dimming": 0.5, "gradient": 0.25, "colour_cast": 0.125,
    "light_probability": 0.25, "crop_zoom": 0.5, "crop_shift": 0.125,
    "crop_tilt": 30.0, "crop_probability": 0.25, "label_smoothing": 0.1,
    "soft_labels": "fer2013/plus", "soft_label_share": 0.25,
    "distill_from": ("runs/a", "runs/b"),
    "distill_share": 0.75, "distill_temperature": 2.0, "distill_views": 3,
    "distill_targets": "runs/d",
    "mixup": 0.2, "class_weights": "balanced", "focal_gamma": 2.0,
    "head_epochs": 2, "head_learning_rate": 0.5, "head_augmentation": False,
    "fine_tune_epochs": 3, "fine_tune_learning_rate": 0.25,
    "fine_tune_batch_norm": False,
    "fine_tune_from": "stage2_1_conv", "batch_size": 32, "optimizer": "sgd",
    "fine_tune_optimizer": "rmsprop", "momentum": 0.5, "weight_decay": 0.01,
    "schedule": "cosine", "plateau_patience": 3, "plateau_factor": 0.5,
    "ema": 0.9, "early_stopping": 4, "selection_metric": "macro_f1",
    "precision": "float32", "strategy": "mirrored", "reuse_features": False,
    "feature_cache": "folder",
    "seed": 3, "deterministic": False, "xla": True, "steps_per_execution": 5,
}  # fmt: skip


@pytest.fixture
def parse():
    """Parses arguments as a command would, and forgets them afterwards."""

    def parse_arguments(*arguments):
        rest = flags.FLAGS(["command", *arguments])
        assert rest == ["command"], f"positional arguments {rest[1:]}"
        return cli_flags.settings_from_flags()

    saved = {name: flags.FLAGS[name].default for name in flags.FLAGS}
    yield parse_arguments
    flags.FLAGS.unparse_flags()
    for name, default in saved.items():
        flags.FLAGS[name].value = default
        flags.FLAGS[name].present = 0


def test_no_flags_give_the_defaults_and_those_are_left_out_on_demand(parse):
    assert parse() == settings_lib.Settings()
    settings = settings_lib.from_flat({"widths": (8, 16), "flip": True})
    flags_given = cli_flags.to_flags(settings, only_changed=True)
    assert flags_given == ["--widths=8,16", "--flip=True"]


def test_every_flag_reaches_its_setting_and_back(parse, tmp_path):
    defaults = settings_lib.Settings().flat()
    assert list(OTHER) == list(defaults)
    assert all(OTHER[name] != defaults[name] for name in OTHER)
    settings = settings_lib.from_flat(OTHER)
    path = tmp_path / "run.flags"
    path.write_text(cli_flags.to_flagfile(settings, "some/workdir"))
    assert parse(f"--flagfile={path}") == settings
    assert cli_flags.WORKDIR.value == "some/workdir"


@pytest.mark.parametrize("path", FLAGFILES, ids=lambda path: path.name)
def test_flagfiles_parse_and_begin_with_their_story(path, parse, monkeypatch):
    monkeypatch.chdir(ROOT)
    settings = parse(f"--flagfile={path}")
    assert settings != settings_lib.Settings()
    assert path.read_text().startswith("# ")


def test_a_flagfile_is_read_alone_or_before_other_flags(parse, tmp_path):
    path = tmp_path / "run.flags"
    path.write_text(cli_flags.to_flagfile(settings_lib.from_flat(OTHER), "x"))
    assert parse(f"--flagfile={path}", "--seed=9").training.seed == 9
    assert cli_flags.read_flagfile(path) == settings_lib.from_flat(OTHER)
    assert cli_flags.settings_from_flags().training.seed == 9


@pytest.mark.parametrize(
    ("argument", "text"),
    [
        ("--widths=8,many", "`widths` must be int numbers"),
        ("--batch_size=0", "batch_size"),
        ("--backbone=vgg", "backbone"),
        ("--shift=0.9", "shift"),
        ("--learning=1", "learning"),
    ],
    ids=str,
)
def test_wrong_flags_are_refused_by_name(argument, text, parse):
    with pytest.raises((ValueError, flags.Error)) as caught:
        parse(argument)
    assert text in str(caught.value)
