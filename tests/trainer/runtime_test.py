import types

import pytest
import tensorflow as tf

from trainer import runtime
from trainer.settings.settings import from_flat


@pytest.mark.parametrize(
    ("values", "policy"),
    [
        ({}, "float32"),
        ({"precision": "mixed_bfloat16"}, "mixed_bfloat16"),
        ({"strategy": "tpu"}, "mixed_bfloat16"),
    ],
    ids=str,
)
def test_auto_precision_follows_the_hardware(values, policy):
    assert runtime.resolve_precision(from_flat(values).training) == policy


def test_strategies_are_made_or_say_where_to_run(monkeypatch):
    strategy = runtime.make_strategy("default")
    assert strategy.num_replicas_in_sync == 1
    assert runtime.is_chief(strategy)
    with pytest.raises(ValueError, match="Run on a TPU VM"):
        runtime.make_strategy("tpu")
    two = types.SimpleNamespace(num_replicas_in_sync=2)
    monkeypatch.setattr(runtime, "make_strategy", lambda name: two)
    training = from_flat({"strategy": "mirrored", "xla": True}).training
    with pytest.raises(ValueError, match="`xla` compiles for one device"):
        runtime.configure(training)


def test_the_seed_is_set():
    def draw(seed):
        runtime.configure(from_flat({"seed": seed}).training)
        return tf.random.normal([3]).numpy().tolist()

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)


@pytest.mark.parametrize("wanted", [True, False], ids=str)
def test_determinism_is_asked_for_as_the_setting_says(wanted, monkeypatch):
    asked, experimental = [], tf.config.experimental
    monkeypatch.setattr(
        experimental, "enable_op_determinism", lambda: asked.append(True)
    )
    runtime.configure(from_flat({"deterministic": wanted}).training)
    assert bool(asked) is wanted


def test_gpus_are_named_and_only_those_in_use(monkeypatch):
    strategy = runtime.make_strategy("default")
    assert runtime.describe_devices(strategy).startswith("CPU (")
    monkeypatch.setattr(
        tf.config, "list_physical_devices", lambda kind: ["first", "second"]
    )
    monkeypatch.setattr(
        tf.config.experimental,
        "get_device_details",
        lambda gpu: {"device_name": f"Fast {gpu}"},
    )
    assert runtime.describe_devices(strategy) == "GPU Fast first"
    two = types.SimpleNamespace(num_replicas_in_sync=2)
    assert runtime.describe_devices(two) == (
        "2 replicas, here GPU Fast first, GPU Fast second"
    )
