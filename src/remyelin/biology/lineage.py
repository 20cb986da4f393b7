"""The oligodendrocyte lineage in one well-mixed lesion, phagocytes to sheaths, followed day by day.

`STATES` in their order: active phagocytes (0 to 1); debris (1: all the myelin of the tissue); progenitors
and premyelinating cells (1: normal progenitors); new and surviving oligodendrocytes (1: normal); the part of
the bare axon that new and surviving ones cover; thickness of new sheaths (1: normal); axons left (0 to 1).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from numba import njit

from remyelin.biology import equations
from remyelin.biology.equations import (
    N_PARAMETERS,
    N_STATES,
    Parameters,
    State,
    colonised,
    receptive,
    struck,
    supply,
    turnover,
)
from remyelin.errors import InputError
from remyelin.lanes import LANES, moved, rows, splat, store_rows
from remyelin.number import check_number

FloatArray = npt.NDArray[np.float64]
STATES = equations.STATES
CONDITIONS = equations.CONDITIONS
PARAMETERS = equations.PARAMETERS
STEP_DAYS = 0.1
# A lesion changes fastest in its first days: there a step is divided. After an attack that leaves sheaths it
# is divided more, and for good, for room opens with a kink when the front passes what they cover.
FRESH_DAYS, FRESH_PARTS = 10.0, 5
KINK_PARTS, KINK_FRESH_PARTS = 4, 24
# Lesions at a time.
BLOCK = 8 * LANES
# Halvings of the step for the fastest of lesions; one that would need more is refused.
MOST_HALVINGS = 8
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
        check_number("attack day", self.day, above=0, expected="a day after 0")
        expected = "above 0 and at most 1, the part that is lost"
        check_number("attack severity", self.severity, above=0, most=1, expected=expected)


def advance(
    parameters: npt.ArrayLike,
    start: npt.ArrayLike,
    *,
    days: int,
    treated: npt.ArrayLike | None = None,
    exposure: Sequence[float] = NEVER,
    attacks: Sequence[Attack] = (),
    step_days: float = STEP_DAYS,
) -> FloatArray:
    """The states of many lesions, day by day, by the classical Runge-Kutta method.

    A lesion in which something is fast gets a half, a quarter ... of the step; whoever else is in the batch
    changes nothing. Attacks, and first and last days of treatment, fall between steps. On the day of an
    attack the state is that before it.

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
    step_days
        The longest step.

    Returns
    -------
    ndarray
        (lesion, day, state), days 0 to `days`.

    Raises
    ------
    InputError
        For rates so fast that no step follows them.

    Examples
    --------
    >>> from remyelin import biology
    >>> young = biology.scenario("rat-young")
    >>> advance([young.parameters()], [young.start()], days=60).shape
    (1, 61, 10)
    """
    plain = np.ascontiguousarray(parameters, dtype=np.float64)
    full = plain if treated is None else np.ascontiguousarray(treated, dtype=np.float64)
    change = np.where(full == plain, 0.0, full - np.where(full == plain, 0.0, plain))
    initial = np.ascontiguousarray(start, dtype=np.float64)
    course = tuple(np.array(column) for column in zip(*pieces(days, exposure, attacks), strict=True))
    finer = np.maximum(halvings(plain), halvings(full))
    receptive_days = PARAMETERS.index("receptive_days")
    fades = bool(np.isfinite([plain[:, receptive_days], full[:, receptive_days]]).any())
    out = np.empty((len(plain), days + 1, N_STATES))
    # Those of one step together, and few enough at a time that their states stay near the processor.
    order = np.argsort(finer, kind="stable")
    for which in np.split(order, _bounds(finer[order])):
        found = np.empty((-(-len(which) // LANES), days + 1, N_STATES, LANES))
        _advance(
            abreast(plain[which]),
            None if treated is None else abreast(change[which]),
            float(exposure[2]),
            step_days / 2.0 ** finer[which[0]],
            fades,
            *course,
            abreast(initial[which]),
            found,
        )
        out[which] = found.transpose(0, 3, 1, 2).reshape(-1, days + 1, N_STATES)[: len(which)]
    return out


def _bounds(ordered: npt.NDArray[np.int64]) -> list[int]:
    """Where a new block begins: at a new value, and after `BLOCK` of the same."""
    starts = [0, *(np.flatnonzero(np.diff(ordered)) + 1).tolist(), len(ordered)]
    every = [begin for first, last in pairwise(starts) for begin in range(first, last, BLOCK)]
    return every[1:]


def pieces(
    days: int, exposure: Sequence[float], attacks: Sequence[Attack]
) -> Iterator[tuple[float, float, int, int, float, float]]:
    """Stretches of time in which nothing happens.

    Begin, end, the day that ends there or -1, how often the step is to be divided, whether treated, and the
    severity of the attack with which it begins.
    """
    strikes = sorted((attack.day, attack.severity) for attack in attacks if attack.day < days)
    ends = {*range(days + 1), *(day for day, _ in strikes), *(day for day in exposure[:2] if 0 < day < days)}
    last, parts, early = 0.0, 1, FRESH_PARTS
    for begin, end in pairwise(sorted(map(float, ends))):
        here = [severity for day, severity in strikes if day == begin]
        severity = 1.0 - math.prod(1.0 - each for each in here)
        treated = exposure[0] <= begin and end <= exposure[1]
        if severity > 0:
            last, parts, early = (
                begin,
                *((KINK_PARTS, KINK_FRESH_PARTS) if severity < 1 else (1, FRESH_PARTS)),
            )
        day = int(end) if end == int(end) else -1
        yield begin, end, day, early if begin - last < FRESH_DAYS else parts, float(treated), severity


def abreast(rows_of: FloatArray) -> FloatArray:
    """(lesion, column) as (group, column, lane); the last lesion fills the last group up."""
    groups = -(-len(rows_of) // LANES)
    filled = np.concatenate([rows_of, np.repeat(rows_of[-1:], groups * LANES - len(rows_of), axis=0)])
    return np.ascontiguousarray(filled.reshape(groups, LANES, -1).transpose(0, 2, 1))


def halvings(parameters: FloatArray) -> npt.NDArray[np.int64]:
    """(lesion,) how often a step is to be halved so that it does not exceed the shortest time constant."""
    p = Parameters(*parameters.T)
    growth = p.proliferation_per_day + math.log(2.0) / p.cycle_days
    leaving = p.integration_per_day + p.premyelinating_death_per_day
    dying = p.oligodendrocyte_death_per_day + p.smouldering_death_per_day * p.smouldering
    waiting = p.progenitor_peak * p.differentiation_per_day / np.maximum(leaving, 1e-9)
    making = np.minimum(waiting, 3.0) * p.integration_per_day / p.progenitor_yield * p.coverage
    fastest = np.max(
        [
            p.recruitment_per_day * (1.0 + p.smouldering) + p.resolution_per_day,
            p.clearance_per_day / p.clearance_half,
            growth * p.progenitor_peak + p.differentiation_per_day + supply.py_func(p),
            leaving,
            making / p.demand_half,
            p.sheath_loss_per_day + dying + p.thickening_per_day,
            p.axon_loss_per_day + p.axon_loss_inflamed_per_day,
        ],
        axis=0,
    )
    needed = np.ceil(np.log2(np.maximum(fastest * STEP_DAYS, 1.0)))
    if not (needed <= MOST_HALVINGS).all():
        limit = 2**MOST_HALVINGS / STEP_DAYS
        worst = f"{np.max(fastest):g} per day for the fastest process"
        raise InputError("", "rates", worst, f"at most {limit:g} per day", "lower the rate that is so fast")
    return np.asarray(needed, dtype=np.int64)


@njit(cache=True, nogil=True, error_model="numpy")
def _advance(  # type: ignore[no-untyped-def]
    plain, change, onset_per_day, step, fades, begin, end, day, parts, treated, severity, start, out
):
    for group in range(plain.shape[0]):
        unexposed = Parameters(*rows(plain[group], N_PARAMETERS))
        now = unexposed
        y = State(*rows(start[group], N_STATES))
        store_rows(out[group, 0], y)
        onset = 0.0
        level = 0.0
        for piece in range(len(begin)):
            if severity[piece] > 0.0:
                y = State(*struck(y, splat(severity[piece])))
                onset = begin[piece]
            count = int(np.ceil((end[piece] - begin[piece]) / step * parts[piece] - 1e-9))
            h = (end[piece] - begin[piece]) / count
            decay = np.exp(-0.5 * h * onset_per_day)
            for k in range(count):
                middle, later = now, now
                if change is not None:
                    target = treated[piece]
                    half = target + (level - target) * decay
                    level = target + (half - target) * decay
                    effect = Parameters(*rows(change[group], N_PARAMETERS))
                    middle = moved(unexposed, half, effect)
                    later = moved(unexposed, level, effect)
                y = _step(begin[piece] - onset + k * h, h, y, now, middle, later, fades)
                now = later
            if day[piece] >= 0:
                store_rows(out[group, day[piece]], y)


@njit(cache=True, nogil=True, error_model="numpy")
def _step(t, h, y, now, middle, later, fades):  # type: ignore[no-untyped-def]
    """One Runge-Kutta step; the parameters at its beginning, in its middle and at its end."""
    first = _slopes(t, y, now, fades)
    second = _slopes(t + 0.5 * h, moved(y, 0.5 * h, first), middle, fades)
    third = _slopes(t + 0.5 * h, moved(y, 0.5 * h, second), middle, fades)
    fourth = _slopes(t + h, moved(y, h, third), later, fades)
    outer = moved(moved(y, h / 6.0, first), h / 6.0, fourth)
    return moved(moved(outer, h / 3.0, second), h / 3.0, third)


@njit(cache=True, nogil=True, error_model="numpy")
def _slopes(t, y, p, fades):  # type: ignore[no-untyped-def]
    # Exponentials cost as much as all the rest, and are 1 where axons stay receptive.
    ready = receptive(t, p) if fades else splat(1.0)
    return turnover(y, p, supply(p), colonised(t, p), ready)
