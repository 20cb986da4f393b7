"""Telling the user how far a run is: a bar on a terminal, plain lines elsewhere, always on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Tell = Callable[[str, int], None]


@contextmanager
def telling(total: int, shown: bool) -> Iterator[Tell]:
    """A function of a line and of the number of jobs that it reports as settled."""
    if not shown:
        yield lambda line, settled: None
    elif sys.stderr.isatty():
        with _bar(total) as tell:
            yield tell
    else:
        yield _plain(total)


def _plain(total: int) -> Tell:
    count = 0

    def tell(line: str, settled: int) -> None:
        nonlocal count
        count += settled
        with suppress(OSError):  # a full disk under a log must not stop the work
            sys.stderr.write(f"[{count} of {total}] {line}\n")
            sys.stderr.flush()

    return tell


@contextmanager
def _bar(total: int) -> Iterator[Tell]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)

        def tell(line: str, settled: int) -> None:
            bar.console.print(line, markup=False, highlight=False, soft_wrap=True)
            bar.advance(task, settled)

        yield tell
