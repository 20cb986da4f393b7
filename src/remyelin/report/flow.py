"""The CONSORT flow diagram: what became of everyone, from assessment to analysis."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from remyelin.files import atomic_write
from remyelin.trial.flow import Consort

from .canvas import canvas, markup
from .colour import FAINT, INK, MUTED
from .words import count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LINE_IN, PAD_IN, GAP_IN = 0.175, 0.1, 0.32
LETTER_IN = 0.073
"""Width of a letter at this size, generous: a browser's letters may be wider than ours."""
STAGE_IN, SHORTEST_IN = 0.3, 0.85
INDENT = 4
"""Letters before a reason."""

_Path = tuple[tuple[float, float], ...]
"""Corners of an arrow, in inches."""


@dataclass(frozen=True, slots=True)
class _Box:
    x: float  # left
    y: float  # top, downwards
    width: float
    lines: tuple[str, ...]

    @property
    def height(self) -> float:
        return LINE_IN * len(self.lines) + 2 * PAD_IN

    @property
    def middle(self) -> float:
        return self.x + self.width / 2

    @property
    def bottom(self) -> float:
        return self.y + self.height


def flow_diagram(flow: Consort, name: str = "consort", path: Path | None = None) -> Markup:
    """Draw the numbers of `remyelin.trial.consort` as SVG.

    Parameters
    ----------
    flow
        The numbers.
    name
        Prefix of the ids, so that several figures can stand on one page.
    path
        Also write the figure to this file.

    Returns
    -------
    markupsafe.Markup
        An SVG element: the same numbers give the same bytes, and nothing is fetched. A number that nobody
        recorded is called so.
    """
    width = max(2.35, 6.6 / max(len(flow.arms), 2))
    total = max(len(flow.arms), 2) * (width + GAP_IN) - GAP_IN
    boxes, arrows, stages = _layout(flow, width, total)
    bottom = max(*(box.bottom for box in boxes), *(low for _, low, _ in stages))
    with canvas(total + STAGE_IN + 0.2, bottom + 0.1) as (figure, ((ax,),)):
        figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02)
        ax.set_xlim(-STAGE_IN - 0.1, total + 0.1)
        ax.set_ylim(bottom + 0.05, -0.05)
        ax.axis("off")
        for top, low, words in stages:
            _stage(ax, top, low, words)
        for path_in in arrows:
            _arrow(ax, path_in)
        for box in boxes:
            _draw(ax, box)
        picture = markup(figure, name, alt_text(flow))
    if path is not None:
        alone = str(picture).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
        atomic_write(path, alone.encode())
    return picture


def alt_text(flow: Consort) -> str:
    """The diagram in words."""
    arms = [
        f"{arm}: {flow.n('allocated', arm)} allocated, {flow.n('followed', arm)} followed to {flow.last}, "
        f"{flow.n('analysed', arm)} analysed"
        for arm in flow.arms
    ]
    return f"{count(flow.n('randomised') or 0, 'participant')} randomised. {'. '.join(arms)}."


def _layout(
    flow: Consort, width: float, total: float
) -> tuple[list[_Box], list[_Path], list[tuple[float, float, str]]]:
    """Boxes, arrows and the names of the stages, from above."""
    boxes: list[_Box] = []
    arrows: list[_Path] = []
    stages: list[tuple[float, float, str]] = []
    y, top = 0.0, _Box(total / 2 - 1.2, 0.0, 2.4, (_said(flow, "Randomised", "randomised"),))
    if flow.n("assessed") is not None:
        first = _Box(total / 2 - 1.2, 0.0, 2.4, (_said(flow, "Assessed for eligibility", "assessed"),))
        side = _side(flow, total)
        y = max(first.bottom + 2 * GAP_IN, side.bottom + GAP_IN)
        top = _Box(top.x, y, top.width, top.lines)
        boxes += [first, side]
        beside = side.y + side.height / 2
        arrows += [((first.middle, first.bottom), (top.middle, top.y)),
                   ((first.middle, beside), (side.x, beside))]  # fmt: skip
    boxes.append(top)
    stages.append((0.0, max(top.bottom, SHORTEST_IN), "Enrolment"))
    y, above = stages[0][1] + GAP_IN, [top] * len(flow.arms)
    for words, lines_of in (("Allocation", _allocated), ("Follow-up", _followed), ("Analysis", _analysed)):
        row = []
        for k, arm in enumerate(flow.arms):
            x = k * (width + GAP_IN) + (total - len(flow.arms) * (width + GAP_IN) + GAP_IN) / 2
            row.append(_Box(x, y, width, tuple(_wrapped(lines_of(flow, arm), width))))
        tallest = max(SHORTEST_IN, *(box.height for box in row))
        arrows += [_down(a, b) for a, b in zip(above, row, strict=True)]
        boxes += row
        stages.append((y, y + tallest, words))
        y, above = y + tallest + GAP_IN, row
    return boxes, arrows, stages


def _down(above: _Box, below: _Box) -> _Path:
    """An arrow from box to box, with a bend where the arms part."""
    turn = below.y - GAP_IN / 2
    ends = (above.middle, above.bottom), (below.middle, below.y)
    if above.middle == below.middle:
        return ends
    return ends[0], (above.middle, turn), (below.middle, turn), ends[1]


def _side(flow: Consort, total: float) -> _Box:
    """Who was assessed and not randomised, on the right."""
    left = total / 2 + 0.25
    lines = [_said(flow, "Excluded", "not randomised"), *_reasons(flow, "not randomised", "")]
    return _Box(left, LINE_IN + 2 * PAD_IN + 0.12, total - left, tuple(_wrapped(lines, total - left)))


def _said(flow: Consort, words: str, stage: str, arm: str = "") -> str:
    n = flow.n(stage, arm)
    return f"{words} (not\u00a0recorded)" if n is None else f"{words} (n\u00a0=\u00a0{n:,})"


def _reasons(flow: Consort, stage: str, arm: str) -> list[str]:
    return [f"{' ' * INDENT}{n:,} {reason}" for reason, n in flow.reasons(stage, arm).items()]


def _allocated(flow: Consort, arm: str) -> list[str]:
    lines = [
        _said(flow, f"Allocated to {arm}", "allocated", arm),
        _said(flow, "Received treatment", "received", arm),
    ]
    if flow.n("not received", arm):
        lines += [
            _said(flow, "Did not receive treatment", "not received", arm),
            *_reasons(flow, "not received", arm),
        ]
    return lines


def _followed(flow: Consort, arm: str) -> list[str]:
    lines = [
        _said(flow, f"Followed to {flow.last}", "followed", arm),
        _said(flow, "Lost to follow-up", "lost", arm),
    ]
    lines += _reasons(flow, "lost", arm)
    lines += [_said(flow, "Discontinued treatment", "discontinued", arm)]
    return lines + _reasons(flow, "discontinued", arm)


def _analysed(flow: Consort, arm: str) -> list[str]:
    lines = [_said(flow, "Analysed", "analysed", arm), _said(flow, "Not analysed", "not analysed", arm)]
    return lines + _reasons(flow, "not analysed", arm)


def _wrapped(lines: list[str], width: float) -> list[str]:
    """No line longer than its box; what goes on is indented a little more."""
    letters = int((width - 2 * PAD_IN) / LETTER_IN)
    found: list[str] = []
    for line in lines:
        indent = " " * (len(line) - len(line.lstrip()) + 2)
        found += textwrap.wrap(line, letters, subsequent_indent=indent)
    return found


def _arrow(ax: Axes, points: _Path) -> None:
    *_, before, end = points
    ax.plot(*zip(*points[:-1], strict=True), color=MUTED, lw=1.0)
    style = {"arrowstyle": "-|>", "color": MUTED, "lw": 1.0, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", end, before, arrowprops=style)


def _draw(ax: Axes, box: _Box) -> None:
    from matplotlib.patches import Rectangle

    ax.add_patch(Rectangle((box.x, box.y), box.width, box.height, facecolor="white", edgecolor=FAINT, lw=1.0))
    for k, line in enumerate(box.lines):
        indent = len(line) - len(line.lstrip())
        y = box.y + PAD_IN + LINE_IN * (k + 0.5)
        x = box.x + PAD_IN + 0.04 * indent
        ax.text(x, y, line.strip(), va="center", fontsize=9, color=MUTED if indent >= INDENT else INK)


def _stage(ax: Axes, top: float, bottom: float, words: str) -> None:
    from matplotlib.patches import Rectangle

    ax.add_patch(Rectangle((-STAGE_IN - 0.05, top), STAGE_IN - 0.08, bottom - top, facecolor="#eef1f4", lw=0))
    ax.text(-STAGE_IN / 2 - 0.09, (top + bottom) / 2, words, rotation=90, va="center", ha="center",
            fontsize=8.5, color=MUTED, fontweight="bold")  # fmt: skip
