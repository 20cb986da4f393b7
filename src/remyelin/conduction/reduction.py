"""A passive internode as a few decoupled modes, by a rational Krylov reduction whose error is computed."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from remyelin.conduction.membrane import FloatArray
from remyelin.conduction.modes import Modes
from remyelin.errors import InputError

Pair = tuple[float, float]
Problem = tuple[FloatArray, FloatArray, int]  # elements (4, segment), links (2, segment + 1), ports

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
FREQUENCIES = np.array(FREQUENCIES_KHZ)
HIGHEST_ERROR = 2e-3


def reduced(ladder: FloatArray, axial_kohm: Pair, space_kohm: Pair = (0.0, 0.0)) -> Modes:
    """The internode of `ladder` between two nodes, in the fewest modes that suffice.

    The space of the modes is spanned by the responses of the internode to each node at a few time constants
    (Odabasioglu, Celik & Pileggi 1998, 10.1109/43.712097); projection keeps it passive and exact for steady
    currents. An internode that is its own mirror image is reduced by halves, to even and odd modes.

    What is known of the error: at the real frequencies 1 / tau of the time constants, the steady state among
    them, admittance and slope are exact. At `FREQUENCIES_KHZ` the error is computed, and sets of time
    constants are tried until it is at most 0.2 %. Between these frequencies no theorem bounds it; over 120
    internodes (intact, thinned, remyelinated, peripheral, between unequal nodes), scanned at 300 frequencies,
    it was at most 1.08 times the largest computed from 0.1 to 4 kHz, and less than 0.1 % below. Above it
    grows: to 5 % at 40 kHz, where an action potential has nothing left.

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
    halves = _problems(ladder, axial_kohm, space_kohm)
    best = math.inf
    for shifts in SHIFTS_US:
        tau = np.array(shifts) * 1e-3
        found = [_project(*half, tau) for half in halves]
        parts = [_compare(*half, *modes, FREQUENCIES) for half, modes in zip(halves, found, strict=True)]
        difference, size = sum(parts)
        error = float(np.sqrt(difference / size).max())
        if error <= HIGHEST_ERROR:
            return _modes(halves, found, error)
        best = min(best, error)
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

    halves = _problems(ladder, axial_kohm, space_kohm)
    found = []
    for elements, links, ports in halves:
        capacitance, conductance = _matrices(elements, links)
        rate, shape = eigh(conductance, capacitance)
        ends = links[0, 0] * shape[0], links[0, -1] * shape[-2]
        found.append((rate, np.array(ends[:ports])))
    return _modes(halves, found, 0.0)


def intake_ms(ladder: FloatArray, axial_kohm: Pair, space_kohm: Pair, within_ms: float) -> float:
    """The current that the internode takes from its left node for each mV, the right one at rest, in mS.

    Its admittance at the real frequency ``1 / within_ms``: about what it takes in that time after a step.
    """
    links = _links(ladder, axial_kohm, space_kohm)
    return float(links[0, 0] * (1 - _solve(ladder[:4], links, 1, 1 / within_ms)[0, 0]))


def _links(ladder: FloatArray, axial_kohm: Pair, space_kohm: Pair) -> FloatArray:
    """(2, segment + 1) conductances of axoplasm and periaxonal space, from the left node to the right one."""
    resistance = np.empty((2, ladder.shape[1] + 2))
    resistance[:, 1:-1] = ladder[4:]
    resistance[0, [0, -1]], resistance[1, [0, -1]] = axial_kohm, space_kohm
    return np.asarray(2 / (resistance[:, :-1] + resistance[:, 1:]))


def _problems(ladder: FloatArray, axial_kohm: Pair, space_kohm: Pair) -> list[Problem]:
    """What is to be reduced: the ladder with its links and two ports, or, if it is its own mirror image, its
    left half with one port, once for equal potentials at the nodes and once for opposite ones.

    Between the halves no current flows for equal potentials; for opposite ones the middle is at rest.
    """
    elements, links = np.ascontiguousarray(ladder[:4]), _links(ladder, axial_kohm, space_kohm)
    if not (np.array_equal(elements, elements[:, ::-1]) and np.array_equal(links, links[:, ::-1])):
        return [(elements, links, 2)]
    n = elements.shape[1]
    m, h = n // 2, (n + 1) // 2
    even = elements[:, :h].copy(), links[:, : h + 1].copy()
    odd = elements[:, :m].copy(), links[:, : m + 1].copy()
    even[1][:, -1] = 0.0
    if n % 2:
        even[0][:, -1] /= 2
    else:
        odd[1][:, -1] *= 2
    return [(*even, 1), (*odd, 1)] if m else [(elements, links, 2)]


def _modes(halves: list[Problem], found: list[tuple[FloatArray, FloatArray]], error: float) -> Modes:
    """The modes of the internode from those of its problems."""
    links = halves[0][1]
    if len(halves) == 1:
        rate, (left, right) = found[0]
        return Modes(rate, left, right, links[0, [0, -1]], error)
    # Even and odd ones by turns; where one is missing stands one that is tied to nothing.
    most = max(len(rate) for rate, _ in found)
    rates, ties = np.ones((most, 2)), np.zeros((most, 2))
    for parity, (rate, tie) in enumerate(found):
        rates[: len(rate), parity], ties[: len(rate), parity] = rate, tie[0] / math.sqrt(2)
    return Modes(
        rates.ravel(), ties.ravel(), (ties * (1, -1)).ravel(), links[0, [0, 0]], error, mirrored=True
    )


def _matrices(elements: FloatArray, links: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Capacitance and conductance matrix, (2 segment, 2 segment), axon and periaxonal space by turns."""
    n = elements.shape[1]
    C, G = np.zeros((2 * n, 2 * n)), np.zeros((2 * n, 2 * n))
    for k in range(n):
        i = 2 * k
        for matrix, (lemma, myelin) in ((C, elements[[0, 2], k]), (G, elements[[1, 3], k])):
            matrix[i : i + 2, i : i + 2] += [[lemma, -lemma], [-lemma, lemma + myelin]]
        for j in (0, 1):
            G[i + j, i + j] += links[j, k] + links[j, k + 1]
            if k < n - 1:
                G[i + j, i + 2 + j] = G[i + 2 + j, i + j] = -links[j, k + 1]
    return C, G


@njit(cache=True, nogil=True, error_model="numpy")
def _project(elements, links, ports, tau):  # type: ignore[no-untyped-def]
    """Rates (mode,) and ties (port, mode) of the modes spanned by the responses at times `tau` (ms)."""
    n = elements.shape[1]
    basis = _basis(elements, links, ports, tau)
    count = len(basis)
    conductance = np.empty((count, count))
    for k in range(count):
        for j in range(k + 1):
            conductance[j, k] = conductance[k, j] = _power(elements, links, basis[j], basis[k])
    rate, shape = np.linalg.eigh(conductance)
    ties = np.zeros((ports, count))
    for port in range(ports):
        end, here = (0, 0) if port == 0 else (n, 2 * n - 2)
        for k in range(count):
            for j in range(count):
                ties[port, k] += links[0, end] * shape[j, k] * basis[j, here]
    return rate, ties


@njit(cache=True, nogil=True, error_model="numpy")
def _basis(elements, links, ports, tau):  # type: ignore[no-untyped-def]
    """(mode, 2 segment) the responses at times `tau`, made orthonormal in the capacitance."""
    size = 2 * elements.shape[1]
    basis = np.empty((ports * len(tau), size))
    count = 0
    for t in tau:
        for vector in _solve(elements, links, ports, 1.0 / t):
            before = _inner(elements, vector, vector)
            for k in range(2 * count):
                share = _inner(elements, basis[k % count], vector)
                for i in range(size):
                    vector[i] -= share * basis[k % count, i]
            after = _inner(elements, vector, vector)
            # What is left of a response that the others hold already is rounding.
            if after > 1e-20 * before:
                for i in range(size):
                    basis[count, i] = vector[i] / np.sqrt(after)
                count += 1
    return basis[:count]


@njit(cache=True, nogil=True, error_model="numpy")
def _solve(elements, links, ports, s):  # type: ignore[no-untyped-def]
    """(port, 2 segment) solutions of (G + s C) x = b for 1 mV at the left node, and at the right one.

    A tridiagonal system of 2 x 2 blocks whose off-diagonal blocks are diagonal; `s` (1/ms) real or complex.
    """
    n = elements.shape[1]
    zero = s * 0.0
    x = np.zeros((ports, 2 * n)) + zero
    inverse = np.zeros((n, 3)) + zero
    x[0, 0] = links[0, 0]
    if ports == 2:
        x[1, 2 * n - 2] = links[0, n]
    for k in range(n):
        axial, space = links[0, k], links[1, k]
        lemma = elements[1, k] + s * elements[0, k]
        a = lemma + axial + links[0, k + 1]
        b = -lemma
        d = lemma + elements[3, k] + s * elements[2, k] + space + links[1, k + 1]
        if k > 0:
            p, q, r = inverse[k - 1]
            a -= axial * axial * p
            b -= axial * space * q
            d -= space * space * r
            for port in range(ports):
                u, v = x[port, 2 * k - 2], x[port, 2 * k - 1]
                x[port, 2 * k] += axial * (p * u + q * v)
                x[port, 2 * k + 1] += space * (q * u + r * v)
        scale = 1.0 / (a * d - b * b)
        inverse[k, 0], inverse[k, 1], inverse[k, 2] = d * scale, -b * scale, a * scale
    for port in range(ports):
        for k in range(n - 1, -1, -1):
            u, v = x[port, 2 * k], x[port, 2 * k + 1]
            if k < n - 1:
                u += links[0, k + 1] * x[port, 2 * k + 2]
                v += links[1, k + 1] * x[port, 2 * k + 3]
            x[port, 2 * k] = inverse[k, 0] * u + inverse[k, 1] * v
            x[port, 2 * k + 1] = inverse[k, 1] * u + inverse[k, 2] * v
    return x


@njit(cache=True, nogil=True, error_model="numpy")
def _inner(elements, x, y):  # type: ignore[no-untyped-def]
    """x' C y."""
    total = 0.0
    for k in range(elements.shape[1]):
        across_x, across_y = x[2 * k] - x[2 * k + 1], y[2 * k] - y[2 * k + 1]
        total += elements[0, k] * across_x * across_y + elements[2, k] * x[2 * k + 1] * y[2 * k + 1]
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def _power(elements, links, x, y):  # type: ignore[no-untyped-def]
    """x' G y."""
    n = elements.shape[1]
    total = links[0, 0] * x[0] * y[0] + links[1, 0] * x[1] * y[1]
    total += links[0, n] * x[2 * n - 2] * y[2 * n - 2] + links[1, n] * x[2 * n - 1] * y[2 * n - 1]
    for k in range(n):
        across_x, across_y = x[2 * k] - x[2 * k + 1], y[2 * k] - y[2 * k + 1]
        total += elements[1, k] * across_x * across_y + elements[3, k] * x[2 * k + 1] * y[2 * k + 1]
    for k in range(n - 1):
        for j in range(2):
            i = 2 * k + j
            total += links[j, k + 1] * (x[i] - x[i + 2]) * (y[i] - y[i + 2])
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def _compare(elements, links, ports, rate, ties, frequencies):  # type: ignore[no-untyped-def]
    """(2, frequency) squared norms: of the difference of the two admittances, and of the full one."""
    n = elements.shape[1]
    norms = np.zeros((2, len(frequencies)))
    for f in range(len(frequencies)):
        s = 2j * np.pi * frequencies[f]
        x = _solve(elements, links, ports, s)
        for row in range(ports):
            end, here = (0, 0) if row == 0 else (n, 2 * n - 2)
            for column in range(ports):
                full = links[0, end] * x[column, here]
                small = 0j
                for k in range(len(rate)):
                    small += ties[row, k] * ties[column, k] / (rate[k] + s)
                own = (links[0, end] if row == column else 0.0) - full
                norms[0, f] += abs(full - small) ** 2
                norms[1, f] += abs(own) ** 2
    return norms
