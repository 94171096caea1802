"""Data: raw files as people have them -> prepared records.

Imports nothing else of this project, no Keras, and defines no flags.
"""
