"""Folders, zip and tar archives, all seen alike."""
