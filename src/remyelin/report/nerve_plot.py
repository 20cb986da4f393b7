"""A picture of when the action potentials of a nerve arrive."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from remyelin.conduction import Arrivals

from .canvas import Picture, canvas, markup, saved
from .colour import ARMS, FAINT, INK, LOSS, MUTED
from .given import labels_for, need_each
from .words import number, shortened

COLOURS = (INK, LOSS, *ARMS, FAINT, MUTED)  # the first nerve is mostly the intact one
SHARES = np.linspace(0.0, 1.0, 201)
APART = 5.0  # per cent between two labels


def draw_arrivals(
    arrivals: Arrivals | Sequence[Arrivals],
    *,
    labels: Sequence[str] = (),
    title: str = "",
    name: str = "arrivals",
    path: Path | str | None = None,
) -> Picture:
    """Draw how large a part of the axons of each nerve has arrived by when, as SVG.

    A late curve is further right, a spread one is flatter, and one that ends lower has blocked axons.

    Parameters
    ----------
    arrivals
        Of one nerve or up to 8, from `NerveBundle.arrive`.
    labels
        A name for each.
    title
        Words above.
    name
        Prefix of the ids, so that several figures can stand on one page.
    path
        Also write the figure to this file.

    Returns
    -------
    Picture
        An SVG element, which a notebook shows: the same arrivals give the same bytes, and nothing is fetched.

    Raises
    ------
    InputError
        For more than 8 nerves, or labels that are not one for each.

    Examples
    --------
    >>> import numpy as np
    >>> from remyelin.conduction import Arrivals
    >>> nerve = Arrivals(np.array([0.7, 0.9]), np.array([20.0, 15.0]), np.zeros(2), np.zeros(2, bool), 37.0)
    >>> draw_arrivals(nerve, labels=["intact"]).startswith('<svg class="chart"')
    True
    """
    fix = "give bundle.arrive() of a conduction.NerveBundle"
    rows = need_each(Arrivals, "arrivals", arrivals, "the arrivals of a nerve or a list of them", fix)
    named = labels_for("nerves", [f"nerve {k + 1}" for k in range(len(rows))], labels)
    said = [f"{label}: {_sentence(row)}" for label, row in zip(named, rows, strict=True)]
    with canvas(7.6, 3.8) as (figure, ((ax,),)):
        ends = [100 * (1 - row.fraction_blocked) for row in rows]
        for row, end, colour in zip(rows, ends, COLOURS, strict=False):
            if end:
                ax.plot(row.quantiles_ms(SHARES), end * SHARES, color=colour, lw=1.8)
        for label, row, at, colour in zip(named, rows, _spread(ends), COLOURS, strict=False):
            words = f"{shortened(label, 30)}\n{_sentence(row)}"
            ax.text(
                1.02, at, words, transform=ax.get_yaxis_transform(), color=colour, va="center", fontsize=8
            )
        ax.set_ylim(0, 102)
        ax.set_xlabel("time from one end of the nerve to the other, ms")
        ax.set_ylabel("axons that have arrived, %")
        if title:
            ax.set_title(shortened(title, 80))
        picture = markup(figure, name, f"Arrivals. {'; '.join(said)}")
    return saved(picture, path)


def _sentence(row: Arrivals) -> str:
    if row.blocked.all():
        return "all blocked"
    median = number(float(row.quantiles_ms(0.5)), 1)
    return f"median {median} ms, {number(100 * row.fraction_blocked, 0)} % blocked"


def _spread(heights: Sequence[float]) -> list[float]:
    """The heights, moved downwards as far as two lines of words need."""
    placed = dict[int, float]()
    ceiling = np.inf
    for k in sorted(range(len(heights)), key=lambda k: (-heights[k], k)):
        placed[k] = min(heights[k], ceiling)
        ceiling = placed[k] - 2 * APART
    lift = max(0.0, APART - min(placed.values(), default=APART))
    return [placed[k] + lift for k in range(len(heights))]
