"""Six examples whose figures the tests work out by hand."""

import numpy as np

# Predictions: ant, bee, bee, bee, cat, ant.
LABELS = np.array([0, 0, 1, 1, 2, 2], np.int32)
PROBABILITIES = np.array([
    [0.7, 0.2, 0.1], [0.3, 0.5, 0.2], [0.1, 0.8, 0.1],
    [0.2, 0.6, 0.2], [0.1, 0.3, 0.6], [0.5, 0.1, 0.4],
], np.float32)  # fmt: skip
