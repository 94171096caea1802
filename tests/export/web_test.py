"""Tests of `python -m export --web`, and of which files LiteRT.js takes."""

import json

import pytest

from benchmarks import visits
from export import exporter
from export import options as options_lib
from export.options import ExportError
from export.web import model_check
from export.web import sources
from tests.edge import brightness
from tests.export import export_fixtures
from tests.export.export_fixtures import options
from tests.web import browsers
from tests.web import pipes

FOLLOWS = "--tflite --recipes=int8 --io=uint8"


@pytest.mark.parametrize(
    ("changes", "advice"),
    [
        ({"tflite": False}, "give --tflite"),
        ({"io": "int8"}, "give --io=uint8"),
        ({"recipes": ("int8", "int16x8")}, "leave int16x8 out"),
        ({"recipes": ("int16x8",), "io": "int8"}, "leave int16x8 out"),
    ],
    ids=str,
)
def test_what_litert_js_refuses_is_refused_at_once(tmp_path, changes, advice):
    wanted = {"tflite": True, "web": True, **changes}
    with pytest.raises(ExportError, match=advice):
        options_lib.check(options(tmp_path / "run", **wanted))


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("dynamic_batch", "its batch is open"), ("int8", "its input is int8")],
)
def test_other_files_are_refused_with_the_recipe_to_use(kind, reason):
    with pytest.raises(ExportError, match=reason) as refusal:
        model_check.check(brightness.model_path(kind))
    assert FOLLOWS in str(refusal.value)


@pytest.mark.parametrize("kind", ["float32", "uint8", "uint8_to_float32"])
def test_files_that_litert_js_takes_pass(kind):
    model_check.check(brightness.model_path(kind))


def test_any_run_becomes_a_page_that_answers_as_python_does(tmp_path):
    try:
        sources.check()
    except ExportError as error:
        browsers.missing(str(error))
    browsers.find("chromium")
    wanted = {"recipes": ("float32", "dynamic", "int8"), "parity_images": 7}
    folder = exporter.export_run(
        options(
            export_fixtures.workdir(),
            out=tmp_path / "export",
            tflite=True,
            web=True,
            **wanted,
        )
    )
    page = folder / exporter.WEB
    models = json.loads((page / "settings.json").read_text())["models"]
    assert models[0]["name"] in ("model_int8", "model_dynamic")
    assert len(models) == 3
    served = visits.Site(page)
    with served.serve(), pipes.open_pipe() as pipe:
        session = pipe.open_page()
        pipe.visit(session, f"{served.address}?check")
        said = pipe.evaluate(
            session, "return document.getElementById('status').textContent;"
        )
    assert said.count("the check is passed") == 3, said
    assert "model_int8: 10 of 10 golden pictures" in said
