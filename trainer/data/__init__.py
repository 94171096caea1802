"""Prepared records to augmented batches."""
