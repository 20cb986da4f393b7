"""Rows on a terminal of any width: a table where one can be read, a block of lines for each row where not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

READABLE = 14  # characters of a column below which words stand in a tower
BETWEEN, EDGES = 3, 2  # of the columns of a table: characters between two, and of both edges
PAIR = 2  # columns that are a name and what it is: they stay a table, and a long word is folded


@dataclass(frozen=True, slots=True)
class Records:
    """Rows under their heads; nothing of a row is ever left out, and no word is cut that fits a line.

    The first column is the id of a row: it is never broken, so that it can be copied.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """What is printed in the width that there is."""
        cells = list(zip(self.columns, *self.rows, strict=True))
        widths = column_widths(cells, options.max_width)
        if widths:
            yield self._table(widths)
        else:
            yield from self._blocks()

    def _table(self, widths: Sequence[int]) -> Table:
        made = Table(box=SIMPLE_HEAD, title=self.title or None, title_justify="left", pad_edge=False)
        for number, (name, width) in enumerate(zip(self.columns, widths, strict=True)):
            first = number == 0
            made.add_column(name, overflow="fold", no_wrap=first, width=width, style="bold" if first else "")
        for row in self.rows:
            made.add_row(*map(Text, row))
        return made

    def _blocks(self) -> Iterator[RenderableType]:
        if self.title:
            yield Text(f"{self.title}\n", style="italic")
        widest = max(map(len, self.columns[1:]), default=0)
        for row in self.rows:
            yield Text(row[0], style="bold", overflow="fold")
            lines = Table.grid(padding=(0, 2, 0, 0))
            lines.add_column(width=widest, style="dim")
            lines.add_column(overflow="fold")
            for name, cell in zip(self.columns[1:], row[1:], strict=True):
                if cell:
                    lines.add_row(name, Text(cell))
            yield Padding(lines, (0, 0, 1, 2))


def column_widths(cells: Sequence[Sequence[str]], room: int) -> list[int] | None:
    """How wide each column is, its head included; None where a word would be cut, or a column is too narrow.

    Examples
    --------
    >>> column_widths([("id", "rebuild"), ("outcome", "primary met and well tolerated"), ("n", "50")], 40)
    [7, 23, 2]
    >>> column_widths([("id", "rebuild"), ("outcome", "primary met and well tolerated"), ("n", "50")], 28)
    """
    room -= EDGES + BETWEEN * (len(cells) - 1)
    natural = [max(len(line) for cell in column for line in cell.split("\n")) for column in cells]
    least = [natural[0], *map(_least, cells[1:], natural[1:])]
    if len(cells) == PAIR:
        least[1] = min(least[1], max(room - least[0], READABLE))
    if sum(least) > room:
        return None
    for limit in range(max(natural), 0, -1):
        widths = [max(low, min(high, limit)) for low, high in zip(least, natural, strict=True)]
        if sum(widths) <= room:
            return widths
    return least


def _least(column: Sequence[str], natural: int) -> int:
    word = max((len(word) for cell in column for word in cell.split()), default=0)
    return max(word, min(natural, READABLE))
