"""A passive internode as a few decoupled modes, by a rational Krylov reduction whose error is computed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit

from remyelin.conduction.membrane import FloatArray
from remyelin.errors import InputError

Pair = tuple[float, float]

# Time constants (us) at which the reduced internode equals the full one; infinity is the steady state. Next
# to a block a node hesitates for half a millisecond, and only slow ones tell what charge it gives meanwhile:
# with 50, 10 and 2 us two bare internodes delayed 1 % more than without reduction, with these by 1e-4.
SHIFTS_US = (
    (math.inf, 140.0, 50.0, 10.0),
    (math.inf, 400.0, 60.0, 15.0, 3.0),
    (math.inf, 800.0, 200.0, 50.0, 15.0, 5.0, 1.0),
)
# Where the error is computed: from the slowest, when conduction all but fails, to an action potential's rise.
FREQUENCIES_KHZ = (0.1, 0.3, 1.0, 4.0)
HIGHEST_ERROR = 2e-3


@dataclass(frozen=True, slots=True)
class Modes:
    """A passive internode seen from its two nodes, ``dz/dt = -rate z + left u_left + right u_right``.

    The current into it at the left node is ``port[0] u_left - sum(left z)``, and likewise at the right.

    Attributes
    ----------
    rate
        (mode,) decay rates in 1/ms, all above 0: the reduced internode is passive like the full one.
    left, right
        (mode,) how each mode is tied to the two nodes.
    port
        (2,) conductance in mS from each node's centre into the first and the last segment.
    error
        Largest difference of its admittance from that of the full internode, relative to it, over
        `FREQUENCIES_KHZ`.
    """

    rate: FloatArray
    left: FloatArray
    right: FloatArray
    port: FloatArray
    error: float
    mirrored: bool = False


def reduced(ladder: FloatArray, axial_kohm: Pair, space_kohm: Pair = (0.0, 0.0)) -> Modes:
    """The internode of `ladder` between two nodes, in the fewest modes that suffice.

    The space of the modes is spanned by the responses of the internode to each node at a few time constants
    (Odabasioglu, Celik & Pileggi 1998, 10.1109/43.712097); projection keeps it passive and exact for steady
    currents. The error is that of the admittance at frequencies that an action potential contains; sets of
    time constants are tried until it is below 0.2 %.

    Parameters
    ----------
    ladder
        (6, segment) of `circuit.internode_ladder`.
    axial_kohm, space_kohm
        Of the left and the right node, from end to end: axoplasm, and the space around the node.

    Raises
    ------
    InputError
        If no set suffices: the geometry is outside what was tested.
    """
    ends = _ends(ladder, axial_kohm, space_kohm)
    best = None
    for shifts in SHIFTS_US:
        rate, left, right = _reduce(ladder, ends, np.array(shifts) * 1e-3)
        error = _error(ladder, ends, rate, left, right, np.array(FREQUENCIES_KHZ))
        if error <= HIGHEST_ERROR:
            return Modes(rate, left, right, ends[:2], error)
        best = error if best is None else min(best, error)
    raise InputError(
        "",
        "reduction of an internode",
        f"off by {best:.2%} of its admittance",
        f"at most {HIGHEST_ERROR:.1%}",
        "correct the geometry, or simulate with reduction='full'",
    )


def complete(ladder: FloatArray, axial_kohm: Pair, space_kohm: Pair = (0.0, 0.0)) -> Modes:
    """All modes of the internode, two for each segment: nothing is left out. For tests and doubtful cases."""
    from scipy.linalg import eigh

    ends = _ends(ladder, axial_kohm, space_kohm)
    capacitance, conductance = _matrices(ladder, ends)
    rate, shape = eigh(conductance, capacitance)
    return Modes(rate, ends[0] * shape[0], ends[1] * shape[-2], ends[:2], 0.0)


def intake_ms(ladder: FloatArray, axial_kohm: Pair, space_kohm: Pair, within_ms: float) -> float:
    """The current that the internode takes from its left node for each mV, the right one at rest, in mS.

    Its admittance at the real frequency ``1 / within_ms``: about what it takes in that time after a step.
    """
    ends = _ends(ladder, axial_kohm, space_kohm)
    return float(ends[0] * (1 - _solve(ladder, ends, 1 / within_ms)[0, 0]))


def _ends(ladder: FloatArray, axial_kohm: Pair, space_kohm: Pair) -> FloatArray:
    """Conductances of the axoplasm to the two nodes, and of the periaxonal space to the outside there."""
    return np.asarray(2 / (ladder[4:, [0, -1]] + np.array([axial_kohm, space_kohm])).ravel())


def _matrices(ladder: FloatArray, ends: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Capacitance and conductance matrix, (2 segment, 2 segment), axon and periaxonal space by turns."""
    n = ladder.shape[1]
    C, G = np.zeros((2 * n, 2 * n)), np.zeros((2 * n, 2 * n))
    links = 2 / (ladder[4:, :-1] + ladder[4:, 1:])
    for k in range(n):
        i = 2 * k
        for matrix, lemma, myelin in ((C, ladder[0, k], ladder[2, k]), (G, ladder[1, k], ladder[3, k])):
            matrix[i : i + 2, i : i + 2] += [[lemma, -lemma], [-lemma, lemma + myelin]]
        for space in range(2):
            before = ends[2 * space] if k == 0 else links[space, k - 1]
            after = ends[2 * space + 1] if k == n - 1 else links[space, k]
            G[i + space, i + space] += before + after
            if k < n - 1:
                G[i + space, i + 2 + space] = G[i + 2 + space, i + space] = -after
    return C, G


@njit(cache=True)
def _reduce(ladder, ends, tau):  # type: ignore[no-untyped-def]
    """Rates and ties of the modes spanned by the responses at the time constants `tau` (ms)."""
    n = ladder.shape[1]
    basis = np.empty((2 * len(tau), 2 * n))
    count = 0
    for t in tau:
        response = _solve(ladder, ends, 0.0 if np.isinf(t) else 1.0 / t)
        for side in range(2):
            vector = response[side].copy()
            before = _inner(ladder, vector, vector)
            for _ in range(2):
                for k in range(count):
                    vector -= _inner(ladder, basis[k], vector) * basis[k]
            after = _inner(ladder, vector, vector)
            # What is left of a response that the others hold already is rounding.
            if after > 1e-20 * before:
                basis[count] = vector / np.sqrt(after)
                count += 1
    basis = basis[:count]
    conductance = np.empty((count, count))
    for k in range(count):
        image = _conduct(ladder, ends, basis[k])
        for j in range(count):
            conductance[j, k] = np.dot(basis[j], image)
    rate, shape = np.linalg.eigh(0.5 * (conductance + conductance.T))
    left = ends[0] * np.dot(shape.T, np.ascontiguousarray(basis[:, 0]))
    right = ends[1] * np.dot(shape.T, np.ascontiguousarray(basis[:, 2 * n - 2]))
    return rate, left, right


@njit(cache=True)
def _solve(ladder, ends, s):  # type: ignore[no-untyped-def]
    """(2, 2 segment) solutions of (G + s C) x = b for a current from the left node and one from the right.

    A tridiagonal system of 2 x 2 blocks whose off-diagonal blocks are diagonal; `s` (1/ms) real or complex.
    """
    n = ladder.shape[1]
    zero = s * 0.0
    x = np.zeros((2, 2 * n)) + zero
    inverse = np.zeros((n, 3)) + zero
    x[0, 0] = ends[0]
    x[1, 2 * n - 2] = ends[1]
    axial, space = ends[0], ends[2]
    for k in range(n):
        next_axial = ends[1] if k == n - 1 else 2 / (ladder[4, k] + ladder[4, k + 1])
        next_space = ends[3] if k == n - 1 else 2 / (ladder[5, k] + ladder[5, k + 1])
        lemma = ladder[1, k] + s * ladder[0, k]
        a = lemma + axial + next_axial
        b = -lemma
        d = lemma + ladder[3, k] + s * ladder[2, k] + space + next_space
        if k > 0:
            a -= axial * axial * inverse[k - 1, 0]
            b -= axial * space * inverse[k - 1, 1]
            d -= space * space * inverse[k - 1, 2]
            for side in range(2):
                u, v = x[side, 2 * k - 2], x[side, 2 * k - 1]
                x[side, 2 * k] += axial * (inverse[k - 1, 0] * u + inverse[k - 1, 1] * v)
                x[side, 2 * k + 1] += space * (inverse[k - 1, 1] * u + inverse[k - 1, 2] * v)
        determinant = a * d - b * b
        inverse[k, 0], inverse[k, 1], inverse[k, 2] = d / determinant, -b / determinant, a / determinant
        axial, space = next_axial, next_space
    for side in range(2):
        for k in range(n - 1, -1, -1):
            u, v = x[side, 2 * k], x[side, 2 * k + 1]
            if k < n - 1:
                u += 2 / (ladder[4, k] + ladder[4, k + 1]) * x[side, 2 * k + 2]
                v += 2 / (ladder[5, k] + ladder[5, k + 1]) * x[side, 2 * k + 3]
            x[side, 2 * k] = inverse[k, 0] * u + inverse[k, 1] * v
            x[side, 2 * k + 1] = inverse[k, 1] * u + inverse[k, 2] * v
    return x


@njit(cache=True)
def _inner(ladder, x, y):  # type: ignore[no-untyped-def]
    """x' C y."""
    total = 0.0
    for k in range(ladder.shape[1]):
        across_x, across_y = x[2 * k] - x[2 * k + 1], y[2 * k] - y[2 * k + 1]
        total += ladder[0, k] * across_x * across_y + ladder[2, k] * x[2 * k + 1] * y[2 * k + 1]
    return total


@njit(cache=True)
def _conduct(ladder, ends, x):  # type: ignore[no-untyped-def]
    """G x."""
    n = ladder.shape[1]
    y = np.empty(2 * n)
    for k in range(n):
        across = ladder[1, k] * (x[2 * k] - x[2 * k + 1])
        y[2 * k] = across
        y[2 * k + 1] = ladder[3, k] * x[2 * k + 1] - across
    y[0] += ends[0] * x[0]
    y[1] += ends[2] * x[1]
    y[2 * n - 2] += ends[1] * x[2 * n - 2]
    y[2 * n - 1] += ends[3] * x[2 * n - 1]
    for k in range(n - 1):
        for space in range(2):
            i = 2 * k + space
            flow = 2 / (ladder[4 + space, k] + ladder[4 + space, k + 1]) * (x[i] - x[i + 2])
            y[i] += flow
            y[i + 2] -= flow
    return y


@njit(cache=True)
def _error(ladder, ends, rate, left, right, frequencies):  # type: ignore[no-untyped-def]
    """Largest norm of the difference of the two admittances, relative to the norm of the full one."""
    n = ladder.shape[1]
    worst = 0.0
    for frequency in frequencies:
        s = 2j * np.pi * frequency
        x = _solve(ladder, ends, s)
        difference, size = 0.0, 0.0
        for row in range(2):
            here = 0 if row == 0 else 2 * n - 2
            for column in range(2):
                full = ends[row] * x[column, here]
                tie = left if row == 0 else right
                other = left if column == 0 else right
                small = 0j
                for k in range(len(rate)):
                    small += tie[k] * other[k] / (rate[k] + s)
                own = (ends[row] if row == column else 0.0) - full
                difference += abs(full - small) ** 2
                size += abs(own) ** 2
        worst = max(worst, np.sqrt(difference / size))
    return worst
