"""AffectNet, in every form that people have it."""
