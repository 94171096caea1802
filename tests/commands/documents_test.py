"""Every command, file and link that the documents name is there."""

import importlib.util
import json
import re

import pytest

from tests.commands.command_line import ROOT
from tests.commands.command_line import python

PAGES = [
    ROOT / name
    for name in ("README.md", "BUILD.md", "CONTRIBUTING.md", "CHANGELOG.md")
]
PAGES += [ROOT / "edge" / "README.md", ROOT / "benchmarks" / "RESULTS.md"]
PAGES += sorted((ROOT / "docs").glob("*.md"))
PAGES += sorted((ROOT / "notebooks").glob("*.ipynb"))
WRAP = 100
FENCE = re.compile(r"^```.*?^```", re.M | re.S)


def name_of(page):
    return page.relative_to(ROOT).as_posix()


def text_of(page):
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".ipynb":
        cells = json.loads(text)["cells"]
        return "\n".join("".join(cell["source"]) for cell in cells)
    return text


def commands(text):
    """`(module, its flags)` of each `python -m` line of ours."""
    found = set()
    text = re.sub(r'"\n *f?" ', " ", text)  # Strings of Python, continued.
    for line in re.split(r"[\n`;]|&&", text.replace("\\\n", " ")):
        match = re.search(r"\bpython -m ([a-z_]\w*(?:\.\w+)*)(.*)", line)
        if match and (ROOT / match[1].split(".")[0]).is_dir():
            names = re.findall(r"(?<=\s)--(\w+)", match[2].split("#")[0])
            found.add((match[1], tuple(names)))
    return found


def flags_of(module, option):
    done = python("-m", module, option)
    names = set(re.findall(r"--(?:\[no\])?(\w+)", done.stdout + done.stderr))
    return names | {f"no{name}" for name in names}


ALL = sorted({found for page in PAGES for found in commands(text_of(page))})


@pytest.mark.parametrize("module", sorted({module for module, _ in ALL}))
def test_commands_know_their_flags(module):
    typed = {name for each, names in ALL if each == module for name in names}
    typed -= {"help", "flagfile"}
    known = flags_of(module, "--help") if typed else set()
    if not typed <= known:
        known |= flags_of(module, "--helpfull")
    assert typed <= known
    assert importlib.util.find_spec(module) is not None


def test_commands_are_seen():
    assert len(ALL) > 25
    assert ("trainer", ("flagfile",)) in ALL
    # Of the notebook.
    assert ("edge", ("model", "out", "overwrite")) in ALL
    assert ("trainer", ("flagfile", "fine_tune_epochs")) in ALL


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    text = FENCE.sub("", text_of(page))
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_headings_that_links_name_are_there(page):
    for target, heading in re.findall(
        r"\]\(([^)#\s]*)#([^)]+)\)", text_of(page)
    ):
        other = page.parent / target if target else page
        headings = re.findall(r"^#+ (.*)$", text_of(other), re.M)
        slugs = [
            re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-")
            for each in headings
        ]
        assert heading in slugs


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_prose_is_wrapped_and_tables_are_narrow(page):
    for line in FENCE.sub("", text_of(page)).splitlines():
        if line.startswith("|"):
            columns = len(re.split(r"(?<!\\)\|", line)) - 2
            assert columns <= 6, line
        elif "](" not in line:
            assert len(line) <= WRAP, line


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_files_of_the_project_are_named_as_they_are(page):
    names = (
        r"`((?:fer_tfds|trainer|tuning|export|edge|benchmarks|tests|recipes)"
    )
    for name in re.findall(names + r"/[\w/.]+)`", text_of(page)):
        assert (ROOT / name).exists(), name


def test_the_lines_of_python_in_readme_run(tmp_path):
    from PIL import Image

    code = re.search(r"```python\n(.*?)```", text_of(PAGES[0]), re.S)[1]
    Image.new("L", (48, 48), 90).save(tmp_path / "FACE.png")
    done = python("-c", code, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "happy" in done.stdout
