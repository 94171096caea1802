"""The process that prunes, clusters and trains for int8; nobody imports it.

  TF_USE_LEGACY_KERAS=1 python -m export.compression.worker FOLDER

Started by `export.compression.compress` with a folder of inputs; leaves its
results there. The only file that knows tf_keras and the model-optimization
toolkit, which live in no process of Keras 3. Checks nothing: the parent does.
"""

import os
import pathlib
import sys
from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow_model_optimization as tfmot
import tf_keras

# Not in the public API of 0.8.1, where it is documented.
from tensorflow_model_optimization.python.core.clustering.keras.experimental import (  # noqa: E501
    cluster as experimental,
)

from export.compression import logits_network
from export.compression.exchange import CompressionFiles
from trainer import optimizers
from trainer.data import input_pipeline
from trainer.models import LOGITS
from trainer.models import build_model
from trainer.models import normalisation
from trainer.settings import settings as settings_lib

layers = tf_keras.layers

# Pruning moves towards its aim over this fraction of the steps; in the rest the
# zeros stay where they are and what is left gets used to it.
PRUNING_FRACTION = 0.6
# The masks are chosen anew so many times over all epochs.
MASK_UPDATES = 50
# Never pruned or clustered: a fixed map of pixels, and the last few weights.
SKIPPED_LAYERS = (normalisation.LAYER_NAME, LOGITS)


def main(folder: str) -> None:
    """Does all the steps of one request."""
    files = CompressionFiles(pathlib.Path(folder))
    request = files.read_request()
    settings = settings_lib.from_groups(request["settings"])
    tf_keras.utils.set_random_seed(settings.training.seed)
    trainer = _Trainer(settings, request, files.read_data())
    model = _build(settings, request)
    model.set_weights(files.read_weights())
    files.write_predictions(
        "before",
        logits_network.predict(model, trainer.data["calibration_images"]),
    )
    network = _without_softmax(model)
    if "qat" in request["steps"]:
        # What cannot be quantised fails now, not after pruning for an hour.
        _annotated(network)
    done = []
    for step in request["steps"]:
        network = _STEPS[step](network, trainer, done)
        done.append(step)
    _write_results(files, network, trainer)
    files.write_result({"history": trainer.history})


def _build(settings: settings_lib.Settings, request: dict[str, Any]) -> Any:
    return build_model(settings, len(request["class_weights"]), tf_keras)


def _without_softmax(model: Any) -> Any:
    return tf_keras.Model(model.input, model.get_layer(LOGITS).output)


class _Trainer:
    """Fine-tunes on the run's own images, targets and augmentation."""

    def __init__(
        self,
        settings: settings_lib.Settings,
        request: dict[str, Any],
        data: dict[str, np.ndarray],
    ):
        self.settings, self.request, self.data = settings, request, data
        self.batch = settings.training.batch_size
        self.steps = len(data["train_images"]) // self.batch
        self.total_steps = self.steps * request["epochs"]
        self.history = []

    def run(
        self, network: Any, step: str, callbacks: Iterable[Any] = ()
    ) -> None:
        """Trains one step's network for its epochs."""
        request, settings = self.request, self.settings
        loss = optimizers.make_loss(
            np.array(request["class_weights"]), settings.target.focal_gamma
        )
        rate = tf_keras.optimizers.schedules.CosineDecay(
            request["learning_rate"], self.total_steps
        )
        report = tf_keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: self.report(
                step, epoch, float(logs["loss"]), network=network
            )
        )
        network.compile(tf_keras.optimizers.Adam(rate), loss)
        network.fit(
            self._batches(),
            epochs=request["epochs"],
            steps_per_epoch=self.steps,
            verbose=0,
            callbacks=[*callbacks, report],
        )

    def unwrap(self, network: Any) -> Any:
        """The plain network again, with the weights that were found.

        What the toolkit's own functions leave behind holds some kernels twice
        after clustering, which the next step would stumble over.
        """
        model = _without_softmax(_build(self.settings, self.request))
        for layer in model.layers:
            found = network.get_layer(layer.name)
            for weight in layer.weights:
                name = weight.name.split("/")[-1].split(":")[0]
                weight.assign(getattr(found, name))
        return model

    def report(
        self, step: str, epoch: int, loss: float, *, network: Any
    ) -> None:
        """Scores an epoch on validation and says so."""
        predictions = logits_network.predict(
            network, self.data["validation_images"]
        )
        is_right = predictions.argmax(axis=1) == self.data["validation_labels"]
        row = {
            "step": step,
            "epoch": epoch + 1,
            "loss": loss,
            "val_accuracy": float(is_right.mean()),
        }
        self.history.append(row)
        print(
            f"{self.request['progress']}{step}, epoch {epoch + 1} of "
            f"{self.request['epochs']}: loss {loss:.4f}, validation accuracy "
            f"{100 * row['val_accuracy']:.2f}%",
            flush=True,
        )

    def _batches(self) -> Iterable[Any]:
        # Other images' views than those of the run itself.
        first = 10_000 + len(self.history)
        return input_pipeline.make_for_train(
            self.data["train_images"],
            self.data["train_targets"],
            self.settings.augmentation,
            mixup=self.settings.target.mixup,
            batch_size=self.batch,
            seed=self.settings.training.seed,
            epochs=range(first, first + self.request["epochs"]),
        )


def _write_results(
    files: CompressionFiles, network: Any, trainer: _Trainer
) -> None:
    """Its predictions on validation, and an int8 file or the weights."""
    data, request = trainer.data, trainer.request
    predictions = logits_network.predict(
        logits_network.with_softmax(network), data["validation_images"]
    )
    files.write_predictions("after", predictions)
    if "qat" not in request["steps"]:
        files.write_weights(network.get_weights())
        return
    _fix_input_range(network)
    content = logits_network.convert_int8(
        network, data["calibration_images"], request["io"], scratch=files.folder
    )
    files.write_model(content)


def _prune(network: Any, trainer: _Trainer, done: list[str]) -> Any:
    """Makes the smallest weights 0, a few more at a time."""
    sparsity, total = tfmot.sparsity.keras, trainer.total_steps
    schedule = sparsity.PolynomialDecay(
        initial_sparsity=0.0,
        final_sparsity=trainer.request["sparsity"],
        begin_step=0,
        end_step=max(1, int(PRUNING_FRACTION * total)),
        frequency=max(1, total // MASK_UPDATES),
    )
    network = _wrap(
        network, lambda layer: sparsity.prune_low_magnitude(layer, schedule)
    )
    trainer.run(network, "prune", [sparsity.UpdatePruningStep()])
    return trainer.unwrap(sparsity.strip_pruning(network))


def _cluster(network: Any, trainer: _Trainer, done: list[str]) -> Any:
    """Lets each kernel keep a few values; zeros of pruning stay zeros."""
    clustering = tfmot.clustering.keras
    cluster = clustering.cluster_weights
    start = clustering.CentroidInitialization.KMEANS_PLUS_PLUS
    options = {
        "number_of_clusters": trainer.request["clusters"],
        "cluster_centroids_init": start,
    }
    if "prune" in done:
        cluster = experimental.cluster_weights
        options["preserve_sparsity"] = True
    network = _wrap(network, lambda layer: cluster(layer, **options))
    trainer.run(network, "cluster")
    return trainer.unwrap(clustering.strip_clustering(network))


def _quantise(network: Any, trainer: _Trainer, done: list[str]) -> Any:
    """Trains with the rounding that int8 will do, keeping zeros and values."""
    combine = tfmot.experimental.combine
    scheme = tfmot.quantization.keras.default_8bit.Default8BitQuantizeScheme()
    if "cluster" in done:
        scheme = combine.Default8BitClusterPreserveQuantizeScheme(
            preserve_sparsity="prune" in done
        )
    elif "prune" in done:
        scheme = combine.Default8BitPrunePreserveQuantizeScheme()
    network = _annotated(network, scheme)
    trainer.run(network, "qat")
    return network


def _annotated(network: Any, *scheme: Any) -> Any:
    """A copy of a network that rounds as int8 will."""
    marked = tf_keras.models.clone_model(network, clone_function=_annotate)
    return tfmot.quantization.keras.quantize_apply(marked, *scheme)


_STEPS = {"prune": _prune, "cluster": _cluster, "qat": _quantise}


def _annotate(layer: Any) -> Any:
    """Marks a layer for int8 training, where the toolkit knows how.

    Left to the converter's calibration: average pooling, and batch
    normalisation that does not fold into a convolution before it, as in
    DenseNet.
    """
    if isinstance(layer, layers.AveragePooling2D):
        return layer
    if isinstance(layer, layers.BatchNormalization) and not _folds(layer):
        return layer
    return tfmot.quantization.keras.quantize_annotate_layer(layer)


def _folds(layer: Any) -> bool:
    """Whether a batch normalisation follows a convolution directly."""
    before = layer.inbound_nodes[0].inbound_layers
    kinds = (layers.Conv2D, layers.DepthwiseConv2D, layers.Dense)
    linear = tf_keras.activations.linear
    return isinstance(before, kinds) and before.activation is linear


def _wrap(network: Any, wrap: Callable[[Any], Any]) -> Any:
    """Clones a network with some kernels' layers wrapped.

    Depthwise kernels, of nine weights a channel, are left alone: zeros cost
    most there and save least, and clustering refuses them.
    """

    def clone(layer: Any) -> Any:
        # By exact type: a depthwise convolution is a kind of Conv2D.
        has_kernel = type(layer) in (layers.Conv2D, layers.Dense)
        is_skipped = layer.name in SKIPPED_LAYERS or not has_kernel
        return layer if is_skipped else wrap(layer)

    return tf_keras.models.clone_model(network, clone_function=clone)


def _fix_input_range(network: Any) -> None:
    """Makes the input's scale exactly 1, so that clients send raw pixels."""
    for layer in network.layers:
        for weight in layer.weights:
            if "quantize_layer_min" in weight.name:
                weight.assign(0.0)
            if "quantize_layer_max" in weight.name:
                weight.assign(255.0)


if __name__ == "__main__":
    # Too late to set here: tf.keras was chosen when TensorFlow was imported.
    if os.environ.get("TF_USE_LEGACY_KERAS") != "1":
        raise SystemExit("TF_USE_LEGACY_KERAS must be 1")
    main(sys.argv[1])
