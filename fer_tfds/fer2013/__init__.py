"""The FER-2013 data set builder."""
