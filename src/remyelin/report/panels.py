"""A panel of a page: one question, its answer, a figure and the numbers behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

Cell = str | Markup
"""Text is escaped by the template; Markup is what this package drew itself."""

MOST_ROWS = 400
QUALITY_WORDS = {"pass": "✓ pass", "flag": "⚑ flag", "fail": "✕ fail"}


@dataclass(frozen=True, slots=True)
class Table:
    """A table of cells ready for the page.

    Parameters
    ----------
    caption
        What one row is.
    columns
        Headings; one that begins with ``"#"`` heads a column of numbers, set flush right.
    rows
        (row, column) cells.
    empty
        What to say when there are no rows.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    empty: str = "Nothing to show."

    @property
    def shown(self) -> tuple[tuple[Cell, ...], ...]:
        """The rows that a page has room for; all of them stand in the output folder."""
        return self.rows[:MOST_ROWS]

    @property
    def headings(self) -> tuple[tuple[str, bool], ...]:
        """Words of each heading, and whether its column holds numbers."""
        return tuple((name.removeprefix("#"), name.startswith("#")) for name in self.columns)


@dataclass(frozen=True, slots=True)
class Panel:
    """One question of a reader, answered.

    Parameters
    ----------
    id
        Anchor on the page.
    question, answer
        In words; the answer stands without the figure.
    figures
        Inline SVG with its caption.
    table
        The numbers.
    method
        How they were made.
    doi
        Source of the method, where it has one.
    unfolded
        Whether the numbers are open when the page opens.
    """

    id: str
    question: str
    answer: str
    figures: tuple[tuple[Markup, str], ...] = ()
    table: Table | None = None
    method: str = ""
    doi: str = ""
    unfolded: bool = False


@dataclass(frozen=True, slots=True)
class Headline:
    """What stands on top of a page: the answer before everything that it rests on.

    Parameters
    ----------
    kicker
        What the number is.
    number
        The number, large.
    aside
        What belongs to the number, as its interval; empty where nothing does.
    sentence
        The same in plain words.
    figure
        The number and its interval on a line; None where there is no interval.
    """

    kicker: str
    number: str
    aside: str
    sentence: str
    figure: Markup | None = None


def quality_chip(quality: str) -> Markup:
    """The quality of a value as sign, word and colour, so that none of them carries it alone."""
    name = quality if quality in QUALITY_WORDS else "flag"
    return Markup('<span class="chip {}">{}</span>').format(name, QUALITY_WORDS.get(quality, quality))


def worst(qualities: Sequence[str]) -> str:
    """The worst of several qualities; ``"pass"`` of none.

    Examples
    --------
    >>> worst(["pass", "fail", "flag"])
    'fail'
    """
    order = ("pass", "flag", "fail")
    return max(qualities, key=lambda q: order.index(q) if q in order else 1, default="pass")
