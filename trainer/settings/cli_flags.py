"""Command-line flags of training: one for each setting, and the folders.

The flags of settings are derived from `trainer.settings.settings`; this is the
only module that defines flags for training.
"""

import copy
import os
from typing import Any

from absl import flags

from trainer.settings import derived_flags
from trainer.settings import idle_settings
from trainer.settings import settings as settings_lib

WORKDIR = flags.DEFINE_string(
    "workdir",
    None,
    "Folder of the run; default: runs/BACKBONE. A run that was interrupted "
    "resumes after its last finished epoch.",
)
OVERWRITE = flags.DEFINE_bool(
    "overwrite", False, "Begin again, deleting the run in --workdir."
)


def settings_from_flags(
    values: flags.FlagValues = flags.FLAGS,
) -> settings_lib.Settings:
    """Builds Settings from parsed flags.

    Raises:
      ValueError: values contradict each other, or are not numbers.
    """
    flat: dict[str, Any] = {}
    for kind in settings_lib.GROUPS.values():
        flat |= derived_flags.values_of(kind, values)
    return settings_lib.from_flat(flat)


def read_flagfile(path: str | os.PathLike) -> settings_lib.Settings:
    """Builds Settings from a flagfile alone, whatever the command line says.

    Flagfiles that it names are looked for in the current folder.

    Raises:
      ValueError: values contradict each other, or are not numbers.
      absl.flags.Error: it is no such file, or has unknown flags.
    """
    values = copy.deepcopy(flags.FLAGS)
    values(["command", f"--flagfile={os.fspath(path)}"])
    return settings_from_flags(values)


def to_flags(
    settings: settings_lib.Settings, *, only_changed: bool = False
) -> list[str]:
    """Returns settings as flags; on demand only those that are no default."""
    defaults = settings_lib.Settings().flat()
    return [
        f"--{name}={_as_text(value)}"
        for name, value in settings.flat().items()
        if value is not None and not (only_changed and value == defaults[name])
    ]


def idle_line(settings: settings_lib.Settings) -> str:
    """Returns a line that names flags without effect, or "" without any."""
    reasons = idle_settings.idle_settings(settings)
    changed = to_flags(settings, only_changed=True)
    named = {flag.partition("=")[0][2:]: flag for flag in changed}
    parts = [f"{named[name]} ({why})" for name, why in reasons.items()]
    return f"without effect here: {', '.join(parts)}" if parts else ""


def to_flagfile(settings: settings_lib.Settings, workdir: str) -> str:
    """Returns the text of a flagfile that repeats a run."""
    lines = [f"--workdir={workdir}", *to_flags(settings)]
    return "\n".join(lines) + "\n"


def _as_text(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(str(part) for part in value)
    return str(value)


for _kind in settings_lib.GROUPS.values():
    derived_flags.define(_kind)
