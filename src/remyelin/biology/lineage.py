"""The oligodendrocyte lineage in one well-mixed lesion, phagocytes to sheaths: differential equations.

`STATES` in their order: active phagocytes (0 to 1); debris (1: all the myelin of the tissue); progenitors
and premyelinating cells (1: normal progenitors); new and surviving oligodendrocytes (1: normal); the part of
the bare axon that new and surviving ones cover; thickness of new sheaths (1: normal); axons left (0 to 1).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from remyelin.biology.rates import names
from remyelin.errors import InputError

FloatArray = npt.NDArray[np.float64]
STATES = (
    "phagocytes",
    "debris",
    "progenitors",
    "premyelinating",
    "new_oligodendrocytes",
    "surviving_oligodendrocytes",
    "new_sheaths",
    "survivor_sheaths",
    "thickness",
    "axons",
)
# What is not a rate but a fact of the lesion; the rates and these are what the equations read.
CONDITIONS = ("lesion_radius_mm", "inhibition", "smouldering", "demand_driven")
PARAMETERS = (*names(), *CONDITIONS)
STEP_DAYS = 0.1
NEVER = (math.inf, math.inf, 1.0)


@dataclass(frozen=True, slots=True)
class Attack:
    """A new attack on a lesion: on `day`, the part `severity` of its sheaths and oligodendrocytes is lost.

    Examples
    --------
    >>> Attack(day=90, severity=0.8)
    Attack(day=90, severity=0.8)
    """

    day: float
    severity: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.day < math.inf:
            raise InputError("", "attack day", f"{self.day:g}", "a day after 0", "correct it")
        if not 0 < self.severity <= 1:
            found, expected = f"{self.severity:g}", "above 0 and at most 1, the part that is lost"
            raise InputError("", "attack severity", found, expected, "correct it")


def advance(
    parameters: npt.ArrayLike,
    start: npt.ArrayLike,
    *,
    days: int,
    treated: npt.ArrayLike | None = None,
    exposure: Sequence[float] = NEVER,
    attacks: Sequence[Attack] = (),
) -> FloatArray:
    """The states of many lesions, day by day, by the classical Runge-Kutta method in steps of 0.1 day.

    Parameters
    ----------
    parameters
        (lesion, parameter) in the order of `PARAMETERS`.
    start
        (lesion, state) on day 0, in the order of `STATES`.
    days
        The last day.
    treated
        (lesion, parameter) under full exposure to a treatment; None for none.
    exposure
        First and last day of treatment, and how fast its effect comes and goes, 1/day.
    attacks
        New attacks, for all lesions.

    Returns
    -------
    ndarray
        (lesion, day, state), days 0 to `days`.

    Examples
    --------
    >>> from remyelin import biology
    >>> young = biology.scenario("rat-young")
    >>> advance([young.parameters()], [young.start()], days=60).shape
    (1, 61, 10)
    """
    plain = np.ascontiguousarray(parameters, dtype=np.float64)
    full = plain if treated is None else np.ascontiguousarray(treated, dtype=np.float64)
    initial = np.ascontiguousarray(start, dtype=np.float64)
    out = np.empty((len(plain), days + 1, len(STATES)))
    order = sorted(attacks, key=lambda attack: attack.day)
    _advance(
        plain,
        full,
        treated is not None,
        np.array(exposure, dtype=np.float64),
        np.array([*(attack.day for attack in order), math.inf]),
        np.array([*(attack.severity for attack in order), 0.0]),
        initial,
        round(1 / STEP_DAYS),
        out,
    )
    return out


@njit(cache=True, nogil=True)
def _advance(plain, full, is_treated, exposure, attack_day, attack_severity, start, steps, out):  # type: ignore[no-untyped-def]
    k = np.empty((5, start.shape[1]))
    p = np.empty(plain.shape[1])
    dt = 1.0 / steps
    for lesion in range(plain.shape[0]):
        p[:] = plain[lesion]
        y = start[lesion].copy()
        out[lesion, 0] = y
        onset = 0.0
        struck = 0
        level = 0.0
        for day in range(1, out.shape[1]):
            for step in range(steps):
                t = day - 1 + step * dt
                while attack_day[struck] <= t + 0.5 * dt:
                    strike(y, attack_severity[struck])
                    onset = t
                    struck += 1
                if is_treated:
                    middle, level = exposed(level, t, dt, exposure)
                    treat(plain[lesion], full[lesion], middle, p)
                step_state(t - onset, dt, y, p, False, k)
            out[lesion, day] = y


@njit(cache=True, nogil=True)
def exposed(level, t, dt, exposure):  # type: ignore[no-untyped-def]
    """Exposure to a treatment in the middle of a step, which serves for all of it, and at its end."""
    target = 1.0 if exposure[0] <= t + 0.5 * dt <= exposure[1] else 0.0
    half = np.exp(-0.5 * dt * exposure[2])
    return target + (level - target) * half, target + (level - target) * half * half


@njit(cache=True, nogil=True)
def treat(plain, full, level, p):  # type: ignore[no-untyped-def]
    """The parameters at a level of exposure; one that is infinite and not treated stays so."""
    for j in range(len(p)):
        p[j] = plain[j] if full[j] == plain[j] else plain[j] + level * (full[j] - plain[j])


@njit(cache=True, nogil=True)
def step_state(t, dt, y, p, in_shell, k):  # type: ignore[no-untyped-def]
    """One Runge-Kutta step, in place; `k` (5, state) is room to work in."""
    slopes(t, y, p, in_shell, k[0])
    for stage in range(1, 4):
        part = dt if stage == 3 else 0.5 * dt
        for i in range(len(y)):
            k[4, i] = y[i] + part * k[stage - 1, i]
        slopes(t + part, k[4], p, in_shell, k[stage])
    for i in range(len(y)):
        y[i] += dt / 6 * (k[0, i] + 2 * k[1, i] + 2 * k[2, i] + k[3, i])


@njit(cache=True, nogil=True)
def strike(y, severity):  # type: ignore[no-untyped-def]
    """An attack: sheaths become debris, their cells die; progenitors and premyelinating cells die as well."""
    y[1] += severity * (y[6] + y[7])
    for i in (3, 4, 5, 6, 7):
        y[i] *= 1.0 - severity
    y[2] *= 1.0 - severity


@njit(cache=True, nogil=True)
def slopes(t, y, p, in_shell, out):  # type: ignore[no-untyped-def]
    """The right-hand side, equations (1) to (10) of the theory page; `t` runs from the last attack.

    How progenitors arrive is closed by the colonised volume in a well-mixed lesion. In a shell of `lesion`
    (`in_shell`) they diffuse, which is not here, and keep normal tissue normal: they divide where neighbours
    are missing, and replace what differentiates, except where phagocytes are active and density is normal.
    """
    M, D, P, N, E, F, S, w, X = y[0], y[1], y[2], y[3], y[4], y[6], y[7], y[8], y[9]
    survivors = y[5]
    radius, inhibition, smouldering, demand_driven = p[26], p[27], p[28], p[29]
    front = p[11] / 7.0
    engaged = D / (p[3] + D)
    active = M / (M + 0.1)
    soiled = D / p[4]
    bare = 1.0 - F - S
    seeking = bare / (bare + p[14])
    allowed = 1.0 / ((1.0 + soiled * soiled) * (1.0 + inhibition) * (1.0 + p[5] * smouldering))
    differentiating = p[6] * allowed * P / (1.0 + P / p[7]) * (1.0 - demand_driven * (1.0 - seeking))
    if in_shell:
        gap = max(1.0 - P, 0.0)
        supply = (1.0 - active) * (p[8] * P * gap + differentiating) + active * gap * differentiating
        room = max(1.0 - F, 0.0)
    else:
        supply = 2.0 * front / radius * (1.0 - P)
        ahead = max(1.0 - front * t / radius, 0.0)
        room = max(1.0 - ahead * ahead * ahead - F, 0.0)
    integrating = p[12] * N * seeking * room / (room + 0.02) * np.exp(-t / p[25])
    dying = p[17] + p[18] * smouldering
    # An oligodendrocyte takes its sheaths with it, and they become debris.
    shed = p[24] + dying
    growth = np.log(2.0) / p[9] + p[8] * active
    out[0] = p[0] * (engaged + smouldering) * (1.0 - M) - p[1] * (1.0 - engaged) * M
    out[1] = -p[2] * M * engaged + shed * (F + S)
    out[2] = supply + growth * P * (1.0 - P / (1.0 + (p[10] - 1.0) * active)) - differentiating
    out[3] = differentiating - integrating - p[13] * N
    out[4] = integrating / p[15] - dying * E
    out[5] = -dying * survivors
    out[6] = p[16] * integrating / p[15] - shed * F
    out[7] = p[19] * survivors * seeking - shed * S
    covered = F + S
    out[8] = p[20] * (p[21] - w) * covered / (covered + 0.01)
    out[9] = -(p[22] + p[23] * M) * bare * X
