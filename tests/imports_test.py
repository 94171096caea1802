"""Which way imports run, and that each package is the one in this folder."""

import ast
import importlib
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parent.parent
PACKAGES = ("fer_tfds", "trainer", "tuning", "export", "edge", "benchmarks")

# Of the data package: what needs the standard library alone.
SHARED = {"fer_tfds.labels", "fer_tfds.locks"}
# package -> what it may import of ours.
ALLOWED = {
    # Pictures, faces and model files are read as a device reads them.
    "fer_tfds": {"fer_tfds", "edge"},
    "trainer": {"trainer", "edge"} | SHARED,
    "tuning": {"tuning", "trainer"} | SHARED,
    "export": {"export", "trainer", "edge"} | SHARED,
    "edge": {"edge"},
    "benchmarks": {
        "benchmarks",
        "fer_tfds",
        "trainer",
        "tuning",
        "export",
        "edge",
    },
}
# library -> the only files that may import it.
CONFINED = {
    "sklearn": {"trainer/evaluation/metrics.py"},
    "matplotlib": {
        "export/measure/latency_chart.py",
        "trainer/evaluation/charts.py",
        "tuning/charts.py",
    },
    "jinja2": {
        "export/microcontroller/c_sources.py",
        "trainer/evaluation/report.py",
    },
    "ai_edge_litert": {
        "edge/blazeface.py",
        "edge/network.py",
        "trainer/released.py",
    },
    "cv2": {"edge/opencv.py"},
    "keras_tuner": {
        "tuning/oracles.py",
        "tuning/search.py",
        "tuning/service.py",
        "tuning/tuner.py",
    },
    "tf_keras": {"export/compression/worker.py"},
    "tensorflow_model_optimization": {"export/compression/worker.py"},
}
# The only files, beside commands, that define or read flags.
FLAG_FILES = (
    "trainer/settings/cli_flags.py",
    "trainer/settings/derived_flags.py",
)
WITHOUT_TENSORFLOW = (
    "edge",
    "export/agreement.py",
    "export/microcontroller/c_sources.py",
    "export/bounds.py",
    "export/choices.py",
    "export/compression/exchange.py",
    "export/compression/options.py",
    "export/measure/latency_child.py",
    "export/measure/peak_memory.py",
    "export/options.py",
    "fer_tfds/labels.py",
    "fer_tfds/locks.py",
    "fer_tfds/audit.py",
    "fer_tfds/cleaning.py",
    "fer_tfds/contact_sheet.py",
    "fer_tfds/affectnet/buckets.py",
    "fer_tfds/affectnet/rejects.py",
    "fer_tfds/drawing",
    "fer_tfds/synthetic.py",
    "fer_tfds/sources",
    "trainer/batches.py",
    "trainer/evaluation/charts.py",
    "trainer/compare.py",
    "trainer/exit_codes.py",
    "trainer/files.py",
    "trainer/json_files.py",
    "trainer/evaluation/intervals.py",
    "trainer/evaluation/train_overlap.py",
    "trainer/evaluation/matching.py",
    "trainer/evaluation/metrics.py",
    "trainer/evaluation/predictions.py",
    "trainer/evaluation/calibration.py",
    "trainer/evaluation/report.py",
    "trainer/evaluation/robustness.py",
    "trainer/run_folder.py",
    "trainer/settings/derived_flags.py",
    "trainer/settings/field.py",
    "trainer/settings/settings.py",
    "trainer/evaluation/stored_runs.py",
    "trainer/evaluation/subgroups.py",
    "tuning/charts.py",
    "tuning/importance.py",
    "tuning/options.py",
    "tuning/report.py",
    "tuning/results.py",
    "tuning/space.py",
)
FILES = [
    path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if "build" not in path.relative_to(ROOT).parts
]

# Packages that read JSON files which users and killed processes damage.
READ_JSON = [
    path
    for path in FILES
    if path.relative_to(ROOT).parts[0] in ("trainer", "export", "tuning")
]


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def imported(path):
    """Full names of everything a file imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}: relative import"
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def starts_with(name, prefix):
    return name == prefix or name.startswith(prefix + ".")


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_run_the_allowed_way(path):
    package = path.relative_to(ROOT).parts[0]
    ours = (*PACKAGES, "tests")
    for name in imported(path):
        if any(starts_with(name, other) for other in ours):
            allowed = ALLOWED[package]
            assert any(starts_with(name, prefix) for prefix in allowed), name
        assert name.split(".")[-1] != "__main__", name


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_libraries_stay_where_they_belong(path):
    for name in imported(path):
        library = name.split(".")[0]
        if library in CONFINED:
            assert name_of(path) in CONFINED[library], name
        if name_of(path).startswith(WITHOUT_TENSORFLOW):
            assert library not in ("tensorflow", "keras"), name
    if path.relative_to(ROOT).parts[0] == "fer_tfds":
        assert not any(starts_with(n, "keras") for n in imported(path))


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_flags_are_defined_in_their_own_files_only(path):
    if name_of(path) in FLAG_FILES or path.name == "__main__.py":
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            assert not node.attr.startswith("DEFINE_"), f"line {node.lineno}"
        if isinstance(node, ast.Attribute) and node.attr == "FLAGS":
            assert name_of(path) == "trainer/console.py", node.lineno


@pytest.mark.parametrize("path", READ_JSON, ids=name_of)
def test_json_is_parsed_in_one_place(path):
    """Where it is bounded, and damage is told with the name of the file."""
    if name_of(path) == "trainer/json_files.py":
        return
    assert not imported(path) & {"json.load", "json.loads"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        is_named = isinstance(node, ast.Attribute)
        if is_named and node.attr in ("load", "loads", "JSONDecoder"):
            assert ast.unparse(node.value) != "json", f"line {node.lineno}"


def test_the_walk_sees_what_is_there():
    assert len(FILES) > 30
    train = imported(ROOT / "trainer" / "train.py")
    assert "trainer.loop" in train
    assert "keras" in train


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_is_the_one_in_this_folder(package):
    module = importlib.import_module(package)
    assert pathlib.Path(module.__file__).parent == ROOT / package


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_files_are_short_and_say_what_they_are(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    assert ast.get_docstring(ast.parse(text))


def functions_of(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_functions_are_short_and_take_few_arguments_by_position(path):
    for node in functions_of(path):
        assert node.end_lineno - node.lineno < 50, node.name
        places = [
            each.arg for each in (*node.args.posonlyargs, *node.args.args)
        ]
        taken = [name for name in places if name not in ("self", "cls")]
        assert len(taken) <= 3, f"{node.name}{tuple(taken)}"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_functions_are_typed(path):
    for node in functions_of(path):
        given = node.args
        named = [*given.posonlyargs, *given.args, *given.kwonlyargs]
        named += filter(None, (given.vararg, given.kwarg))
        untyped = [
            each.arg
            for each in named
            if each.annotation is None and each.arg not in ("self", "cls")
        ]
        assert not untyped, f"{node.name}{tuple(untyped)}"
        assert node.returns or node.name == "__init__", node.name
