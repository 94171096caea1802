"""Pruning, clustering and training for int8, in a child process."""
