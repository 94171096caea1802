"""FER-2013 and FER+, in every form that people have them."""
