"""More of edge/classifier.py: every recipe, delegates, top-k, threads."""

import concurrent.futures
import shutil
import subprocess

import numpy as np
import pytest

import edge
from edge import options
from edge import runner
from edge import video
from edge.detector import Detector
from export import choices
from export import tflite
from export import tflite_recipes
from tests import prepared
from tests.edge import brightness
from tests.edge import edge_fixtures

# Every recipe with every type that its ends may have.
ENDS = [
    (recipe, io)
    for recipe in tflite_recipes.RECIPES
    for io in choices.IO_TYPES
    if recipe in tflite_recipes.CALIBRATED or io == choices.IO_TYPES[0]
]
# The parts of TensorFlow Lite's C interface that a delegate has to have. It
# counts how often it is asked and leaves every operation to the CPU.
DELEGATE = """
#include <stdint.h>
#include <stdlib.h>
typedef struct TfLiteDelegate {
  void* data;
  int (*prepare)(void*, struct TfLiteDelegate*);
  int (*copy_from)(void*, void*, int, void*);
  int (*copy_to)(void*, void*, int, void*);
  void (*free_handle)(void*, void*, int*);
  int64_t flags;
  void* builder;
} TfLiteDelegate;
static int asked = 0;
int times_asked(void) { return asked; }
static int prepare(void* context, TfLiteDelegate* self) { ++asked; return 0; }
TfLiteDelegate* tflite_plugin_create_delegate(
    const char* const* keys, const char* const* values, size_t count,
    void (*report)(const char*)) {
  TfLiteDelegate* made = calloc(1, sizeof(TfLiteDelegate));
  made->prepare = prepare;
  return made;
}
void tflite_plugin_destroy_delegate(TfLiteDelegate* made) { free(made); }
"""


@pytest.mark.parametrize(("recipe", "io"), ENDS)
def test_every_recipe_and_type_that_export_writes_answers(tmp_path, recipe, io):
    brightness.convert("float32")  # Writes the SavedModel.
    folder = prepared.scratch() / "brightness_float32"
    convert = tflite_recipes.RECIPES[recipe]
    path = tmp_path / "model.tflite"
    path.write_bytes(convert(str(folder), brightness.pictures(50), io))
    tflite.append_metadata(path, brightness.LABELS, brightness.METADATA)
    images = brightness.pictures(11)
    answers = edge.Classifier(path).probabilities(images)
    np.testing.assert_allclose(answers, brightness.expected(images), atol=0.03)


def test_top_k_keeps_the_most_probable():
    model = edge.Classifier(edge_fixtures.model_path())
    picture = np.full([20, 20], 250, np.uint8)
    everything = list(model.classify(picture).items())
    assert list(model.classify(picture, top_k=2).items()) == everything[:2]
    assert model.classify([picture], top_k=1) == [dict(everything[:1])]
    assert len(model.classify(picture, top_k=9)) == 3
    with pytest.raises(ValueError, match="`top_k` must be at least 1"):
        model.classify(picture, top_k=0)


@pytest.fixture(scope="module")
def delegate(tmp_path_factory):
    """A delegate for this machine, compiled here."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler (cc) to build a delegate with")
    folder = tmp_path_factory.mktemp("delegate")
    (folder / "delegate.c").write_text(DELEGATE)
    library = folder / "libdelegate.so"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-o", library, folder / "delegate.c"],
        check=True,
    )
    return library


def test_a_delegate_is_asked_and_answers_stay(delegate):
    import ctypes

    library = ctypes.CDLL(str(delegate))
    assert library.times_asked() == 0
    model = edge.Classifier(edge_fixtures.model_path(), delegate=delegate)
    assert library.times_asked() >= 1
    images = brightness.pictures(5)
    plain = edge.Classifier(edge_fixtures.model_path())
    np.testing.assert_allclose(
        model.probabilities(images), plain.probabilities(images), atol=2 / 256
    )


@pytest.mark.parametrize("kind", ["missing", "text", "other"])
def test_a_wrong_delegate_is_refused(tmp_path, delegate, kind, capfd):
    path = tmp_path / "lib.so"
    if kind == "text":
        path.write_text("no library")
    elif kind == "other":
        compiler = shutil.which("cc")
        (tmp_path / "a.c").write_text("int a;")
        command = [compiler, "-shared", "-o", path, tmp_path / "a.c"]
        subprocess.run(command, check=True)
    with pytest.raises(ValueError, match=r"cannot load the delegate .*lib\.so"):
        edge.Classifier(edge_fixtures.model_path(), delegate=path)
    assert capfd.readouterr().err == ""


def test_classify_may_be_called_from_many_threads():
    """Pictures of many sizes at once, and each gets its own answer."""
    model = edge.Classifier(edge_fixtures.model_path(), num_threads=2)
    levels = [0, 60, 120, 180, 250] * 8
    several = [
        np.full([8 + index, 40 - index], level, np.uint8)
        for index, level in enumerate(levels[:32])
    ]
    alone = [model.classify(picture) for picture in several]
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        for _ in range(10):
            assert list(threads.map(model.classify, several)) == alone


def test_a_camera_and_a_caller_may_share_a_classifier(capsys):
    """The whole loop in one thread while another one classifies."""
    path = str(edge_fixtures.video_path())
    model = f"--model={edge_fixtures.model_path()}"
    run = runner.Runner(options.parse([model, "--json", path]))
    shared = run._classifier
    images = brightness.pictures(5)
    whole = shared.probabilities(images)
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        looked = threads.submit(run.run)
        while not looked.done():
            np.testing.assert_array_equal(shared.probabilities(images), whole)
        assert looked.result() == 0
    assert capsys.readouterr().out.count("\n") == 12


def test_known_crops_in_a_video_get_their_own_answers():
    """Dark, grey and light squares where a network finds bright ones."""
    from edge import analyser
    from edge.boxes import Box
    from edge.boxes import CropRule

    class Known(Detector):
        name = "haar"

        def find(self, picture, least_px=None, *, is_frame=False):
            return [Box(8, 8, 16, 16), Box(40, 8, 16, 16), Box(72, 8, 16, 16)]

    picture = np.zeros([40, 96, 3], np.uint8)
    picture[8:24, 40:56] = 128
    picture[8:24, 72:88] = 255
    picture[8:24:2, ::8] += 5  # One grey level is no face to judge.
    model = edge.Classifier(edge_fixtures.model_path())
    found = analyser.Analyser(model, Known(), CropRule(0.0)).analyse(picture)
    assert [next(iter(f.probabilities)) for f in found] == list(
        brightness.LABELS
    )
    frame = video.Frame(picture, 0, 0.0)
    assert frame.pixels is picture
