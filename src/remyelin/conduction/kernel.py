"""The compiled time loop: Crank-Nicolson for potentials, gates half a step off, eight axons abreast."""

from __future__ import annotations

import numpy as np
from numba import njit

from remyelin.conduction.lanes import LANES, crossed, greater, lesser, load, splat, store, transposed

GATES = 4
LOWEST_MV, HIGHEST_MV, ROWS_PER_MV = -170.0, 330.0, 8.0  # the gate table, in deviations from rest


@njit(cache=True, nogil=True, error_model="numpy")
def advance(  # type: ignore[no-untyped-def]  # noqa: C901
    steps,
    dt,
    table,
    lane_table,
    gates,
    capacitance,
    conductance,
    leak,
    leak_current,
    reversal,
    links,
    n_modes,
    decay,
    ratio,
    out,
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

    Potentials are deviations from rest (mV), times ms, conductances mS, capacitances uF, currents uA.
    `table` (table, row, 8): what is added to each gate and kept of it, `lane_table` (lane) which; `gates`
    (4, lane) at rest; `capacitance` (comp, lane) over dt; `conductance` (3, comp, lane); `leak_current`: what
    the leak carries at rest; `reversal` (2, lane) of Na and K; `links` (3, link, lane): half of what binds the
    left end, the right end, and both; `n_modes` (link); `decay` and `ratio` (link, mode, lane); `out`
    (2, link, mode, lane); `pulse_start` (pulse, lane). Of results, `arrival` (spike, comp, lane), `count`, `peak`, `sodium` (sum of
    currents) and `potential` at the end (comp, lane); `record` (time, comp, lane).
    """
    n = capacitance.shape[0]
    q = decay.shape[1]
    plane = n * LANES
    chain = (n - 1) * LANES
    block = (n - 1) * q * LANES
    rows = table.shape[1]
    zero, one, half = splat(0.0), splat(1.0), splat(0.5)
    low, per_mv, top = splat(LOWEST_MV), splat(ROWS_PER_MV), splat(float(rows - 2))
    na, k_rev = load(reversal, 0), load(reversal, LANES)
    level = load(threshold, 0)
    u = potential
    history = np.zeros((n, LANES))
    z = np.zeros((n - 1, q, LANES))
    x = np.empty((n, GATES, LANES))
    x[:] = gates
    diagonal = np.empty((n, LANES))
    right = np.empty((n, LANES))
    place = np.empty(LANES)
    entries = np.empty((LANES, 8))
    for step in range(steps):
        begin = step * dt
        for lane in range(LANES):
            place[lane] = 0.0
        for pulse in range(pulse_start.shape[0]):
            for lane in range(LANES):
                on = pulse_start[pulse, lane]
                share = min(begin + dt, on + pulse_ms[lane]) - max(begin, on)
                place[lane] += pulse_ua[lane] * max(share, 0.0) / dt
        injected = load(place, 0)
        # Forward: gates, currents and elimination, node after node.
        inverse, above, link, near, before = one, zero, zero, zero, zero
        v = load(u, 0)
        for i in range(n):
            o = i * LANES
            store(place, 0, lesser(greater((v - low) * per_mv, zero), top))
            for lane in range(LANES):
                at = int(place[lane])
                part = splat(place[lane] - at)
                base = (lane_table[lane] * rows + at) * 8
                first = load(table, base)
                store(entries, lane * 8, first + part * (load(table, base + 8) - first))
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
            g_na = load(conductance, o) * m * m * m * h + load(conductance, plane + o) * p * p * p
            g_k = load(conductance, 2 * plane + o) * s
            driven = g_na * na
            store(sodium, o, load(sodium, o) + driven - g_na * v)
            mean = half * (g_na + g_k + load(leak, o)) + near
            c = load(capacitance, o)
            force = driven + g_k * k_rev + load(leak_current, o) + load(history, o) + injected + link * before
            injected = zero
            weight = link * inverse
            diagonal_here = c - weight * link
            ahead = v
            if i < n - 1:
                mean = mean + load(links, o)
                near = load(links, chain + o)
                link = load(links, 2 * chain + o)
                ahead = load(u, o + LANES)
                force = force + link * ahead
            inverse = one / (diagonal_here + mean)
            above = force + (c - mean) * v + weight * above
            store(diagonal, o, inverse)
            store(right, o, above)
            before, v = v, ahead
        # Backward: potentials, crossings, and the modes of the internode just passed.
        new, far, carried = zero, zero, zero
        for back in range(n):
            i = n - 1 - back
            o = i * LANES
            new = load(right, o) * load(diagonal, o)
            if back > 0:
                new = new + load(links, 2 * chain + o) * load(diagonal, o) * ahead
            ahead = new
            old = load(u, o)
            here = old + new
            store(u, o, new)
            store(peak, o, greater(new, load(peak, o)))
            if crossed(old, new, level):
                store(place, 0, old)
                for lane in range(LANES):
                    was, now = place[lane], u[i, lane]
                    if now > threshold[lane] and was <= threshold[lane]:
                        if count[i, lane] < arrival.shape[0]:
                            part_way = (threshold[lane] - was) / (now - was)
                            arrival[count[i, lane], i, lane] = (step + part_way) * dt
                        count[i, lane] += 1
            if back > 0:
                sum_left, sum_far = zero, carried
                for k in range(n_modes[i]):
                    c = (i * q + k) * LANES
                    mode = load(decay, c) * load(z, c) + here + load(ratio, c) * far
                    store(z, c, mode)
                    sum_left = sum_left + load(out, c) * mode
                    sum_far = sum_far + load(out, block + c) * mode
                store(history, o + LANES, sum_far)
                carried = sum_left
            far = here
        store(history, 0, carried)
        if record_every and (step + 1) % record_every == 0:
            record[(step + 1) // record_every - 1] = u
