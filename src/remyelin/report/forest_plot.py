"""A forest plot: every study, its weight, the pooled effect, and where the next study would lie."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from remyelin.trial.meta.result import MetaAnalysis

from .canvas import Picture, canvas, markup, saved
from .colour import FAINT, GAIN, INK, MUTED, RULE
from .given import need
from .words import number, p_value, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SQUARE_PT = 13.0  # side of the square of the heaviest study
WIDTH_IN = 9.2
NOTE_WIDTH, NOTE_IN = 116, 0.175  # characters of a line of notes, and its height


def forest(
    meta: MetaAnalysis,
    *,
    ratio: bool = False,
    directions: tuple[str, str] = ("lower with treatment", "higher with treatment"),
    digits: int = 2,
    title: str = "",
    notes: Sequence[str] = (),
    name: str = "forest",
    path: Path | str | None = None,
) -> Picture:
    """Draw a meta-analysis as SVG.

    Parameters
    ----------
    meta
        A meta-analysis without moderators.
    ratio
        The effects are logarithms of ratios: the axis and the numbers show the ratios.
    directions
        What an effect on the left, and on the right, of no effect means.
    digits
        Decimals of the numbers.
    title
        Words above the studies; the estimand where there is none.
    notes
        What a reader must know besides, below the axis: each begins a line.
    name
        Prefix of the ids, so that several figures can stand on one page.
    path
        Also write the figure to this file.

    Returns
    -------
    Picture
        An SVG element, which a notebook shows: the same numbers give the same bytes, and nothing is fetched.

    Raises
    ------
    InputError
        For a meta-regression, which has no one pooled effect.

    Examples
    --------
    >>> from remyelin.trial.meta import meta_analysis
    >>> fit = meta_analysis([-1.7, -3.2, -1.2], [0.36, 0.64, 0.33], units="ms")
    >>> forest(fit).startswith('<svg class="chart"')
    True
    """
    need(MetaAnalysis, "meta", meta, "a meta-analysis", "make one with remyelin.meta_analysis")
    rows = _rows(meta, ratio, digits)
    heaviest = max(row.weight for row in rows if row.kind == "study")
    limits = _limits(rows)
    below = [line for note in notes for line in textwrap.wrap(note, NOTE_WIDTH)]
    with canvas(WIDTH_IN, 1.5 + 0.3 * len(rows) + NOTE_IN * len(below)) as (figure, ((ax,),)):
        figure.get_layout_engine().set(w_pad=0.15)  # a browser's letters may be wider than ours
        _frame(ax, limits, len(rows), ratio)
        for row in rows:
            _draw(ax, row, limits, heaviest)
        pooled = next(row for row in rows if row.kind == "pooled")
        ax.plot([pooled.value] * 2, [-0.55, pooled.y - 0.42], color=INK, lw=0.8, ls=(0, (3, 3)), zorder=0)
        _columns(ax, rows, title or _sentence(meta.studies.estimand), meta.alpha)
        ax.axhline(pooled.y - 0.5, color=RULE, lw=0.8, zorder=0)
        _axis_words(ax, meta, ratio, directions)
        for k, line in enumerate(below):
            _below(ax, line, -78 - 72 * NOTE_IN * k)
        picture = markup(figure, name, _alt(meta, pooled, ratio))
    return saved(picture, path)


@dataclass(frozen=True, slots=True)
class _Row:
    kind: str  # "study", "pooled", "predicted"
    y: float
    label: str
    value: float
    low: float
    high: float
    weight: float
    said: str


def _rows(meta: MetaAnalysis, ratio: bool, digits: int) -> list[_Row]:
    def say(*numbers: float) -> str:
        shown = [number(float(np.exp(each) if ratio else each), digits) for each in numbers]
        interval = f"{shown[-2]} to {shown[-1]}"
        return f"{shown[0]} ({interval})" if len(shown) == 3 else interval

    rows = []
    for y, (label, each) in enumerate(meta.study_frame().iterrows()):
        ends = each["effect"], each["ci_low"], each["ci_high"]
        rows.append(_Row("study", y, shortened(str(label), 34), *ends, each["weight"], say(*ends)))
    low, high = meta.ci
    label = "Equal effects" if meta.method == "FE" else f"Random effects ({meta.method})"
    rows.append(
        _Row(
            "pooled", len(rows) + 0.15, label, meta.estimate, low, high, 100.0, say(meta.estimate, low, high)
        )
    )
    if meta.method != "FE":
        low, high = meta.prediction_interval
        label = f"{100 * (1 - meta.alpha):g} % prediction interval"
        rows.append(_Row("predicted", len(rows) + 0.15, label, meta.estimate, low, high, 0.0, say(low, high)))
    return rows


def _limits(rows: list[_Row]) -> tuple[float, float]:
    """All intervals and no effect; one interval much longer than the rest is cut, with an arrow."""
    core = [0.0, *(row.value for row in rows)]
    core += [end for row in rows if row.kind != "study" for end in (row.low, row.high)]
    middle, reach = (min(core) + max(core)) / 2, max(core) - min(core)
    low = max(min(row.low for row in rows), middle - 2.5 * reach)
    high = min(max(row.high for row in rows), middle + 2.5 * reach)
    low, high = min(low, 0.0), max(high, 0.0)
    room = 0.04 * (high - low)
    return low - room, high + room


def _frame(ax: Axes, limits: tuple[float, float], rows: int, ratio: bool) -> None:
    ax.axvline(0, color=FAINT, lw=1, zorder=0)
    ax.set_xlim(*limits)
    ax.set_ylim(rows - 0.2, -0.7)
    ax.spines["left"].set_visible(False)
    if ratio:
        steps = np.array([1, 2, 5])
        found = np.log([s * 10.0**e for e in range(-6, 7) for s in steps])
        found = found[(found > limits[0]) & (found < limits[1])]
        while len(found) > 9:
            found = found[found.searchsorted(0.0) % 2 :: 2]  # 1 stays
        ax.set_xticks(found, [f"{np.exp(each):g}" for each in found])


def _interval(ax: Axes, row: _Row, limits: tuple[float, float], **style: Any) -> None:
    low, high = np.clip([row.low, row.high], *limits)
    ax.plot([low, high], [row.y, row.y], solid_capstyle="butt", **style)
    for end, edge, mark in ((row.low, limits[0], "<"), (row.high, limits[1], ">")):
        if (end < edge) if mark == "<" else (end > edge):
            ax.plot(edge, row.y, mark, color=style["color"], ms=6, clip_on=False)


def _draw(ax: Axes, row: _Row, limits: tuple[float, float], heaviest: float) -> None:
    if row.kind == "study":
        side = max(3.0, SQUARE_PT * (row.weight / heaviest) ** 0.5)  # the area goes with the weight
        ax.plot(row.value, row.y, "s", color=GAIN, ms=side, mew=0)
        _interval(ax, row, limits, color=INK, lw=1.2)
    elif row.kind == "predicted":
        _interval(ax, row, limits, color=MUTED, lw=4)
    else:
        corners = [(row.low, row.y), (row.value, row.y - 0.27), (row.high, row.y), (row.value, row.y + 0.27)]
        ax.fill(*zip(*corners, strict=True), color=INK, lw=0, zorder=3)


def _columns(ax: Axes, rows: list[_Row], title: str, alpha: float) -> None:
    """The words beside the picture: what each row is on the left, its numbers on the right."""
    place = ax.get_yaxis_transform()
    ax.set_yticks([row.y for row in rows], [row.label for row in rows])
    ax.tick_params(axis="y", length=0)
    for tick, row in zip(ax.get_yticklabels(), rows, strict=True):
        tick.set_color(INK)
        tick.set_fontweight("bold" if row.kind == "pooled" else "normal")
    for row in rows:
        weight = "bold" if row.kind == "pooled" else "normal"
        if row.kind == "study":
            ax.text(1.12, row.y, number(row.weight, 1), transform=place, va="center", ha="right", fontsize=9)
        ax.text(1.16, row.y, row.said, transform=place, va="center", fontsize=9, fontweight=weight)
    head: dict[str, Any] = {"transform": place, "va": "bottom", "fontsize": 9, "color": MUTED}
    ax.text(1.12, -0.75, "weight, %", ha="right", **head)
    ax.text(1.16, -0.75, f"effect ({100 * (1 - alpha):g} % CI)", **head)
    if title:
        ax.set_title(shortened(title, 80), pad=22 if len(title) > 45 else None)  # above the heads


def _axis_words(ax: Axes, meta: MetaAnalysis, ratio: bool, directions: tuple[str, str]) -> None:
    """Under the axis: what each side means, what the axis is, and how much the studies differ."""
    unit = f", {meta.studies.unit}" if meta.studies.unit else ""
    place: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
    place |= {"va": "top", "fontsize": 9}
    ax.annotate(f"← {directions[0]}", (0, 0), (-7, -22), ha="right", color=INK, **place)
    ax.annotate(f"{directions[1]} →", (0, 0), (7, -22), ha="left", color=INK, **place)
    ax.set_xlabel(f"{'ratio' if ratio else 'effect'}{unit}", labelpad=20)
    q = f"Q({meta.q_df}) = {number(meta.q, 1)}, {p_value(meta.q_p)}"
    tau2 = "" if meta.method == "FE" else f"τ² = {meta.tau2:.3g}, "
    said = f"Between studies: {tau2}I² = {number(meta.i2, 0)} %; {q}"
    _below(ax, said, -60)


def _below(ax: Axes, words: str, points: float) -> None:
    place: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "top"}
    ax.annotate(words, (0, 0), (0, points), fontsize=9, color=MUTED, **place)


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _alt(meta: MetaAnalysis, pooled: _Row, ratio: bool) -> str:
    unit = f" {meta.studies.unit}" if meta.studies.unit else ""
    what = "pooled ratio" if ratio else "pooled effect"
    return f"Forest plot of {len(meta.studies)} studies: {what} {pooled.said}{unit}, {p_value(meta.p)}"
