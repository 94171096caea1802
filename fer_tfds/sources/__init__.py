"""Reading raw data sets into plain numpy records, without TensorFlow.

One file for each form in which the data comes, and one file for each data
set that says which forms it comes in. Nothing here writes to disk.
"""
