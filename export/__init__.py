"""From a finished run to files that other programs and devices load."""
