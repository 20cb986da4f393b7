"""The compiled time loop: Crank-Nicolson for potentials, gates half a step off, eight axons abreast."""

from __future__ import annotations

import numpy as np
from numba import njit

from remyelin.lanes import (
    LANES,
    crossed,
    fused,
    greater,
    lesser,
    load,
    splat,
    split,
    store,
    transposed,
)

GATES = 4
PIECE, TIE, MODE = 6, 3, 4  # rows of a kind of compartment, of a kind of link, of a mode
AHEAD = 0.85  # how far the second difference, one step late, is carried on: in steps
LOWEST_MV, HIGHEST_MV, ROWS_PER_MV = -170.0, 330.0, 8.0  # the gate table, in deviations from rest


@njit(cache=True, nogil=True, error_model="numpy")
def advance(  # type: ignore[no-untyped-def]
    steps,
    dt,
    membrane,
    table,
    lane_table,
    gates,
    pieces,
    piece,
    reversal,
    ties,
    modes,
    n_modes,
    mirrored,
    tie,
    curvature,
    pulse_start,
    pulse_ms,
    pulse_ua,
    threshold,
    arrival,
    count,
    peak,
    sodium,
    potential,
    record_every,
    record,
):
    """Advance one group of `LANES` axons by `steps`; results go into the arrays from `arrival` on.

    Potentials are deviations from rest (mV), times ms, conductances mS, capacitances uF, currents uA. What
    compartments and links are made of is kept once for each kind, so that it stays near the processor.

    `membrane`: 0 for gates m^3 h, p^3 and s, 1 for m^2 h and p^4 s; `table` (table, row, 8): what is added to
    each gate and kept of it, `lane_table` (lane) which; `gates` (4, lane) at rest; `pieces` (kind, 6, lane):
    capacitance over dt, conductance of the three channels, leak, leak current at rest, `piece` (comp) which
    kind; `reversal` (2, lane) of Na and K; `ties` (kind, 3, lane): half of what binds the left end, the right
    end, and both; `modes` (kind, mode, 4, lane): decay, ratio of right to left, output left and right, even
    in number; `n_modes` (kind); `mirrored` (kind): whether ratios are 1 and -1 by turns; `tie` (link)
    which kind; `curvature`: how much of the potential's second difference the gates see on top of it;
    `pulse_start` (pulse, lane). Of results, `arrival` (spike, comp, lane), `count`, `peak` and
    `potential` at the end (comp, lane), `sodium` (lane) sum of currents over steps and compartments; `record`
    (time, comp, lane).
    """
    n = len(piece)
    inverse, right = np.empty((n, LANES)), np.empty((n, LANES))
    history, z = np.zeros((n, LANES)), np.zeros((n - 1, modes.shape[1], LANES))
    x = np.empty((n, GATES, LANES))
    x[:] = gates
    seen, change, bend = np.zeros((n, LANES)), np.zeros((n, LANES)), np.zeros((n, LANES))
    opened = np.empty((n, LANES))
    injected = np.empty(LANES)
    for step in range(steps):
        _inject(step * dt, dt, pulse_start, pulse_ms, pulse_ua, injected)
        _forward(
            membrane, table, lane_table, pieces, piece, reversal, ties, tie, x, potential, seen, history,
            injected, opened, inverse, right,
        )  # fmt: skip
        _backward(
            step, dt, ties, modes, n_modes, mirrored, tie, z, inverse, right, history, threshold, potential,
            curvature, seen, change, bend, reversal, opened, sodium, peak, arrival, count,
        )  # fmt: skip
        if record_every and (step + 1) % record_every == 0:
            record[(step + 1) // record_every - 1] = potential


@njit(cache=True, nogil=True, error_model="numpy")
def _inject(begin, dt, start, duration, height, current):  # type: ignore[no-untyped-def]
    """The current into the first compartment, averaged over the step."""
    current[:] = 0.0
    for pulse in range(start.shape[0]):
        for lane in range(LANES):
            on = start[pulse, lane]
            share = min(begin + dt, on + duration[lane]) - max(begin, on)
            current[lane] += height[lane] * max(share, 0.0) / dt


@njit(cache=True, nogil=True, error_model="numpy")
def _forward(  # type: ignore[no-untyped-def]
    membrane, table, lane_table, pieces, piece, reversal, ties, tie, x, potential, seen, history,
    injected, opened, inverse, right,
):  # fmt: skip
    """Gates, currents and elimination, compartment after compartment."""
    n, rows = len(piece), table.shape[1]
    zero, one, half = splat(0.0), splat(1.0), splat(0.5)
    low, per_mv, top = splat(LOWEST_MV), splat(ROWS_PER_MV), splat(float(rows - 2))
    na, potassium = load(reversal, 0), load(reversal, LANES)
    place = np.empty(LANES, np.int32)
    part = np.empty(LANES)
    entries = np.empty((LANES, 2 * GATES))
    base = lane_table * (rows * 2 * GATES)
    force = load(injected, 0)
    last, above, link, near, before = zero, zero, zero, zero, zero
    v = load(potential, 0)
    for i in range(n):
        o = i * LANES
        store(part, 0, split(lesser(greater((load(seen, o) - low) * per_mv, zero), top), place))
        for lane in range(LANES):
            at = base[lane] + place[lane] * 8
            first = load(table, at)
            store(entries, lane * 8, first + splat(part[lane]) * (load(table, at + 8) - first))
        m_in, h_in, p_in, s_in, m_by, h_by, p_by, s_by = transposed(entries)
        g = i * GATES * LANES
        m = m_in + m_by * load(x, g)
        h = h_in + h_by * load(x, g + LANES)
        p = p_in + p_by * load(x, g + 2 * LANES)
        s = s_in + s_by * load(x, g + 3 * LANES)
        store(x, g, m)
        store(x, g + LANES, h)
        store(x, g + 2 * LANES, p)
        store(x, g + 3 * LANES, s)
        kind = piece[i] * PIECE * LANES
        if membrane == 0:
            g_na = load(pieces, kind + LANES) * m * m * m * h + load(pieces, kind + 2 * LANES) * p * p * p
            g_k = load(pieces, kind + 3 * LANES) * s
        else:
            g_na = load(pieces, kind + LANES) * m * m * h
            g_k = load(pieces, kind + 3 * LANES) * (p * p) * (p * p) * s
        driven = g_na * na
        store(opened, o, g_na)
        mean = half * (g_na + g_k + load(pieces, kind + 4 * LANES)) + near
        c = load(pieces, kind)
        force = force + driven + g_k * potassium + load(pieces, kind + 5 * LANES) + load(history, o)
        force = force + link * before
        weight = link * last
        diagonal = c - weight * link
        ahead = v
        if i < n - 1:
            to = tie[i] * TIE * LANES
            mean = mean + load(ties, to)
            near = load(ties, to + LANES)
            link = load(ties, to + 2 * LANES)
            ahead = load(potential, o + LANES)
            force = force + link * ahead
        last = one / (diagonal + mean)
        above = force + (c - mean) * v + weight * above
        store(inverse, o, last)
        store(right, o, above)
        before, v, force = v, ahead, zero


@njit(cache=True, nogil=True, error_model="numpy")
def _backward(  # type: ignore[no-untyped-def]
    step, dt, ties, modes, n_modes, mirrored, tie, z, inverse, right, history, threshold, potential,
    curvature, seen, change, bend, reversal, opened, sodium, peak, arrival, count,
):  # fmt: skip
    """Potentials, crossings, and the modes of the internode just passed, from the last compartment back."""
    n, q = len(inverse), modes.shape[1]
    zero, curved = splat(0.0), splat(curvature)
    one_more, ahead_part = splat(1.0 + AHEAD), splat(AHEAD)
    level, na, half = load(threshold, 0), load(reversal, 0), splat(0.5)
    entered = load(sodium, 0)
    was = np.empty(LANES)
    new, far, carried = zero, zero, zero
    for back in range(n):
        i = n - 1 - back
        o = i * LANES
        ahead = new
        new = load(right, o) * load(inverse, o)
        kind = 0
        if back > 0:
            kind = tie[i]
            new = new + load(ties, (kind * TIE + 2) * LANES) * load(inverse, o) * ahead
        old = load(potential, o)
        here = old + new
        entered = entered + load(opened, o) * (na - half * here)
        store(potential, o, new)
        store(peak, o, greater(new, load(peak, o)))
        if crossed(old, new, level):
            store(was, 0, old)
            _note(step, dt, threshold, was, potential[i], change[i], arrival[:, i], count[i])
        # The second difference of the last three potentials, carried on towards now by its own change.
        rise = new - old
        second = rise - load(change, o)
        store(seen, o, new + curved * (one_more * second - ahead_part * load(bend, o)))
        store(change, o, rise)
        store(bend, o, second)
        if back > 0:
            to, at = kind * q * MODE * LANES, i * q * LANES
            one_left, two_left, one_far, two_far = zero, zero, zero, zero
            if mirrored[kind]:
                both, unlike = here + far, here - far
                for k in range(0, n_modes[kind], 2):
                    c, d = to + k * MODE * LANES, at + k * LANES
                    even = fused(load(modes, c), load(z, d), both)
                    odd = fused(load(modes, c + MODE * LANES), load(z, d + LANES), unlike)
                    store(z, d, even)
                    store(z, d + LANES, odd)
                    one_left = fused(load(modes, c + 2 * LANES), even, one_left)
                    two_left = fused(load(modes, c + (MODE + 2) * LANES), odd, two_left)
                one_far, two_far = one_left, zero - two_left
            else:
                for k in range(0, n_modes[kind], 2):
                    c, d = to + k * MODE * LANES, at + k * LANES
                    even = fused(load(modes, c), load(z, d), fused(load(modes, c + LANES), far, here))
                    c2 = c + MODE * LANES
                    odd = fused(
                        load(modes, c2), load(z, d + LANES), fused(load(modes, c2 + LANES), far, here)
                    )
                    store(z, d, even)
                    store(z, d + LANES, odd)
                    one_left = fused(load(modes, c + 2 * LANES), even, one_left)
                    two_left = fused(load(modes, c2 + 2 * LANES), odd, two_left)
                    one_far = fused(load(modes, c + 3 * LANES), even, one_far)
                    two_far = fused(load(modes, c2 + 3 * LANES), odd, two_far)
            store(history, o + LANES, carried + (one_far + two_far))
            carried = one_left + two_left
        far = here
    store(history, 0, carried)
    store(sodium, 0, entered)


@njit(cache=True, nogil=True, error_model="numpy")
def _note(step, dt, threshold, was, now, change, arrival, count):  # type: ignore[no-untyped-def]
    """Keep when each lane rose through its threshold, on the parabola of three potentials."""
    for lane in range(LANES):
        level = threshold[lane]
        if now[lane] > level and was[lane] <= level:
            if count[lane] < arrival.shape[0]:
                rise = now[lane] - was[lane]
                bow = (rise - change[lane]) / 2
                part_way = (level - was[lane]) / rise
                part_way += bow * part_way * (1 - part_way) / (rise + bow * (2 * part_way - 1))
                arrival[count[lane], lane] = (step + part_way) * dt
            count[lane] += 1
