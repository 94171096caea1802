"""The C sources that `export.microcontroller.write` fills in; text and nothing
else.

`@name@` stands for a value.
"""

HEADER = """\
/* Written by the exporter from @file@; do not edit. */
#ifndef FER_MODEL_DATA_H_
#define FER_MODEL_DATA_H_

#ifdef __cplusplus
extern "C" {
#endif

#define FER_MODEL_BYTES @length@
#define FER_MODEL_FNV1A @checksum@u
#define FER_SIZE @size@
#define FER_CHANNELS @channels@
#define FER_INPUT_BYTES @input_bytes@
#define FER_CLASSES @classes@
#define FER_GOLDEN_COUNT @count@
/* Other processors round otherwise: steps of 1/256 that are allowed. */
#define FER_GOLDEN_TOLERANCE @tolerance@

/* The ends of the model are @end@; pictures are rows of raw pixels. */
extern const unsigned char fer_model[FER_MODEL_BYTES];
extern const char *const fer_labels[FER_CLASSES];
/* FER_GOLDEN_COUNT pictures, and the answers to them, one after another, as
   the bytes of the model's own tensors. */
extern const unsigned char fer_golden_inputs[];
extern const unsigned char fer_golden_outputs[];

#ifdef __cplusplus
}
#endif
#endif  /* FER_MODEL_DATA_H_ */
"""

SELF_CHECK = """\
/* Does the array hold the model that was exported? Plain C, runs anywhere:
     cc -o self_check self_check.c model_data.c && ./self_check [model.tflite]
   With a file it also compares the array with the file, byte by byte. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "model_data.h"

static uint32_t fnv1a(const unsigned char *bytes, unsigned long count) {
  uint32_t value = 0x811c9dc5u;
  for (unsigned long i = 0; i < count; ++i) {
    value = (value ^ bytes[i]) * 0x01000193u;
  }
  return value;
}

static int compare_with_file(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file) {
    fprintf(stderr, "cannot open %s\\n", path);
    return 1;
  }
  for (unsigned long i = 0; i < FER_MODEL_BYTES; ++i) {
    int byte = fgetc(file);
    if (byte != fer_model[i]) {
      fprintf(stderr, "byte %lu is %d in %s and %d here\\n", i, byte, path,
              fer_model[i]);
      fclose(file);
      return 1;
    }
  }
  fclose(file);
  return 0;
}

int main(int argc, char **argv) {
  if (fnv1a(fer_model, FER_MODEL_BYTES) != FER_MODEL_FNV1A) {
    fprintf(stderr, "the array is damaged\\n");
    return 1;
  }
  if (memcmp(fer_model + 4, "TFL3", 4) != 0) {
    fprintf(stderr, "the array is no TFLite model\\n");
    return 1;
  }
  if (argc > 1 && compare_with_file(argv[1])) return 1;
  printf("model: %d bytes, %d x %d x %d -> %d classes (", FER_MODEL_BYTES,
         FER_SIZE, FER_SIZE, FER_CHANNELS, FER_CLASSES);
  for (int i = 0; i < FER_CLASSES; ++i) {
    printf(i ? " %s" : "%s", fer_labels[i]);
  }
  printf("), %d golden vectors\\n", FER_GOLDEN_COUNT);
  return 0;
}
"""

EXAMPLE = """\
// Runs the golden vectors through TensorFlow Lite for Microcontrollers.
// Returns 0 when every answer is what the exporter saw. Build it inside a TFLM
// tree, beside model_data.c.
#include <cstdint>
#include <cstring>

#include "model_data.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

#ifndef FER_ARENA_BYTES
@arena@
#endif

alignas(16) static uint8_t arena[FER_ARENA_BYTES];

int main() {
  static tflite::MicroMutableOpResolver<@operator_count@> resolver;
@registrations@
  const tflite::Model* model = tflite::GetModel(fer_model);
  if (model->version() != TFLITE_SCHEMA_VERSION) return 1;
  static tflite::MicroInterpreter interpreter(model, resolver, arena,
                                              FER_ARENA_BYTES);
  if (interpreter.AllocateTensors() != kTfLiteOk) return 3;
  for (int picture = 0; picture < FER_GOLDEN_COUNT; ++picture) {
    std::memcpy(interpreter.input(0)->data.raw,
                fer_golden_inputs + picture * FER_INPUT_BYTES,
                FER_INPUT_BYTES);
    if (interpreter.Invoke() != kTfLiteOk) return 4;
    const unsigned char* expected =
        fer_golden_outputs + picture * FER_CLASSES;
    for (int i = 0; i < FER_CLASSES; ++i) {
      // Both shifted alike, so signed ends compare like unsigned ones.
      int answered = interpreter.output(0)->data.@end@[i];
      int wanted = static_cast<@end@_t>(expected[i]);
      int off = answered > wanted ? answered - wanted : wanted - answered;
      if (off > FER_GOLDEN_TOLERANCE) return 5;
    }
  }
  return 0;
}
"""
