"""What a command answers with tables: on a terminal for people, as JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import RenderableType

WIDTH = 110  # of lines that go to a file or another program


@dataclass(frozen=True, slots=True)
class Page:
    """An answer: `data` for machines, `parts` (called when they are shown) for people, and the exit code.

    `rows`: the same as a table, where it is one and a spreadsheet asked for it.
    """

    data: Any
    parts: Callable[[], Iterable[RenderableType]]
    exit_code: int = 0
    rows: pd.DataFrame | None = None


def tell(page: Page, as_json: bool) -> int:
    """Print a page and give its exit code."""
    if page.rows is not None:
        print(page.rows.to_csv(index=False), end="")  # noqa: T201
    elif as_json:
        print(json.dumps(page.data, indent=1, ensure_ascii=False))  # noqa: T201
    else:
        show(page.parts())
    return page.exit_code


def show(parts: Iterable[RenderableType]) -> None:
    """Print for people: as wide as the terminal; where there is none, plain lines of at most `WIDTH`."""
    from rich.console import Console

    terminal = Console(markup=False, highlight=False, emoji=False)
    if terminal.is_terminal:
        for part in parts:
            terminal.print(part)
        return
    plain = Console(markup=False, highlight=False, emoji=False, width=WIDTH, no_color=True)
    with plain.capture() as captured:
        for part in parts:
            plain.print(part)
    print("\n".join(line.rstrip() for line in captured.get().rstrip("\n").split("\n")))  # noqa: T201


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str = "") -> RenderableType:
    """A table; where a word would be cut in it, a block of lines for each row instead."""
    from .table import Records

    return Records(tuple(columns), tuple(tuple(map(str, row)) for row in rows), title)


def words(text: str, style: str = "") -> RenderableType:
    """A paragraph."""
    from rich.text import Text

    return Text(text, style=style)


def indented(text: str) -> RenderableType:
    """A paragraph that belongs to the line above it."""
    from rich.padding import Padding

    return Padding(words(text), (0, 0, 0, 4))
