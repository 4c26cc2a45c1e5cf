"""Cells as lines of text."""

from collections.abc import Iterator, Sequence

Cell = Sequence[str]
"""Row, column and text."""


def lines(cells: Sequence[Cell]) -> Iterator[str]:
    rows, columns = (list(dict.fromkeys(cell[index] for cell in cells)) for index in (0, 1))
    texts = {(row, column): text for row, column, text in cells}
    grid = [["", *columns], *([row, *(texts.get((row, column), "-") for column in columns)] for row in sorted(rows))]
    widths = [max(len(line[index]) for line in grid) for index in range(len(columns) + 1)]
    for line in grid:
        yield "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
