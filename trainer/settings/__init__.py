"""Every choice of a run: its default, bounds, help and flag."""
