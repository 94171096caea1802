"""Seeds, precision and distribution: the only writer of process-wide state."""

import contextlib
import os
import pathlib
import tempfile
from collections.abc import Iterator

import keras
import tensorflow as tf

from trainer import json_files
from trainer.settings.targets_and_training import TrainingSettings


def configure(training: TrainingSettings) -> tf.distribute.Strategy:
    """Sets up the process for one run; call it once, before any tensor.

    Returns:
      The one strategy of the process.

    Raises:
      ValueError: the strategy cannot be had here, or it cannot share the
        batch evenly.
    """
    # The strategy comes first: collective ops must be configured before the
    # first operation of the process.
    strategy = make_strategy(training.strategy)
    replicas = strategy.num_replicas_in_sync
    if training.batch_size % replicas:
        raise ValueError(
            f"`batch_size` {training.batch_size} cannot be shared by "
            f"{replicas} replicas; give a multiple of {replicas}"
        )
    if training.xla and replicas > 1:
        raise ValueError(
            f"`xla` compiles for one device, and `strategy={training.strategy}`"
            f" has {replicas} replicas; leave one of them out"
        )
    keras.utils.set_random_seed(training.seed)
    if training.deterministic:
        tf.config.experimental.enable_op_determinism()
    keras.mixed_precision.set_dtype_policy(resolve_precision(training))
    return strategy


def resolve_precision(training: TrainingSettings) -> str:
    """Returns the Keras policy name; `auto` follows the hardware.

    On a CPU `auto` is float32, since 16-bit arithmetic is 5 to 40 times
    slower there; only bfloat16 on processors with AVX512-BF16 is quicker.
    """
    if training.precision != "auto":
        return training.precision
    if training.strategy == "tpu":
        return "mixed_bfloat16"
    has_gpu = bool(tf.config.list_physical_devices("GPU"))
    return "mixed_float16" if has_gpu else "float32"


def describe_devices(strategy: tf.distribute.Strategy) -> str:
    """Says on what a strategy computes: GPUs by name, or the CPU's cores."""
    replicas = strategy.num_replicas_in_sync
    if isinstance(strategy, tf.distribute.TPUStrategy):
        return f"{replicas} TPU core(s)"
    gpus = tf.config.list_physical_devices("GPU")
    if strategy is tf.distribute.get_strategy() and replicas == 1:
        gpus = gpus[:1]  # The default strategy leaves the others idle.
    details = map(tf.config.experimental.get_device_details, gpus)
    names = [each.get("device_name", "without a name") for each in details]
    here = ", ".join(f"GPU {name}" for name in names)
    here = here or f"CPU ({os.cpu_count()} cores)"
    return here if replicas == 1 else f"{replicas} replicas, here {here}"


@contextlib.contextmanager
def keep_precision(policy: str | None = None) -> Iterator[None]:
    """Puts the process's Keras policy back after a block.

    Args:
      policy: the name of the one that holds inside; None is the present one.
    """
    before = keras.mixed_precision.dtype_policy()
    try:
        keras.mixed_precision.set_dtype_policy(policy or before)
        yield
    finally:
        keras.mixed_precision.set_dtype_policy(before)


def make_strategy(name: str) -> tf.distribute.Strategy:
    """Makes the strategy of a name.

    Raises:
      ValueError: TF_CONFIG or the TPU is missing; the text says what to set.
    """
    if name == "default":
        return tf.distribute.get_strategy()
    if name == "mirrored":
        gpus = tf.config.list_logical_devices("GPU")
        cpus = tf.config.list_logical_devices("CPU")
        return tf.distribute.MirroredStrategy(
            [device.name for device in gpus or cpus]
        )
    if name == "multi_worker":
        _check_tf_config()
        return tf.distribute.MultiWorkerMirroredStrategy()
    return _make_tpu_strategy()


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process is the one that writes the results."""
    resolver = strategy.cluster_resolver
    if resolver is None or resolver.task_type is None:
        return True
    is_only = "chief" not in resolver.cluster_spec().jobs
    is_first_worker = resolver.task_type == "worker" and resolver.task_id == 0
    return resolver.task_type == "chief" or (is_only and is_first_worker)


class WorkerLostError(ConnectionError):
    """Another worker of the job has ended; the text says what to do."""


@contextlib.contextmanager
def explain_lost_worker(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """Turns what TensorFlow says when a worker is gone into advice.

    Raises:
      WorkerLostError: the job has several workers, and an operation that
        needs them all has failed.
    """
    try:
        yield
    except tf.errors.OpError as error:
        if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
            raise
        raise WorkerLostError(
            "a worker of this job has ended or cannot be reached "
            f"({type(error).__name__}). Finished epochs are saved: mend it and "
            "type the same command again on every machine"
        ) from error


def wait_for_all(strategy: tf.distribute.Strategy) -> None:
    """Returns once every worker of a multi-worker job has come here."""
    if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        arrived = strategy.run(lambda: tf.constant(1.0))
        strategy.reduce("SUM", arrived, axis=None).numpy()


@contextlib.contextmanager
def own_folder(
    workdir: pathlib.Path, strategy: tf.distribute.Strategy
) -> Iterator[pathlib.Path]:
    """The workdir for the chief; for others a folder that is thrown away.

    Every worker saves, because reading a variable that is kept in several
    places may need all of them; none continues before the chief has saved.
    """
    if is_chief(strategy):
        yield workdir
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield pathlib.Path(folder)
    wait_for_all(strategy)


def is_so_for_all(strategy: tf.distribute.Strategy, answer: bool) -> bool:
    """Whether every worker of the job answers yes; all must ask."""
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return answer
    said = strategy.run(lambda: tf.constant(float(answer)))
    total = strategy.reduce("SUM", said, axis=None).numpy()
    return int(total) == strategy.num_replicas_in_sync


def _check_tf_config() -> None:
    advice = (
        "Set it on each machine, for example: TF_CONFIG='"
        '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, '
        '"task": {"type": "worker", "index": 0}}\''
    )
    text = os.environ.get("TF_CONFIG")
    if not text:
        raise ValueError(f"`strategy=multi_worker` needs TF_CONFIG. {advice}")
    try:
        config = json_files.parse(text)
        workers = [a for job in config["cluster"].values() for a in job]
        complete = {"type", "index"} <= set(config["task"]) and workers
    except (ValueError, KeyError, TypeError, AttributeError):
        complete = False
    if not complete:
        raise ValueError(f"TF_CONFIG is not usable: {text!r}. {advice}")


def _make_tpu_strategy() -> tf.distribute.Strategy:
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver("")
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
    except (ValueError, tf.errors.OpError) as error:
        raise ValueError(
            "`strategy=tpu` found no TPU. Run on a TPU VM, or set TPU_NAME; "
            f"TensorFlow said: {str(error).splitlines()[0]}"
        ) from error
    return tf.distribute.TPUStrategy(resolver)
