"""People's own labelled pictures as a data set."""
