"""Flags of a dataclass's settings, of every type, and back."""

import dataclasses
import pathlib

import pytest
from absl import flags

from trainer.settings import derived_flags
from trainer.settings import field
from trainer.settings.field import setting


@dataclasses.dataclass(frozen=True)
class Example:
    """One setting of each type, under names that no command has."""

    given: str
    example_number: int = setting(3, "A number.", lower=1, upper=9)
    rate: float = setting(0.5, "A rate.", lower=0, flag="example_rate")
    example_kind: str = setting("a", "A kind.", choices=("a", "b"))
    example_is_on: bool = setting(False, "A switch.")
    example_names: tuple[str, ...] = setting(("x", "y"), "Names.")
    example_widths: tuple[int, ...] = setting((1, 2), "Widths.")
    example_folder: pathlib.Path = setting(pathlib.Path("some"), "A folder.")
    example_out: pathlib.Path | None = setting(None, "Perhaps a folder.")
    example_text: str | None = setting(None, "Perhaps a text.")


@pytest.fixture(scope="module")
def parse():
    """Parses arguments into the values of `Example`."""
    derived_flags.define(Example)
    names = [field.flag_name(each) for each in field.settings_of(Example)]

    def values_of(*arguments):
        values = flags.FlagValues()
        for name in names:
            values[name] = flags.FLAGS[name]
            values[name].unparse()
        values(["command", *arguments])
        return derived_flags.values_of(Example, values)

    yield values_of
    for name in names:
        delattr(flags.FLAGS, name)


def test_no_flags_give_the_defaults_and_the_same_bounds(parse):
    values = parse()
    assert Example("x", **values) == Example("x")
    assert "given" not in values
    field.check_settings(Example("x"))
    with pytest.raises(ValueError, match="example_rate"):
        field.check_settings(Example("x", rate=-1.0))


@pytest.mark.parametrize(
    ("argument", "name", "value"),
    [
        ("--example_number=4", "example_number", 4),
        ("--example_rate=2", "rate", 2.0),
        ("--example_kind=b", "example_kind", "b"),
        ("--example_is_on", "example_is_on", True),
        ("--example_names=z", "example_names", ("z",)),
        ("--example_names=", "example_names", ()),
        ("--example_widths=5,6", "example_widths", (5, 6)),
        ("--example_folder=a/b", "example_folder", pathlib.Path("a/b")),
        ("--example_folder=", "example_folder", pathlib.Path()),
        ("--example_out=c", "example_out", pathlib.Path("c")),
        ("--example_out=", "example_out", None),
        ("--example_text=words", "example_text", "words"),
    ],
)
def test_a_flag_reaches_its_field(parse, argument, name, value):
    assert parse(argument)[name] == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("example_number", "0"), ("example_number", "10")),
        *(("example_rate", "-1"), ("example_kind", "c")),
        ("example_widths", "1,wide"),
    ],
)
def test_what_a_setting_excludes_is_refused_by_its_flag(parse, name, value):
    with pytest.raises((ValueError, flags.Error), match=name):
        parse(f"--{name}={value}")


def test_flags_belong_to_the_module_that_asked_for_them(parse):
    modules = flags.FLAGS.flags_by_module_dict()
    assert "trainer.settings.derived_flags" not in modules
    assert "widths" in {
        flag.name for flag in modules["trainer.settings.cli_flags"]
    }
