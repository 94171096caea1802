"""How a command's process says to another process how it ended.

    0  it did what was asked
    1  FAILED: any other foreseen error; the message says which
    3  DIVERGED: the training loss became infinite or NaN
    4  DISK_FULL: no room to write; the same command may succeed later
  130  stopped by Ctrl-C; the message says what is kept
  143  stopped by SIGTERM; likewise

Python itself ends with 1 after an exception and with 2 where it cannot
start. An error that has a code of its own names it in its attribute
`exit_code`. Must not import TensorFlow.
"""

import errno

FAILED = 1
DIVERGED = 3
DISK_FULL = 4

# No space, no quota, and a file beyond the size that the system allows.
DISK_IS_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def is_disk_full(error: Exception) -> bool:
    """Whether the system refused to write for want of room."""
    return getattr(error, "errno", None) in DISK_IS_FULL


def of(error: Exception) -> int:
    """Returns the exit code of a process that ends with this error."""
    if is_disk_full(error):
        return DISK_FULL
    return getattr(error, "exit_code", FAILED)
