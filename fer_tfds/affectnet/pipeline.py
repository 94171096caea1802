"""Runs the two steps of building AffectNet, the second one as a Beam pipeline.

What a shard holds is the business of `buckets` and
`affectnet_shards`; this module runs them, and judges what came out.
"""

import contextlib
import dataclasses
import functools
import logging
import math
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import apache_beam as beam
import tensorflow_datasets as tfds
from apache_beam.options import pipeline_options
from apache_beam.runners.portability.fn_api_runner import fn_runner
from apache_beam.transforms import environments

from fer_tfds.affectnet import buckets
from fer_tfds.affectnet import progress
from fer_tfds.affectnet import rejects
from fer_tfds.affectnet import shards as affectnet_shards
from fer_tfds.affectnet.shards import Shard
from fer_tfds.affectnet.shards import ShardJob
from fer_tfds.sources.affectnet.records import Reject
from fer_tfds.sources.affectnet.settings import CopySettings

# Rows that are built before anything else, spread over all: they show within
# seconds that pictures are broken or in another place.
_NUM_PROBES = 200
_MAX_DAMAGED_PROBES = 0.5


@dataclasses.dataclass(frozen=True)
class BeamSettings:
    """How to build, from TFDS's `DownloadConfig`."""

    runner: beam.runners.PipelineRunner | str | None
    options: pipeline_options.PipelineOptions | None
    num_shards: int | None
    max_examples: int | None


def build(
    job: ShardJob,
    settings: CopySettings,
    how: BeamSettings,
    *,
    rejects_path: Path,
) -> list[tfds.core.SplitInfo]:
    """Builds all splits.

    Args:
        job: what to build; its folder is made, and removed in the end. After
            a failure TFDS removes it with all the rest.
        settings: what is expected of the copy.
        how: by which runner, and how much.
        rejects_path: the list of rejects that is left for the user.

    Returns:
        The splits that hold an example.

    Raises:
        SourceError: too many rows cannot be used, or the numbers of examples
            are not those expected.
    """
    where = f"{job.source.path} ({job.source.form})"
    job.folder.mkdir()
    check = functools.partial(
        rejects.check_fraction,
        max_fraction=settings.max_rejected_fraction,
        where=where,
    )
    counts = buckets.spool_rows(job.source, job.folder)
    print(f"  {sum(counts.values()):,} rows with a picture", flush=True)
    by_row = rejects.write_list(rejects_path, _rejects(job, []))
    check(by_row, sum(counts.values()) + by_row.num_rejects)
    _look_at_some(job, counts, settings, where=where)
    shards, num_rows = _fill_buckets(job, counts, how)
    with progress.report(job.folder, len(shards)):
        _run(shards, job, how)
    tally = rejects.write_list(rejects_path, _rejects(job, shards))
    print(tally.describe() or "  no row skipped", flush=True)
    # A sample of the rows is compared with their rejects alone, and has not
    # the numbers of examples that are expected of all.
    if how.max_examples is None:
        num_rows += by_row.num_rejects
    else:
        tally = tally.without(by_row)
        settings = dataclasses.replace(settings, expected_counts=None)
    check(tally, num_rows)
    return _finish(job, settings, shards, where=where)


def _rejects(job: ShardJob, shards: list[Shard]) -> Iterator[Reject]:
    yield from buckets.read_rejects(job.folder)
    for shard in shards:
        yield from affectnet_shards.read_summary(job.folder, shard)[1]


def _look_at_some(
    job: ShardJob, counts: dict[str, int], settings: CopySettings, *, where: str
) -> None:
    """Builds some rows without keeping them, and fails if most are damaged."""
    rows = [
        row
        for split in counts
        for row in buckets.read_spread(
            job.folder, split, _NUM_PROBES // len(counts)
        )
    ]
    tally = rejects.Tally()
    with job.source.open() as load:
        for result in affectnet_shards.make_examples(rows, load, job.size_px):
            if isinstance(result, Reject):
                tally.add(result)
    allowed = max(_MAX_DAMAGED_PROBES, settings.max_rejected_fraction)
    rejects.check_fraction(
        tally, len(rows), allowed, where=f"{where}, a look at some rows"
    )


def _fill_buckets(
    job: ShardJob, counts: dict[str, int], how: BeamSettings
) -> tuple[list[Shard], int]:
    """Returns the shards of all splits, and how many rows are in them."""
    shards, num_rows = [], 0
    for split, count in counts.items():
        if how.max_examples is not None:
            count = min(count, how.max_examples)
        num_shards = how.num_shards or math.ceil(count / buckets.ROWS_PER_SHARD)
        buckets.fill_buckets(
            job.folder, split, num_shards, max_rows=how.max_examples
        )
        shards += [Shard(split, i, num_shards) for i in range(num_shards)]
        num_rows += count
    return shards, num_rows


def _run(shards: list[Shard], job: ShardJob, how: BeamSettings) -> None:
    # TFDS can write from Beam in two ways, and neither holds here. Its
    # BeamWriter groups all serialized examples by shard, which DirectRunner
    # keeps in memory; its ShardBasedBuilder makes a stage of each shard, which
    # DirectRunner runs one after the other, split after split. Here an element
    # is the number of a shard, and all shards are one stage.
    options, runner = _complete(how)
    with _quiet(), beam.Pipeline(runner=runner, options=options) as pipeline:
        _ = (
            pipeline
            | "Shards" >> beam.Create(shards)
            | "Write" >> beam.Map(affectnet_shards.write_shard, job)
        )


def _complete(
    how: BeamSettings,
) -> tuple[
    pipeline_options.PipelineOptions, beam.runners.PipelineRunner | str | None
]:
    """Options and runner, with what the user has not asked for filled in."""
    # Without flags it would take those of the `tfds` command for its own.
    options = how.options or pipeline_options.PipelineOptions([])
    asked = (
        how.runner or options.view_as(pipeline_options.StandardOptions).runner
    )
    if asked in (None, "DirectRunner"):
        # DirectRunner would first download a program (Prism) and run that;
        # this is what it does where it cannot.
        direct = options.view_as(pipeline_options.DirectOptions)
        if direct.direct_running_mode == "multi_processing":
            direct.direct_running_mode = "in_memory"  # else it takes its own
            return options, fn_runner.FnApiRunner(_quiet_processes())
        return options, "FnApiRunner"
    return options, how.runner


def _quiet_processes() -> environments.Environment:
    """Workers in processes of their own, for FnApiRunner.

    As Beam starts them they report on themselves by the dozen lines, and on
    Ctrl-C each with a traceback: here they get neither a screen nor the
    signal, and end with the process that has started them.
    """
    return environments.SubprocessSDKEnvironment.from_command_string(
        f"trap '' INT; exec {shlex.quote(sys.executable)} -m "
        "apache_beam.runners.worker.sdk_worker_main 2>/dev/null"
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps Beam's reports on itself, some hundred lines, from the console.

    What goes wrong it raises as well.
    """
    logger = logging.getLogger("apache_beam")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _finish(
    job: ShardJob, settings: CopySettings, shards: list[Shard], *, where: str
) -> list[tfds.core.SplitInfo]:
    infos, counts = [], {}
    for split in dict.fromkeys(shard.split for shard in shards):
        num_shards = sum(shard.split == split for shard in shards)
        info, counts[split] = affectnet_shards.finish(job, split, num_shards)
        infos += [info] if info.num_examples else []
    table = rejects.check_counts(counts, settings, where)
    print(table, flush=True)
    shutil.rmtree(job.folder)
    return infos
