"""Size, latency and memory of the files."""
