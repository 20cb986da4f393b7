"""What a command answers with tables: on a terminal for people, as JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import RenderableType

WIDTH = 110  # of lines that go to a file or another program


@dataclass(frozen=True, slots=True)
class Page:
    """An answer: `data` for machines, `parts` (called when they are shown) for people, and the exit code."""

    data: Any
    parts: Callable[[], Iterable[RenderableType]]
    exit_code: int = 0


def tell(page: Page, as_json: bool) -> int:
    """Print a page and give its exit code."""
    if as_json:
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
    """A table with a line below its head, whose first column is not broken."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    made = Table(box=SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False)
    for number, name in enumerate(columns):
        made.add_column(name, overflow="fold", no_wrap=number == 0, style="bold" if number == 0 else "")
    for row in rows:
        made.add_row(*(Text(str(cell)) for cell in row))
    return made


def words(text: str, style: str = "") -> RenderableType:
    """A paragraph."""
    from rich.text import Text

    return Text(text, style=style)
