"""The weights that a run has kept, read back."""

import h5py
import numpy as np


def read_weights(workdir):
    """Path inside the file -> array, of the best epoch."""
    found = {}

    def keep(name, item):
        if isinstance(item, h5py.Dataset):
            found[name] = np.array(item)

    with h5py.File(workdir / "best.weights.h5") as file:
        file.visititems(keep)
    return found


def assert_equal(first, second, tolerance=0.0):
    """Both runs ended with the same weights."""
    expected, got = read_weights(first), read_weights(second)
    assert expected.keys() == got.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(
            value, got[name], rtol=0, atol=tolerance, err_msg=name
        )
