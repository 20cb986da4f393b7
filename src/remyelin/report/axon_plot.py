"""Pictures of axons, to scale along their length, and of the action potentials that run along them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np

from remyelin.conduction import Axon, Bare, Conduction
from remyelin.errors import InputError

from .canvas import Picture, canvas, markup, saved
from .colour import BLINDED, INK, LOSS
from .given import labels_for, need, need_each, numbered
from .words import number, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH_IN = 9.2
ABREAST = 4
TRACES = 26  # at most, of one axon
STIRRED_MV = 10.0
# Half the height of a row is 1. The axon and its sheath have scales of their own: a lamella is far thinner.
CORE, SHEATH = 0.22, 0.5


def draw_axons(
    axons: Axon | Sequence[Axon],
    *,
    labels: Sequence[str] = (),
    title: str = "",
    name: str = "axons",
    path: Path | str | None = None,
) -> Picture:
    """Draw axons one below the other, to scale along their length, as SVG.

    The thickness of a sheath is in proportion to its lamellae, bare stretches stand out, nodes are the gaps.
    Beside each stand its g-ratio, its bare length and the sodium channels there, in % of a node's density.

    Parameters
    ----------
    axons
        One axon or up to 8.
    labels
        A name for each; else the model's name, with a number where several have the same.
    title
        Words above.
    name
        Prefix of the ids, so that several figures can stand on one page.
    path
        Also write the figure to this file.

    Returns
    -------
    Picture
        An SVG element, which a notebook shows: the same axons give the same bytes, and nothing is fetched.

    Raises
    ------
    InputError
        For more than 8 axons, labels that are not one for each, or a file that is not .svg or has no folder.

    Examples
    --------
    >>> from remyelin import conduction
    >>> axon = conduction.optic_nerve()
    >>> picture = draw_axons([axon, axon.demyelinate(range(20, 24), bare=True)], labels=["intact", "bare"])
    >>> picture.startswith('<svg class="chart"')
    True
    """
    fix = "make one with conduction.optic_nerve; of a result, give result.axons"
    rows = need_each(Axon, "axons", axons, "an axon or a list of them", fix)
    named = labels_for("axons", numbered([axon.name for axon in rows]), labels)
    with canvas(WIDTH_IN, 0.85 + 0.42 * len(rows)) as (figure, ((ax,),)):
        thickest = _thickest(rows)
        for y, axon in enumerate(rows):
            _axon(ax, axon, thickest, centre=y, unit=0.42)
            ax.text(1.01, y, _myelin(axon), transform=ax.get_yaxis_transform(), va="center", fontsize=9)
        ax.set_yticks(range(len(rows)), [shortened(label, 34) for label in named])
        ax.tick_params(axis="y", length=0, labelcolor=INK)
        ax.spines["left"].set_visible(False)
        ax.set_ylim(len(rows) - 0.45, -0.55)
        ax.set_xlim(-0.01 * _longest(rows), 1.01 * _longest(rows))
        ax.set_xlabel("distance from the first node, mm")
        if title:
            ax.set_title(shortened(title, 80))
        said = "; ".join(f"{label}: {_myelin(axon)}" for label, axon in zip(named, rows, strict=True))
        picture = markup(figure, name, f"Axons. {said}")
    return saved(picture, path)


def draw_conduction(
    result: Conduction,
    *,
    labels: Sequence[str] = (),
    title: str = "",
    name: str = "conduction",
    path: Path | str | None = None,
) -> Picture:
    """Draw action potentials on their way along each axon, as SVG.

    Each trace is the potential of one node over time and stands where that node is, beside a drawing of the
    axon. Nodes that never fired are in the colour of loss.

    Parameters
    ----------
    result
        Of `conduct` with `record_us`, for example 20.
    labels
        A name for each axon; else the model's name, with a number and the state of its myelin where several
        have the same.
    title
        Words above.
    name
        Prefix of the ids, so that several figures can stand on one page.
    path
        Also write the figure to this file.

    Returns
    -------
    Picture
        An SVG element, which a notebook shows: the same result gives the same bytes, and nothing is fetched.

    Raises
    ------
    InputError
        If no potentials were recorded, for more than 8 axons, or labels that are not one for each.

    Examples
    --------
    >>> from remyelin import conduction
    >>> result = conduction.conduct(conduction.optic_nerve(), duration_ms=4, record_us=20)
    >>> draw_conduction(result).startswith('<svg class="chart"')
    True
    """
    fix = "make one with conduction.conduct(axons, record_us=20)"
    rows = need(Conduction, "result", result, "a result of conduction.conduct", fix).axons
    names = numbered([axon.name for axon in rows])
    named = labels_for("axons", names, labels)
    alike = named == names != [axon.name for axon in rows]  # say what sets them apart
    if not len(result.time_ms):
        raise InputError(
            "", "record_us", "not given: no potentials were kept", "an interval", "conduct(..., record_us=20)"
        )
    across = min(len(rows), ABREAST)
    down = -(-len(rows) // across)
    widths = [0.13, 1.0] * across
    with canvas(WIDTH_IN, 0.4 + 4.2 * down, down, 2 * across, width_ratios=widths, sharey=True) as (
        figure,
        axes,
    ):
        last = _quiet_from(result)
        for k, axon in enumerate(rows):
            beside, ax = axes[k // across, 2 * (k % across) : 2 * (k % across) + 2]
            _standing(beside, axon, _thickest(rows))
            _traces(ax, result, k, last)
            apart = wrap(_myelin(axon), 26) if alike else []
            ax.set_title("\n".join([shortened(named[k], 30), *apart, _outcome(result, k)]), fontsize=9)
            beside.set_ylim(1.02 * _longest(rows), -0.08 * _longest(rows))
            if k % across == 0:
                beside.set_ylabel("distance from the first node, mm")
            else:
                beside.spines["left"].set_visible(False)
                beside.tick_params(axis="y", length=0)
        for ax in axes.ravel()[2 * len(rows) :]:
            ax.set_axis_off()
        if title:
            figure.suptitle(shortened(title, 80), x=0.01, ha="left", fontsize=10, fontweight="bold")
        apart = [f" ({_myelin(axon)})" if alike else "" for axon in rows]
        said = "; ".join(f"{label}{apart[k]}: {_outcome(result, k)}" for k, label in enumerate(named))
        picture = markup(figure, name, f"Potentials of nodes over time. {said}")
    return saved(picture, path)


def _thickest(axons: Sequence[Axon]) -> int:
    lamellae = [part.myelin.lamellae for axon in axons for part in axon.parts if not isinstance(part, Bare)]
    return max(lamellae, default=1)


def _longest(axons: Sequence[Axon]) -> float:
    return max(axon.length_mm for axon in axons)


def _spans(axon: Axon) -> tuple[Any, Any]:
    """(part,) where each begins, and how long it is, in mm."""
    begin = axon.position_um[:-1] + np.array([node.length_um for node in axon.nodes[:-1]]) / 2
    return begin / 1e3, axon.part_um / 1e3


def _axon(ax: Axes, axon: Axon, thickest: int, *, centre: float, unit: float, upright: bool = False) -> None:
    """The axon as a band, and its sheath on both sides, along x or, upright, along y."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path as Outline

    def boxes(kind: list[tuple[float, float, float, float]], colour: str) -> None:
        corners = np.array([[(x, y), (x + w, y), (x + w, y + h), (x, y + h), (x, y)] for x, y, w, h in kind])
        codes = [Outline.MOVETO, *[Outline.LINETO] * 3, Outline.CLOSEPOLY] * len(kind)
        if kind:
            turned = corners.reshape(-1, 2)[:, :: -1 if upright else 1]
            ax.add_patch(PathPatch(Outline(turned, codes), facecolor=colour, lw=0))

    begin, length = _spans(axon)
    widest = 0.0016 * axon.length_mm  # a node is drawn as wide as can be seen
    sheath, bare = [], []
    for x, run, part in zip(begin, length, axon.parts, strict=True):
        if isinstance(part, Bare):
            bare.append((x, centre - CORE * unit, run, 2 * CORE * unit))
            continue
        gap = min(widest, run / 8)
        thick = SHEATH * unit * part.myelin.lamellae / thickest
        for side in (centre - CORE * unit - thick, centre + CORE * unit):
            sheath.append((x + gap, side, run - 2 * gap, thick))
    boxes([(0.0, centre - CORE * unit, axon.length_mm, 2 * CORE * unit)], "#e3e7ec")
    boxes(bare, LOSS)
    boxes(sheath, BLINDED)


def _standing(ax: Axes, axon: Axon, thickest: int) -> None:
    _axon(ax, axon, thickest, centre=0.0, unit=1.0, upright=True)
    ax.set_xlim(-CORE - SHEATH, CORE + SHEATH)
    ax.set_xticks([])
    ax.spines["bottom"].set_visible(False)


def _traces(ax: Axes, result: Conduction, k: int, last_ms: float) -> None:
    axon = result.axons[k]
    places, rest = axon.position_um / 1e3, axon.membrane.resting_mv
    shown = result.time_ms <= last_ms
    time = result.time_ms[shown]
    for begin, run, part in zip(*_spans(axon), axon.parts, strict=True):
        if isinstance(part, Bare):
            ax.axhspan(begin, begin + run, color=LOSS, alpha=0.12, lw=0, zorder=0)
    swing = 0.075 * axon.length_mm / 100.0  # mm of the drawing to a mV
    for node in dict.fromkeys(axon.node_at(place) for place in np.linspace(0, axon.position_um[-1], TRACES)):
        fired = bool(np.isfinite(result.arrival_ms[k, node]))
        trace = places[node] - swing * (result.potential_mv[k, shown, node] - rest)
        ax.plot(time, trace, color=INK if fired else LOSS, lw=0.8, zorder=2 + node)
    ax.set_xlim(0, last_ms)
    ax.set_xlabel("time, ms")
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)


def _quiet_from(result: Conduction) -> float:
    """When nothing moves any more in any axon: the end of the time axis."""
    rest = np.array([axon.membrane.resting_mv for axon in result.axons])[:, None, None]
    stirred = np.nanmax(np.abs(result.potential_mv - rest), axis=2) > STIRRED_MV
    last = int(np.max(np.where(stirred, np.arange(stirred.shape[1]), 0)))
    return float(min(result.time_ms[-1], 1.03 * result.time_ms[last]))


def _outcome(result: Conduction, k: int) -> str:
    if result.outcome[k] != "conducted":
        return result.outcome[k]
    return f"{number(float(result.delay_ms[k]), 2)} ms from end to end"


def _myelin(axon: Axon) -> str:
    covered = axon.g_ratio[[not isinstance(part, Bare) for part in axon.parts]]
    words = []
    if len(covered):
        low, high = (number(float(end), 2) for end in (covered.min(), covered.max()))
        words.append(f"g {low}" if low == high else f"g {low} to {high}")
    if axon.bare_um:
        words += [f"bare {number(axon.bare_um / 1e3, 2)} mm", _channels(axon)]
    return ", ".join(words)


def _channels(axon: Axon) -> str:
    found = sorted({float(f"{100 * part.sodium:.2g}") for part in axon.parts if isinstance(part, Bare)})
    if found == [0.0]:
        return "no sodium channels"
    return " to ".join(f"{each:g}" for each in dict.fromkeys((found[0], found[-1]))) + " % sodium channels"
