"""What separates the cells of a CSV file: programs differ in that."""

_SEPARATORS = ",;\t"


def split_header(line: str) -> tuple[list[str], str]:
    """Cuts the first line of a CSV file into cells.

    Args:
        line: names of columns, which hold no separator themselves.

    Returns:
        The cells, without blanks and quotes around them, and the separator: a
        comma, a semicolon or a tab.
    """
    separator = max(_SEPARATORS, key=line.count)
    return split_cells(line, separator), separator


def split_cells(line: str, separator: str) -> list[str]:
    """Cuts a line into cells, without blanks and quotes around them."""
    return [cell.strip(' \t\r\n"') for cell in line.split(separator)]
