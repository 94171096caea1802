"""JSON that was cut, edited or never ours: one message, with the file."""

import dataclasses
import json

import pytest

from trainer import json_files


@dataclasses.dataclass
class Kept:
    """What a test keeps in a file."""

    count: int
    share: float = 0.5
    rows: list[dict] = dataclasses.field(default_factory=list)


def read(path):
    return json_files.read(
        path,
        lambda value: json_files.as_dataclass(Kept, value),
        advice="begin again",
    )


def test_what_was_written_is_read(tmp_path):
    kept = Kept(3, 1, [{"a": None}])
    (tmp_path / "x").write_text(json.dumps(dataclasses.asdict(kept)))
    assert read(tmp_path / "x") == kept


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "Expecting value"),
        (b'{"count": 3', "Expecting ',' delimiter"),
        (b'{"count": "\xff"}', "can't decode byte 0xff"),
        (b"[" * 10**5, "nested too deeply"),
        (b'{"count":' * 10**5, "nested too deeply"),
        (b"[" * 60 + b"]" * 60, "nested more than 50 deep"),
        (b'{"count": 1' + b"0" * 5000 + b"}", "Exceeds the limit"),
        (b" " * 2**24 + b"{}", "more than 16,777,216 bytes"),
        (b"null", "it holds no object but None"),
        (b"[3]", "it holds no object"),
        (b"{}", "missing 1 required"),
        (b'{"count": 3, "size": 4}', "unexpected keyword argument 'size'"),
        (b'{"count": 3.5}', "`count` is no int: 3.5"),
        (b'{"count": 3, "share": "half"}', "`share` is no float: 'half'"),
        (b'{"count": 3, "rows": {}}', "`rows` is no list"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_damage_is_said_with_the_file_and_what_to_do(tmp_path, data, message):
    path = tmp_path / "kept.json"
    path.write_bytes(data)
    with pytest.raises(json_files.DamagedFileError) as caught:
        read(path)
    said = str(caught.value)
    assert said.startswith(f"{path} is damaged or of another version (")
    assert message in said
    assert said.endswith(": begin again")
    assert len(said.splitlines()) == 1
    assert len(said) < 350 + len(str(path))


def test_a_missing_file_is_named_by_its_error(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.json"):
        read(tmp_path / "none.json")
