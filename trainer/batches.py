"""How many images are predicted, or made ready for it, at a time.

A module of its own because processes need the number that may load no
Keras, or another generation of it.
"""

# Over all devices; measured to be past the knee on two cores for every
# backbone here.
PREDICT_BATCH_SIZE = 256
