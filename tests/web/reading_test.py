"""The page for those with a keyboard, a phone, a screen reader, a bad host."""

import pytest

from benchmarks import visits
from export.web import server
from tests.web import browsers
from tests.web import pipes
from tests.web import sites

FOCUSED = "return document.activeElement.id || document.activeElement.className"
GIVE = """
const given = new DataTransfer();
const blob = await (await fetch('given/crowd.png')).blob();
given.items.add(new File([blob], 'crowd.png', { type: 'image/png' }));
document.getElementById('file').files = given.files;
document.getElementById('file').dispatchEvent(new Event('change'));
while (document.getElementById('answer').hidden)
  await new Promise((resolve) => setTimeout(resolve, 50));
"""
PROBLEM = """
const problem = document.getElementById('problem');
for (let turn = 0; problem.hidden && turn < 200; turn++)
  await new Promise((resolve) => setTimeout(resolve, 50));
return [problem.textContent, document.getElementById('status').textContent];
"""
PHONE = {"width": 360, "height": 740, "scheme": "light"}
WIDTHS = """return [document.documentElement.scrollWidth, innerWidth];"""
# The least contrast of the texts of the page, as WCAG counts it.
CONTRAST = """
const parts = (text) => text.match(/[\\d.]+/g).map(Number);
const light = (c) => c.slice(0, 3).map((v) => v / 255).map((v) =>
  v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const ground = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const colour = parts(getComputedStyle(at).backgroundColor);
    if (colour.length < 4 || colour[3] > 0) return colour;
  }
};
const texts = [...document.querySelectorAll(
  'h1, h2, h3, p, td, th, button:enabled, label, a, .percent, li > span',
)].filter((element) => element.innerText.trim() && element.offsetParent);
const each = texts.map((element) => {
  const ink = light(parts(getComputedStyle(element).color)) + 0.05;
  const behind = light(ground(element)) + 0.05;
  return [Math.max(ink, behind) / Math.min(ink, behind), element.outerHTML];
});
return each.sort((a, b) => a[0] - b[0])[0];
"""


@pytest.fixture(scope="module")
def phone():
    """A browser, and the page at 360 pixels with a picture in it."""
    browsers.find("chromium")
    served = visits.Site(sites.folder())
    with served.serve(), pipes.open_pipe() as pipe:
        session = pipe.open_page()
        pipe.show_as(session, **PHONE)
        pipe.visit(session, f"{served.address}?nothing")
        pipe.evaluate(session, GIVE)
        yield pipe, session


def test_a_phone_needs_no_scrolling_sideways(phone):
    pipe, session = phone
    assert pipe.evaluate(session, WIDTHS) == [360, 360]


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_all_texts_stand_out_from_their_ground(phone, scheme):
    pipe, session = phone
    pipe.show_as(session, **{**PHONE, "scheme": scheme})
    ground = "return getComputedStyle(document.body).backgroundColor"
    is_dark = pipe.evaluate(session, ground) == "rgb(22, 22, 24)"
    assert is_dark == (scheme == "dark")
    contrast, element = pipe.evaluate(session, CONTRAST)
    assert contrast >= 4.5, element


def test_the_tab_key_reaches_everything_in_the_order_of_the_page(phone):
    pipe, session = phone
    pipe.evaluate(session, "document.activeElement.blur()")
    reached = []
    for _ in range(8):
        pipe.press(session, "Tab")
        reached.append(pipe.evaluate(session, FOCUSED))
    assert reached[:6] == [
        *("choose", "camera", "model", "save", "forget", "scroller"),
    ]


def test_keys_choose_a_model_and_forget_the_table(phone):
    pipe, session = phone
    pipe.evaluate(session, "document.getElementById('model').focus()")
    pipe.press(session, "ArrowDown")
    chosen = "return document.getElementById('model').value"
    assert pipe.evaluate(session, chosen) == "pocket"
    pipe.evaluate(session, "document.getElementById('forget').focus()")
    pipe.press(session, "Enter", text="\r")
    rows = "return document.getElementById('rows').rows.length"
    assert pipe.evaluate(session, rows) == 0
    # What was pressed stays, but nobody should have to look for the focus.
    assert pipe.evaluate(session, FOCUSED) == "choose"


def test_a_screen_reader_is_told_what_the_picture_shows(phone):
    pipe, session = phone
    tree = pipe.ask("Accessibility.getFullAXTree", session)["nodes"]
    said = {
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in tree
        if not node.get("ignored")
    }
    roles = {role for role, _ in said}
    assert {"heading", "status", "main", "banner", "contentinfo"} <= roles
    (picture,) = [name for role, name in said if role == "image"]
    assert picture.startswith("8 faces: face 1 happy 96%, face 2 surprise")
    assert ("button", "Choose pictures or a video") in said
    assert ("combobox", "Model") in said


def test_a_server_that_calls_modules_no_javascript_is_told(phone, monkeypatch):
    pipe, _ = phone
    types = server.Handler.extensions_map
    monkeypatch.setitem(types, ".mjs", "application/octet-stream")
    with visits.Site(sites.folder()).serve() as served:
        session = pipe.open_page()
        pipe.load(session, served.address)
        problem, status = pipe.evaluate(session, PROBLEM, pipes.STARTING)
    assert problem.startswith("The page could not start.")
    assert status == ""
