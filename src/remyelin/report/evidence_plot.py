"""A picture of the evidence: who treats which step of remyelination, how it ended, what stands against it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from remyelin.evidence.graph import Graph, Link, StepSummary, graph, verdict
from remyelin.evidence.mechanism import Barrier
from remyelin.evidence.wording import counted

from .canvas import Picture, canvas, markup, saved
from .colour import FAINT, GAIN, INK, LOSS, MUTED, RULE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH_IN, LINE_IN = 15.8, 0.225
# Of the columns, in inches from the left: marks and names of treatments end, targets and steps begin and end,
# barriers begin.
TREATMENT, TARGET, STEP, BARRIER = 4.5, (5.2, 8.8), (9.7, 12.0), 13.0
LAST_MARK, MARK = 1.3, 0.17  # of the trials of a treatment: where the last stands, and from one to the next
GAP = 1.4  # lines between two steps
# A mark for each trial: shape, face and edge, so that it is told apart without colour.
MARKS = {
    "met": ("o", GAIN, GAIN, "primary endpoint met"),
    "met in part": ("o", "#ffffff", GAIN, "met at another level or set, or stopped early"),
    "missed": ("X", LOSS, LOSS, "missed, or futile"),
    "other": ("D", "#f0c75e", MUTED, "another outcome"),
    "running": (">", "#ffffff", MUTED, "running"),
    "stopped": ("s", "#ffffff", LOSS, "stopped, or harm seen"),
    "unknown": (".", FAINT, FAINT, "no outcome on record"),
}


@dataclass(frozen=True, slots=True)
class _Row:
    """What treatments take hold of at a step: a target, or a barrier itself, from line `top` on."""

    words: str
    link: Link
    treatments: tuple[Link, ...]
    top: float

    @property
    def lines(self) -> int:
        return max(1, len(self.treatments))

    @property
    def middle(self) -> float:
        return self.top + (self.lines - 1) / 2


@dataclass(frozen=True, slots=True)
class _Band:
    """A step with all that acts on it, from line `top` to line `bottom`."""

    summary: StepSummary
    rows: tuple[_Row, ...]
    barriers: tuple[Barrier, ...]
    top: float
    bottom: float


def draw_evidence(
    *, unverified: bool = False, title: str = "", name: str = "evidence", path: Path | str | None = None
) -> Picture:
    """Draw what is known of remyelinating treatments, step by step, as SVG.

    From left to right: treatments with a mark for each trial, targets, steps in their order, barriers.
    A target of several steps stands at each. A line is dashed where its claim is contested.

    Parameters
    ----------
    unverified
        Also what was recalled and read nowhere; its lines are dotted.
    title
        Words above.
    name
        Prefix of the ids, so that several figures can stand on one page.
    path
        Also write the figure to this file.

    Returns
    -------
    Picture
        An SVG element, which a notebook shows: the same evidence gives the same bytes.

    Examples
    --------
    >>> draw_evidence().startswith('<svg class="chart"')
    True
    """
    shown = graph(unverified=unverified)
    bands = tuple(_bands(shown))
    bottom = max((band.bottom for band in bands), default=1.0)
    with canvas(WIDTH_IN, (bottom + 10.8) * LINE_IN) as (figure, ((ax,),)):
        ax.set_axis_off()
        ax.set_xlim(0, WIDTH_IN)
        ax.set_ylim(bottom + 7.3, -3.5)
        _heads(ax, title)
        for band in bands:
            _step(ax, band)
            for row in band.rows:
                _row(ax, shown, row)
            for k, barrier in enumerate(band.barriers):
                _barrier(ax, shown, barrier, band.top + k)
        _legend(ax, bottom + 1.8, unverified)
        for k, words in enumerate(_notes(shown)):
            ax.text(0.1, bottom + 4.4 + k, words, fontsize=8.5, va="center", color=MUTED)
        picture = markup(figure, name, f"{title or 'Evidence'}. {str(shown).replace(chr(10), '. ')}")
    return saved(picture, path)


def _bands(shown: Graph) -> Iterator[_Band]:
    barriers = {barrier.id: barrier for barrier in shown.barriers}
    line = 0.0
    for step in shown.steps:
        summary, top, rows = shown.summary(step), line, []
        for words, link in _held(shown, summary):
            given = shown.into(link.start_kind, link.start, "treatments")
            rows.append(_Row(words, link, given, line))
            line += rows[-1].lines
        line = max(
            line, top + len(summary.barriers), top + len(_folded(step.name)) + len(_said(summary)) + 0.4
        )
        kept = tuple(barriers[each] for each in summary.barriers)
        yield _Band(summary, tuple(rows), kept, top, line - 1)
        line += GAP


def _held(shown: Graph, summary: StepSummary) -> Iterator[tuple[str, Link]]:
    """The targets of a step, and the barriers that a treatment acts on without one; each in words."""
    at_step = {link.start for link in shown.into("steps", summary.step.id, "targets")}
    for target in shown.targets:
        if target.id in at_step:
            yield f"{target.name}: {target.action}", _to_step(shown, "targets", target.id, summary)
    for barrier in shown.barriers:
        if barrier.id in summary.barriers and shown.into("barriers", barrier.id, "treatments"):
            yield f"{barrier.name}, a barrier", _to_step(shown, "barriers", barrier.id, summary)


def _to_step(shown: Graph, kind: str, name: str, summary: StepSummary) -> Link:
    return next(link for link in shown.into("steps", summary.step.id, kind) if link.start == name)


def _heads(ax: Axes, title: str) -> None:
    if title:
        ax.text(0.1, -3.1, title, fontsize=12, fontweight="bold", va="center")
    for x, words, align in (
        (TREATMENT, "Treatment, with a mark for each trial on record", "right"),
        (TARGET[0], "Target: what is done to it", "left"),
        (STEP[0], "Step of remyelination, in order", "left"),
        (BARRIER, "Barrier", "left"),
    ):
        ax.text(x, -1.4, words, fontsize=10, fontweight="bold", ha=align, va="center", color=MUTED)


def _step(ax: Axes, band: _Band) -> None:
    from matplotlib.patches import FancyBboxPatch

    summary = band.summary
    treated = bool(summary.treatments)
    box = FancyBboxPatch(
        (STEP[0], band.top - 0.45),
        STEP[1] - STEP[0],
        band.bottom - band.top + 0.9,
        boxstyle="round,pad=0,rounding_size=0.08",
        mutation_aspect=1 / LINE_IN,
        facecolor="#eef3f9" if treated else "#ffffff",
        edgecolor=GAIN if treated else LOSS,
        linestyle="-" if treated else "--",
        linewidth=1.2,
    )
    ax.add_patch(box)
    middle = (band.top + band.bottom) / 2
    words = _said(summary)
    name = _folded(summary.step.name)
    lines = [*name, *words]
    for k, text in enumerate(lines):
        ax.text(
            (STEP[0] + STEP[1]) / 2,
            middle + (k - (len(lines) - 1) / 2) * 0.92,
            text,
            ha="center",
            va="center",
            fontsize=10 if k < len(name) else 8.5,
            fontweight="bold" if k < len(name) else "normal",
            color=INK if treated or k < len(name) else LOSS,
        )


def _said(summary: StepSummary) -> list[str]:
    harm = [f"harmed by {', '.join(summary.harms)}"] if summary.harms else []
    if not summary.treatments:
        return ["nobody treats it", *harm]
    small = f"{counted(len(summary.targets), 'target')}, {counted(len(summary.treatments), 'treatment')}"
    tried = sum(summary.trials.values())
    ended = ", ".join(f"{n} {each}" for each, n in summary.trials.items())
    said = f"{counted(tried, 'trial') if tried else 'no trial'}{': ' + ended if ended else ''}"
    return [small, *textwrap.wrap(said, 34), *harm]


def _row(ax: Axes, shown: Graph, row: _Row) -> None:
    names = {treatment.id: treatment.name for treatment in shown.treatments}
    colour = LOSS if row.link.harm else INK
    _label(ax, (TARGET[0], row.middle), row.words, 46, colour)
    _curve(ax, (TARGET[1], row.middle), (STEP[0], row.middle), row.link)
    for line, link in ((row.top + k, link) for k, link in enumerate(row.treatments)):
        ax.text(TREATMENT, line, names[link.start], fontsize=9, ha="right", va="center", color=colour)
        _curve(ax, (TREATMENT + 0.1, line), (TARGET[0] - 0.1, row.middle), link)
        _marks(ax, shown, link.start, line)


def _marks(ax: Axes, shown: Graph, treatment: str, line: float) -> None:
    """The trials of a treatment, in a column of their own left of its name."""
    order = list(MARKS)
    trials = sorted(shown.trials_of(treatment), key=lambda trial: order.index(verdict(trial)))
    for k, trial in enumerate(reversed(trials)):
        shape, face, edge, _ = MARKS[verdict(trial)]
        x = LAST_MARK - k * MARK
        if len(trial.treatments) > 1:
            ax.plot([x - MARK / 3, x + MARK / 3], [line + 0.44] * 2, color=INK, lw=1.2, clip_on=False)
        ax.plot(x, line, marker=shape, ms=6.5, mfc=face, mec=edge, mew=1.0, ls="none", clip_on=False)


def _barrier(ax: Axes, shown: Graph, barrier: Barrier, line: float) -> None:
    helps, is_open = barrier.sign == "+", shown.is_open(barrier.id)
    colour = GAIN if helps else LOSS if is_open else MUTED
    end = STEP[1] + 0.06
    dash = _dash(barrier.status, barrier.contested or barrier.sign == "?")
    ax.plot([end, BARRIER - 0.1], [line, line], color=colour, lw=1.2, ls=dash)
    if helps:
        ax.plot(end + 0.04, line, marker="<", color=colour, ms=6, ls="none")
    else:
        ax.plot([end, end], [line - 0.28, line + 0.28], color=colour, lw=2.0)
    words = barrier.name + (" (helps)" if helps else " (not agreed)" if barrier.sign == "?" else "")
    _label(ax, (BARRIER, line), words, 40, colour if is_open or helps else INK)


def _curve(ax: Axes, start: tuple[float, float], end: tuple[float, float], link: Link) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path as Line

    half = (start[0] + end[0]) / 2
    points = [start, (half, start[1]), (half, end[1]), end]
    path = Line(points, [Line.MOVETO, Line.CURVE4, Line.CURVE4, Line.CURVE4])
    colour = LOSS if link.harm else FAINT if link.status == "unverified" else MUTED
    ax.add_patch(PathPatch(path, fill=False, ec=colour, lw=1.0, ls=_dash(link.status, link.contested)))


def _dash(status: str, contested: bool) -> str:
    return "--" if contested else ":" if status == "unverified" else "-"


def _legend(ax: Axes, line: float, unverified: bool) -> None:
    x = 0.1
    for shape, face, edge, words in MARKS.values():
        ax.plot(x, line, marker=shape, ms=6.5, mfc=face, mec=edge, mew=1.0, ls="none", clip_on=False)
        x = _said_of(ax, (x + 0.13, line), words)
    x = 0.1
    ax.plot([x - MARK / 3, x + MARK / 3], [line + 1.1] * 2, color=INK, lw=1.2, clip_on=False)
    x = _said_of(ax, (x + 0.13, line + 1.1), "below a mark: several treatments together")
    lines = [("-", MUTED, "read"), ("--", MUTED, "contested")]
    lines += [(":", FAINT, "not read in a source")] if unverified else []
    lines += [("-", LOSS, "harm, or a barrier without a target")]
    for dash, colour, words in lines:
        ax.plot([x, x + 0.35], [line + 1.1] * 2, color=colour, lw=1.2, ls=dash)
        x = _said_of(ax, (x + 0.42, line + 1.1), words)
    ax.axhline(line - 1.0, color=RULE, lw=0.8)


def _said_of(ax: Axes, place: tuple[float, float], words: str) -> float:
    """Words beside a sign of the legend, and where the next sign may stand."""
    ax.text(*place, words, fontsize=8.5, va="center", color=MUTED)
    return place[0] + 0.32 + 0.075 * len(words)


def _notes(shown: Graph) -> list[str]:
    """What does not stand on the picture, in words."""
    notes = []
    if shown.adrift:
        notes.append(f"Reach no step shown here: {', '.join(each.name for each in shown.adrift)}")
    if shown.hidden_steps:
        notes.append(f"Steps not shown, since nobody has read of them: {', '.join(shown.hidden_steps)}")
    if shown.hidden:
        notes.append(f"Not shown: {shown.hidden} records and links that nobody has read in a source")
    return notes


def _folded(name: str) -> list[str]:
    """The name of a step on lines that fit its box."""
    return textwrap.wrap(name, 24, break_on_hyphens=False)


def _label(ax: Axes, place: tuple[float, float], text: str, width: int, colour: str) -> None:
    """Words that fit their column: on two smaller lines where they are too long for one."""
    fits = len(text) <= width
    lines = [text] if fits else textwrap.wrap(text, max(width, len(text) // 2 + 8), break_on_hyphens=False)
    size = 9 if fits else 7
    ax.text(*place, "\n".join(lines), fontsize=size, linespacing=0.95, va="center", color=colour)
