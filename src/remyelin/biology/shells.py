"""Shells of tissue from the centre of a lesion to its border, and how progenitors come in through them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit

from remyelin.biology.equations import (
    N_PARAMETERS,
    N_STATES,
    PARAMETERS,
    STATES,
    Parameters,
    State,
    activation,
    differentiation,
    receptive,
    struck,
    turnover,
)
from remyelin.biology.lineage import NEVER, STEP_DAYS, Attack, FloatArray, abreast, halvings, pieces
from remyelin.lanes import LANES, moved, rows, splat, store_rows

FRONT = PARAMETERS.index("front_mm_per_week")
PROLIFERATION = PARAMETERS.index("proliferation_per_day")
CYCLE = PARAMETERS.index("cycle_days")
PROGENITORS = STATES.index("progenitors")
# How the area of a shell grows with its radius.
GEOMETRIES = {"sheet": 0, "cylinder": 1, "ball": 2}
# Shells in the length over which the foot of the front falls to 1/e.
SHELLS_PER_FOOT = 2.5
MOST_STEPS_PER_DAY = 100
# The midpoint rule then misses the growth of the first progenitors by less than 0.2 %.
GROWTH_IN_A_STEP = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Shells:
    """Equal steps of radius.

    Attributes
    ----------
    radius_mm
        (shell,) of its middle.
    area
        (shell + 1,) of the faces, the innermost first.
    volume
        (shell,) in the units of area times mm.
    """

    radius_mm: FloatArray
    area: FloatArray
    volume: FloatArray

    @classmethod
    def of(cls, radius_mm: float, count: int, geometry: str) -> Shells:
        """Of a sheet (half its thickness), a cylinder or a ball."""
        power = GEOMETRIES[geometry]
        face = np.linspace(0, radius_mm, count + 1)
        return cls((face[1:] + face[:-1]) / 2, face**power, np.diff(face ** (power + 1)) / (power + 1))

    @property
    def width_mm(self) -> float:
        """From face to face."""
        return float(2 * self.radius_mm[0])


def growth_per_day(parameters: FloatArray) -> float:
    """Growth of the first progenitors in tissue without any, r."""
    return float(math.log(2) / parameters[CYCLE] + parameters[PROLIFERATION])


def diffusivity_mm2_per_day(parameters: FloatArray) -> float:
    """Of progenitors, by the speed of the front they make (Fisher 1937, Kolmogorov 1937): D = c^2 / (4 r)."""
    return float((parameters[FRONT] / 7) ** 2 / (4 * growth_per_day(parameters)))


def foot_mm(parameters: FloatArray) -> float:
    """Length over which the foot of the front falls to 1/e: sqrt(D / r)."""
    return math.sqrt(diffusivity_mm2_per_day(parameters) / growth_per_day(parameters))


def march(
    shells: Shells,
    start: FloatArray,
    parameters: FloatArray,
    *,
    days: int,
    every_days: int = 1,
    treated: FloatArray | None = None,
    exposure: Sequence[float] = NEVER,
    attacks: Sequence[Attack] = (),
) -> FloatArray:
    """(day, shell, state) on every so many days, from `start` (shell, state); `parameters` (parameter,).

    Strang's splitting: half a step of diffusion (Crank-Nicolson), one of the lineage (midpoint rule), half a
    step of diffusion; second order in time and space.
    """
    full = parameters if treated is None else treated
    change = np.where(full == parameters, 0.0, full - np.where(full == parameters, 0.0, parameters))
    mixing = diffusivity_mm2_per_day(parameters)
    # With so many steps the explicit half of Crank-Nicolson makes no new extremes.
    smooth = min(mixing / (1.2 * shells.width_mm**2), MOST_STEPS_PER_DAY)
    both = np.array([parameters, full])
    quick = 2.0 ** (1 + halvings(both)).max() / STEP_DAYS
    growing = max(growth_per_day(each) for each in both) / GROWTH_IN_A_STEP
    step = 1 / max(smooth, quick, growing)
    y = abreast(start)
    now = np.repeat(parameters[:, None], LANES, axis=1)
    room = np.empty((3, len(start)))
    out = np.empty((days // every_days + 1, *y.shape))
    out[0] = y
    onset = level = 0.0
    # A loop of Python: the parts that cost are compiled, and all in one would take long to compile.
    for begin, end, day, parts, target, severity in pieces(days, exposure, attacks):
        if severity > 0:
            _strike(y, severity)
            onset = begin
        count = math.ceil((end - begin) / step * parts - 1e-9)
        h = (end - begin) / count
        decay = math.exp(-0.5 * h * exposure[2])
        for k in range(count):
            if treated is not None:
                half = target + (level - target) * decay
                level = target + (half - target) * decay
                now[:] = (parameters + half * change)[:, None]
            spread = 0.5 * h * mixing * (now[FRONT, 0] / parameters[FRONT]) ** 2
            _diffuse(y, shells.area, shells.volume, shells.width_mm, spread, room)
            _react(y, now, begin - onset + k * h, h)
            _diffuse(y, shells.area, shells.volume, shells.width_mm, spread, room)
        if day >= 0 and day % every_days == 0:
            out[day // every_days] = y
    return out.transpose(0, 1, 3, 2).reshape(len(out), -1, N_STATES)[:, : len(start)]


@njit(cache=True, nogil=True, error_model="numpy")
def _strike(y, severity):  # type: ignore[no-untyped-def]
    for group in range(len(y)):
        store_rows(y[group], struck(State(*rows(y[group], N_STATES)), splat(severity)))


@njit(cache=True, nogil=True, error_model="numpy")
def _react(y, parameters, t, h):  # type: ignore[no-untyped-def]
    p = Parameters(*rows(parameters, N_PARAMETERS))
    first, second = receptive(t, p), receptive(t + 0.5 * h, p)
    for group in range(len(y)):
        now = State(*rows(y[group], N_STATES))
        middle = moved(now, 0.5 * h, _slopes(now, p, first))
        store_rows(y[group], moved(now, h, _slopes(middle, p, second)))


@njit(cache=True, nogil=True, error_model="numpy")
def _slopes(y, p, ready):  # type: ignore[no-untyped-def]
    change = turnover(y, p, 0.0, 1.0, ready)
    return State(
        change.phagocytes,
        change.debris,
        change.progenitors + replacement(y, p),
        change.premyelinating,
        change.new_oligodendrocytes,
        change.surviving_oligodendrocytes,
        change.new_sheaths,
        change.survivor_sheaths,
        change.thickness,
        change.axons,
    )


@njit(cache=True, nogil=True, error_model="numpy")
def replacement(y, p):  # type: ignore[no-untyped-def]
    """What keeps normal tissue normal (Hughes 2013): gaps are filled and what differentiates is replaced.

    Where phagocytes are active it is replaced only as far as density is below normal.
    """
    gap = max(1.0 - y.progenitors, 0.0)
    active = activation(y)
    leaving = differentiation(y, p)
    return (1.0 - active) * (p.proliferation_per_day * y.progenitors * gap + leaving) + active * gap * leaving


@njit(cache=True, nogil=True, error_model="numpy")
def _diffuse(y, area, volume, width, spread, room):  # type: ignore[no-untyped-def]
    density = room[2]
    for i in range(len(density)):
        density[i] = y[i // LANES, PROGENITORS, i % LANES]
    diffuse(density, area, volume, width, spread, 1.0, room)
    for i in range(len(density)):
        y[i // LANES, PROGENITORS, i % LANES] = density[i]


@njit(cache=True, nogil=True, error_model="numpy")
def diffuse(density, area, volume, width, spread, outside, room):  # type: ignore[no-untyped-def]
    """Crank-Nicolson, in place: `spread` is diffusivity times time, `outside` the density at the border.

    `room` (2 or more, shell) is overwritten. The tridiagonal equations are solved by elimination.
    """
    last = len(density) - 1
    inner = below = 0.0
    for i in range(last + 1):
        # Half the flux for a difference of 1 through the outer face; the border is half a shell away.
        outer = 0.5 * spread * area[i + 1] / (width if i < last else 0.5 * width)
        above = density[i + 1] if i < last else outside
        known = volume[i] * density[i] + outer * (above - density[i]) - inner * (density[i] - below)
        if i == last:
            known += outer * outside
        below = density[i]
        pivot = volume[i] + inner + outer
        if i > 0:
            pivot -= inner * room[0, i - 1]
            known += inner * room[1, i - 1]
        room[0, i] = outer / pivot
        room[1, i] = known / pivot
        inner = outer
    density[last] = room[1, last]
    for i in range(last - 1, -1, -1):
        density[i] = room[1, i] + room[0, i] * density[i + 1]
