"""The most memory that a process has had. Needs nothing but Python."""

import pathlib
import resource
import sys


def peak_memory_mb() -> float:
    """Returns the most memory that this process has had, in million bytes."""
    status = pathlib.Path("/proc/self/status")
    if status.is_file():
        # Of this program alone: getrusage also counts what the parent was
        # before it became this one.
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Bytes on macOS, KiB elsewhere: getrusage(2).
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
