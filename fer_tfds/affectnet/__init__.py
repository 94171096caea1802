"""The AffectNet data set builder."""
