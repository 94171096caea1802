"""Takes the pictures of the page that the documents show; drawn faces only.

  python -m tests.web.screenshots [--out=docs/pictures]

Look at each of them before it is committed.
"""

import argparse
import base64
import pathlib
import tempfile

from benchmarks import visits
from export.web import layout
from tests.web import pipes
from tests.web import scenes

# Name -> width, height, scheme of colours, picture.
SHOTS = {
    "web_phone": (360, 800, "light", "phone.png"),
    "web_tablet": (768, 1024, "dark", "group.png"),
    "web_desktop": (1280, 960, "light", "group.png"),
}
GROUP = (
    ("happy", 3, 60, 110, 300),
    ("surprise", 4, 410, 50, 230),
    ("sad", 6, 680, 300, 230),
    ("angry", 4, 920, 70, 300),
)
PHONE = (("happy", 5, 40, 60, 300), ("surprise", 0, 350, 150, 260))
# A calm wall behind them.
WALL = {"levels": (150, 172), "noise": 0}
GIVE = """
  const blob = await (await fetch('NAME')).blob();
  const given = new DataTransfer();
  given.items.add(new File([blob], 'NAME', { type: blob.type }));
  const input = document.getElementById('file');
  input.files = given.files;
  input.dispatchEvent(new Event('change'));
  const answer = document.getElementById('answer');
  while (answer.hidden) await new Promise((r) => setTimeout(r, 50));
"""


def take(pipe, address, shot):
    """Opens the page, gives it the picture and returns a PNG."""
    width, height, scheme, picture = shot
    session = pipe.open_page()
    pipe.show_as(session, width=width, height=height, scheme=scheme)
    pipe.visit(session, address)
    pipe.evaluate(session, GIVE.replace("NAME", picture))
    shown = pipe.ask(
        "Page.captureScreenshot", session, captureBeyondViewport=True
    )
    return base64.b64decode(shown["data"])


def main():
    """Writes every picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, default="docs/pictures")
    out = parser.parse_args().out
    with tempfile.TemporaryDirectory() as folder:
        site = pathlib.Path(folder) / "site"
        layout.write(site, layout.shipped_models())
        scenes.draw(GROUP, (1280, 580), **WALL).save(site / "group.png")
        scenes.draw(PHONE, (640, 480), **WALL).save(site / "phone.png")
        served = visits.Site(site)
        with served.serve(), pipes.open_pipe() as pipe:
            for name, shot in SHOTS.items():
                content = take(pipe, served.address, shot)
                (out / f"{name}.png").write_bytes(content)
                print(f"{out / name}.png: {len(content):,} bytes")


if __name__ == "__main__":
    main()
