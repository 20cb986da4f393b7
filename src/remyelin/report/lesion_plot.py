"""A picture of a lesion cut through its middle, on several days of its repair."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from remyelin.biology import LesionCourse
from remyelin.errors import InputError
from remyelin.number import check_number, several, shown

from .canvas import Picture, canvas, markup, saved
from .colour import FAINT, INK, MUTED, diverging
from .given import need
from .words import number, shortened

MOST_DAYS, MOST_RINGS = 8, 40


def draw_lesion(
    course: LesionCourse,
    days: Sequence[float] = (),
    *,
    title: str = "",
    name: str = "lesion",
    path: Path | str | None = None,
) -> Picture:
    """Draw how much of the axon is covered where, on several days, as SVG: bare is pale, covered is dark.

    Parameters
    ----------
    course
        From `biology.simulate_lesion`.
    days
        Up to 8 that were kept; by default five from the first to the last.
    title
        Words above.
    name
        Prefix of the ids, so that several figures can stand on one page.
    path
        Also write the figure to this file.

    Returns
    -------
    Picture
        An SVG element, which a notebook shows: the same course gives the same bytes, and nothing is fetched.

    Raises
    ------
    InputError
        For more than 8 days, or one that was not kept.

    Examples
    --------
    >>> from remyelin import biology
    >>> course = biology.simulate_lesion(biology.scenario("rat-young"), days=60)
    >>> draw_lesion(course, (10, 20, 30)).startswith('<svg class="chart"')
    True
    """
    fix = "make one with biology.simulate_lesion"
    need(LesionCourse, "course", course, "the course of a lesion with an inside", fix)
    steps = _steps(course, several(days))
    said = [_sentence(course, step) for step in steps]
    with canvas(
        1.75 * len(steps) + 0.9, 2.4, 1, len(steps) + 1, width_ratios=[*[1.0] * len(steps), 0.35]
    ) as (
        figure,
        (axes,),
    ):
        for ax, step in zip(axes, steps, strict=False):
            _cut(ax, course, step)
        _scale(axes[-1])
        if title:
            figure.suptitle(shortened(title, 90), x=0.02, ha="left", fontsize=10, fontweight="bold")
        picture = markup(figure, name, f"Lesion of {_size(course)}. {'; '.join(said)}")
    return saved(picture, path)


def _steps(course: LesionCourse, days: Sequence[float]) -> list[int]:
    kept = course.time_days
    if not len(days):
        return [int(step) for step in np.unique(np.linspace(0, len(kept) - 1, 5).round())]
    if len(days) > MOST_DAYS:
        raise InputError("", "days", f"{len(days)} of them", f"at most {MOST_DAYS}", "name fewer")
    for day in days:
        check_number("day", day, least=0, most=float(kept[-1]))
        if day not in kept:
            raise InputError("", "day", shown(day), f"a multiple of {kept[1]:g}, as kept", "correct it")
    return [int(np.searchsorted(kept, day)) for day in days]


def _cut(ax: Any, course: LesionCourse, step: int) -> None:
    from matplotlib.patches import Circle, Rectangle

    outer = course.radius_mm + course.radius_mm[0]
    edge = float(outer[-1])
    rings = np.unique(np.linspace(0, len(outer) - 1, MOST_RINGS).round().astype(int))[::-1]
    drawn: tuple[float, ...] = ()
    for radius, value in zip(outer[rings], course.remyelinated[step, rings], strict=True):
        colour = tuple(diverging(np.array(value), 1.0) / 255)
        if colour == drawn:  # the disc that is there already
            continue
        drawn = colour
        if course.geometry == "sheet":
            patch: Any = Rectangle((-radius, -edge), 2 * radius, 2 * edge, facecolor=colour, lw=0)
        else:
            patch = Circle((0, 0), radius, facecolor=colour, lw=0)
        ax.add_patch(patch)
    around = (
        Rectangle((-edge, -edge), 2 * edge, 2 * edge) if course.geometry == "sheet" else Circle((0, 0), edge)
    )
    around.set(facecolor="none", edgecolor=FAINT, lw=0.8)
    ax.add_patch(around)
    ax.set(
        xlim=(-1.05 * edge, 1.05 * edge),
        ylim=(-1.05 * edge, 1.05 * edge),
        aspect="equal",
        xticks=[],
        yticks=[],
    )
    ax.spines[:].set_visible(False)
    ax.set_title(f"day {number(float(course.time_days[step]), 0)}", loc="center", color=INK)
    ax.set_xlabel(f"{number(100 * float(course.covered[step]), 0)} % covered", color=MUTED, fontsize=9)


def _scale(ax: Any) -> None:
    ax.imshow(diverging(np.linspace(1, 0, 64)[:, None], 1.0), aspect="auto", extent=(0, 1, 0, 100))
    ax.set(xticks=[], yticks=[0, 50, 100], box_aspect=6)
    ax.yaxis.tick_right()
    ax.tick_params(length=0, labelsize=8)
    ax.spines[:].set_visible(False)
    ax.set_title("% covered", fontsize=8, fontweight="normal", color=MUTED, loc="center")


def _size(course: LesionCourse) -> str:
    return f"{number(course.scenario.lesion_radius_mm, 1)} mm from border to centre"


def _sentence(course: LesionCourse, step: int) -> str:
    border, centre = 100 * course.border[step], 100 * course.centre[step]
    return (
        f"day {number(float(course.time_days[step]), 0)}: border {number(float(border), 0)} %, "
        f"centre {number(float(centre), 0)} % covered"
    )
