"""People's own labelled pictures, in the forms in which they have them."""
