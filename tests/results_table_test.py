import pytest

from benchmarks import results_table


def test_the_table_goes_between_the_markers_and_nowhere_else(tmp_path):
    path = tmp_path / "README.md"
    path.write_text("a\n<!-- results -->\nold\n<!-- /results -->\nb\n")
    results_table.put_between_markers(path, "| new |")
    assert path.read_text() == (
        "a\n<!-- results -->\n| new |\n<!-- /results -->\nb\n"
    )


def test_a_page_without_markers_is_left_alone(tmp_path):
    path = tmp_path / "README.md"
    path.write_text("nothing")
    with pytest.raises(ValueError, match="<!-- results -->"):
        results_table.put_between_markers(path, "| new |")
    assert path.read_text() == "nothing"
