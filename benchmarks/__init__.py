"""One script per claim; each writes its own table."""
