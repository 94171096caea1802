"""Features in the cache: what they depend on, and what damage does."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer import kept_features
from trainer.data.prepared import Split
from trainer.models import build_model
from trainer.settings import settings as settings_lib
from tuning import features

VALUES = {"backbone": "tiny_cnn", "head_epochs": 2, "flip": True, "shift": 0.1}
VALUES |= {"head_augmentation": False}


def make_settings(**values):
    return settings_lib.from_flat({**VALUES, **values})


def make_splits(seed=0):
    rng = np.random.default_rng(seed)
    return {
        part: Split(
            rng.integers(0, 256, [count, 48, 48, 1], np.uint8),
            np.zeros(count, np.int32),
            [f"{part}_{i}" for i in range(count)],
        )
        for part, count in (("train", 9), ("validation", 4))
    }


def get(cache, num_passes=0, splits=None, **values):
    keras.utils.set_random_seed(0)
    return features.get_features(
        make_settings(feature_cache=str(cache), **values),
        splits or make_splits(),
        tf.distribute.get_strategy(),
        num_passes=num_passes,
    )


def entries(cache):
    return sorted(path.parent.name for path in cache.glob("*/key.json"))


def test_features_are_those_before_the_head(tmp_path):
    found = get(tmp_path)
    keras.utils.set_random_seed(0)
    model = build_model(make_settings(), 7, keras)
    pooled = keras.Model(model.inputs, model.get_layer("pooling").output)
    both = (found.passes[0], found.validation)
    for array, split in zip(both, make_splits().values(), strict=True):
        images = split.images.astype(np.float32)
        np.testing.assert_allclose(array, pooled(images), atol=1e-5)


def test_the_head_is_nothing_that_features_depend_on(tmp_path):
    get(tmp_path)
    get(tmp_path, head_units=(8,), head_dropout=(0.5,), optimizer="sgd")
    get(tmp_path, head_epochs=5, flip=False, label_smoothing=0.1)
    assert len(entries(tmp_path)) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"splits": make_splits(1)},
        {"num_passes": 1},
        {"backbone": "plain_cnn", "widths": (8, 8)},
        {"pooling": "flatten"},
    ],
    ids=["data", "augmentation", "network", "pooling"],
)
def test_what_they_depend_on_has_an_entry_of_its_own(change, tmp_path):
    get(tmp_path)
    get(tmp_path, **change)
    assert len(entries(tmp_path)) == 2


def test_the_weights_count_by_their_values():
    keras.utils.set_random_seed(0)
    model = build_model(make_settings(), 7, keras)
    of = model, make_settings(), make_splits()
    keys = [kept_features.make_key(*of, num_passes=0)]
    for layer in map(model.get_layer, ("logits", "stage2_1_conv")):
        layer.set_weights([w + 1 for w in layer.get_weights()])
        keys.append(kept_features.make_key(*of, num_passes=0))
    assert keys[0] == keys[1]
    assert keys[1]["weights"] != keys[2]["weights"]


def test_passes_differ_and_come_from_the_seed(tmp_path):
    found = get(tmp_path, num_passes=2)
    again = get(tmp_path / "other", num_passes=2)
    plain = get(tmp_path)
    assert len(found.passes) == 2
    assert np.abs(found.passes[0] - found.passes[1]).max() > 1e-3
    assert np.abs(found.passes[0] - plain.passes[0]).max() > 1e-3
    np.testing.assert_array_equal(found.passes[1], again.passes[1])
    np.testing.assert_array_equal(found.validation, plain.validation)


@pytest.mark.parametrize("damage", ["cut", "missing", "key"])
def test_a_damaged_entry_is_computed_again(damage, tmp_path):
    first = get(tmp_path)
    entry = next(tmp_path.glob("*/key.json")).parent
    if damage == "cut":
        data = (entry / "train_0-00000-of-00001").read_bytes()
        (entry / "train_0-00000-of-00001").write_bytes(data[:100])
    elif damage == "missing":
        (entry / "validation-00000-of-00001").unlink()
    else:
        (entry / "key.json").write_text("{")
    np.testing.assert_array_equal(get(tmp_path).passes[0], first.passes[0])


def test_the_cache_keeps_what_was_used_last(tmp_path, monkeypatch):
    monkeypatch.setattr(kept_features, "KEPT_ENTRIES", 2)
    kept = get(tmp_path, splits=make_splits(0))
    first = entries(tmp_path)
    get(tmp_path, splits=make_splits(1))
    second = set(entries(tmp_path)) - set(first)
    get(tmp_path, splits=make_splits(0))
    get(tmp_path, splits=make_splits(2))
    left = set(entries(tmp_path))
    assert len(left) == 2
    assert set(first) < left and not second & left
    monkeypatch.setattr(features.features_lib, "make_extractor", None)
    # The second time nothing is computed.
    again = get(tmp_path, splits=make_splits(0))
    np.testing.assert_array_equal(again.passes[0], kept.passes[0])
    np.testing.assert_array_equal(again.validation, kept.validation)


def test_what_cannot_be_kept_is_refused(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="the backbone has dropout"):
        get(tmp_path, backbone="layer_list", layers=("c8", "d0.2"))
    assert not entries(tmp_path)
    monkeypatch.setattr(features.features_lib, "GIB", 1)
    with pytest.raises(ValueError, match="max_memory_gib"):
        get(tmp_path)
