"""Searches for settings with KerasTuner, on features that are computed once."""
