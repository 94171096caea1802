"""What an installed distribution takes on disk, with all that it needs.

  python benchmarks/installed_size.py fer-edge

prints one line of JSON: bytes, and how many distributions. Needs nothing but
Python, so that it runs in any environment that is to be measured.
"""

import json
import pathlib
import re
import sys
from importlib import metadata


def measure(name: str) -> dict[str, int]:
    """Adds up the files of a distribution and of what it requires.

    Compiled copies (`.pyc`) are left out: they come and go.

    Raises:
      importlib.metadata.PackageNotFoundError: it is not installed here.
    """
    metadata.distribution(name)
    found, waiting, total = {}, [name], 0
    while waiting:
        key = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if key in found:
            continue
        try:
            distribution = metadata.distribution(key)
        except metadata.PackageNotFoundError:
            continue  # for another system, or another Python
        found[key] = _bytes(distribution)
        waiting += [
            re.match(r"[\w.-]+", text)[0]
            for text in distribution.requires or ()
            if "extra ==" not in text
        ]
    total = sum(found.values())
    return {"bytes": total, "distributions": len(found)}


def _bytes(distribution: metadata.Distribution) -> int:
    paths = [file.locate() for file in distribution.files or ()]
    folder = _editable_folder(distribution)
    if folder is not None:
        paths += [*folder.glob("*.py"), *folder.glob("models/*")]
    return sum(
        path.stat().st_size
        for path in map(pathlib.Path, paths)
        if path.suffix != ".pyc" and path.is_file()
    )


def _editable_folder(
    distribution: metadata.Distribution,
) -> pathlib.Path | None:
    """Where the code of a distribution lies that is installed editable."""
    text = distribution.read_text("direct_url.json")
    if not text or not json.loads(text).get("dir_info", {}).get("editable"):
        return None
    return pathlib.Path(json.loads(text)["url"].removeprefix("file://"))


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1])))
