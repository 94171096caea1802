"""Features in shards on disk: shared, resumed, and streamed in phase 1."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.trainer import sharded
from tests.trainer import stopped_runs
from trainer import distillation
from trainer import features
from trainer import kept_features
from trainer import train
from trainer.data import prepared
from trainer.models import build_model
from trainer.settings import settings as settings_lib
from tuning import features as tuning_features

VALUES = {
    **{"backbone": "tiny_cnn", "batch_size": 28, "reading": "stream"},
    **{"head_epochs": 2, "head_learning_rate": 0.0, "fine_tune_epochs": 0},
    **{"flip": True, "head_augmentation": False},
}


@pytest.fixture(scope="module")
def data_dir(prepared_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sharded") / "data"
    return sharded.copy(prepared_data, folder, train=5)


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    monkeypatch.setattr(kept_features, "SHARD_ROWS", 100)


def make_settings(cache, data_dir, **changes):
    values = {**VALUES, "data_dir": data_dir, "feature_cache": str(cache)}
    return settings_lib.from_flat({**values, **changes})


def network(settings):
    keras.utils.set_random_seed(0)
    return build_model(settings, 7, keras)


def get(settings, num_passes=0):
    splits = prepared.load_splits(settings.data)
    strategy = tf.distribute.get_strategy()
    model = network(settings)
    return kept_features.get(
        model, settings, splits, strategy=strategy, num_passes=num_passes
    )


def test_features_are_those_of_the_images_in_their_order(data_dir, tmp_path):
    settings = make_settings(tmp_path / "a", data_dir)
    found = get(settings, num_passes=2)
    memory = make_settings(tmp_path / "b", data_dir, reading="memory")
    split = prepared.load_split(memory.data, "train")
    model = network(settings)
    extract = features.make_extractor(model, tf.distribute.get_strategy())
    for number, each in enumerate(found.passes):
        assert [path[-18:] for path in each.files] == [
            f"rain_{number}-{i:05d}-of-00003"[-18:] for i in range(3)
        ]
        view = distillation.make_view(split, memory, number)
        array = kept_features.as_array(each)
        np.testing.assert_allclose(array, extract(view), atol=1e-5)
        np.testing.assert_array_equal(list(each), array)
    assert found.validation.shape == (56, array.shape[1])
    # What memory keeps is the same entry.
    again = get(memory.__class__(**{**vars(settings), "data": memory.data}), 2)
    assert again.key == found.key


def test_a_killed_computation_resumes_after_its_last_shard(
    data_dir, tmp_path, monkeypatch, capsys
):
    settings = make_settings(tmp_path, data_dir)
    asked = []
    make_extractor = features.make_extractor

    def killed_after(most):
        def make(*arguments):
            extract = make_extractor(*arguments)

            def count(images):
                if len(asked) == most:
                    raise KeyboardInterrupt
                asked.append(len(images))
                return extract(images)

            return count

        return make

    monkeypatch.setattr(features, "make_extractor", killed_after(2))
    with pytest.raises(KeyboardInterrupt):
        get(settings)
    assert asked == [100, 100]
    monkeypatch.setattr(features, "make_extractor", killed_after(None))
    found = get(settings)
    assert asked[2:] == [80, 56]
    assert "2 of 3 shards are there" in capsys.readouterr().out
    monkeypatch.setattr(features, "make_extractor", make_extractor)
    whole = get(make_settings(tmp_path / "whole", data_dir))
    np.testing.assert_array_equal(
        kept_features.as_array(found.passes[0]),
        kept_features.as_array(whole.passes[0]),
    )


def test_phase_1_streams_what_a_search_has_kept(
    data_dir, tmp_path, monkeypatch, capsys
):
    """With the figures of the backbone in every epoch; nothing is learned."""
    settings = make_settings(tmp_path / "cache", data_dir)
    plain = make_settings(tmp_path / "none", data_dir, reuse_features=False)
    train.train_and_evaluate(plain, tmp_path / "plain")
    assert not (tmp_path / "none").exists()
    keras.utils.set_random_seed(settings.training.seed)
    splits = prepared.load_splits(settings.data)
    tuning_features.get_features(
        settings, splits, tf.distribute.get_strategy(), num_passes=0
    )
    capsys.readouterr()
    monkeypatch.setattr(kept_features.features, "make_extractor", None)
    train.train_and_evaluate(settings, tmp_path / "kept")
    assert "features once" in capsys.readouterr().out
    both = [stopped_runs.history(tmp_path / n) for n in ("kept", "plain")]
    assert len(both[0]) == 2
    for kept, other in zip(*both, strict=True):
        for name in ("loss", "val_loss", "val_accuracy"):
            assert float(kept[name]) == pytest.approx(
                float(other[name]), abs=1e-3
            )
