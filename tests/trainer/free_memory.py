"""Memory that is free, as the tests want it."""

from trainer.data import room

# Decoded, all 378 images of the prepared data.
ALL = 378 * 48 * 48


def set_free(monkeypatch, size):
    """Lets so many bytes be free."""

    class Memory:
        available = size

    monkeypatch.setattr(room.psutil, "virtual_memory", Memory)
