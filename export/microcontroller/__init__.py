"""The int8 file as C."""
