"""Predictions to metrics, charts and report."""
