"""Drawn faces, and their writing in every raw layout: the only fake data."""
