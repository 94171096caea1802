"""The text of `python -m trainer --help`."""

import re

from absl import flags

from trainer.settings import cli_flags  # noqa: F401, defines the flags
from trainer.settings import manual
from trainer.settings import settings as settings_lib


def test_every_flag_is_explained_once_with_its_default():
    text = manual.manual()
    for _, field in settings_lib.fields():
        usage = re.findall(
            rf"^  --(?:\[no\])?{field.name}[= ](.*)\n      (.*)", text, re.M
        )
        assert len(usage) == 1, field.name
        default, words = usage[0]
        assert default.removeprefix("(default: ").rstrip(")") == shown(field)
        shorter = min(len(words), len(field.metadata["help"]))
        assert words[:shorter] == field.metadata["help"][:shorter]
    for flag in ("workdir", "overwrite"):
        assert re.search(rf"^  --(\[no\])?{flag}", text, re.M)


def shown(field):
    if field.type is bool:
        return {True: "on", False: "off"}[field.default]
    text = flags.FLAGS[field.name].default_as_str or ""
    return text.strip("'")


def test_choices_bounds_and_sections_are_named_in_lines_that_fit():
    text = " ".join(manual.manual().split())
    assert "One of: none, balanced, effective_number." in text
    assert "Largest rotation, in degrees either way. From 0 to 180." in text
    assert max(map(len, manual.manual().splitlines())) <= manual.WIDTH
    found = re.findall(r"^([A-Z]+): ", manual.manual(), re.M)
    assert found == [name.upper() for name in settings_lib.GROUPS]
