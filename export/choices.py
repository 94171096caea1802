"""What the export command may be asked for, and what an export is known by.

No TensorFlow here: a wrong flag is refused with this before that loads.
"""

# In `export.tflite_recipes` there is a function of each name.
RECIPES = ("float32", "float16", "dynamic", "int8", "int16x8")
# What the input and output of an integer file may be: raw pixels, the same
# less 128 (for kernels that know signed bytes only), or floating point.
IO_TYPES = ("uint8", "int8", "float32")
# In the folder of every export; says what a client must know of the model.
METADATA = "metadata.json"
