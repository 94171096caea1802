"""BatchNormalization in one operation instead of a dozen.

Keras 3 computes it step by step, and each step reads or writes a whole
feature map; TensorFlow has one operation for it, on every kind of device.
"""

import keras
import tensorflow as tf


def fuse(model: keras.Model) -> None:
    """Makes a model's BatchNormalization layers use the one operation.

    Weights, their names in files and the predictions stay as they are.
    """
    for layer in model.layers:
        if type(layer) is keras.layers.BatchNormalization:
            layer.__class__ = BatchNormalization


class BatchNormalization(keras.layers.BatchNormalization):
    """The layer of Keras; its class name, too, is part of weight files."""

    def call(
        self,
        inputs: tf.Tensor,
        training: bool | None = None,
        mask: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Normalises a feature map; other inputs are left to Keras."""
        is_plain = not (self.renorm or self.synchronized or mask is not None)
        if not is_plain or len(inputs.shape) != 4 or self.axis not in (-1, 3):
            return super().call(inputs, training=training, mask=mask)
        is_training = bool(training) and self.trainable
        channels = inputs.shape[-1]
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=self.gamma if self.scale else tf.ones([channels]),
            offset=self.beta if self.center else tf.zeros([channels]),
            mean=[] if is_training else self.moving_mean,
            variance=[] if is_training else self.moving_variance,
            epsilon=self.epsilon,
            is_training=is_training,
        )
        if is_training:
            count = tf.cast(tf.size(inputs) // channels, tf.float32)
            # The operation estimates the variance of all images that there
            # could be; Keras keeps that of the batch.
            self._keep(self.moving_mean, mean)
            self._keep(self.moving_variance, variance * (count - 1) / count)
        return outputs

    def _keep(self, moving: keras.Variable, new: tf.Tensor) -> None:
        moving.assign(moving * self.momentum + new * (1.0 - self.momentum))
