"""Solve for the cortical generators whose healthy response has the published troughs."""

from __future__ import annotations

import numpy as np
from scipy import optimize

from remyelin.signal import Cortex, Delays, vep_response
from remyelin.signal.cortex import SIZE, TOP_MS

# Troughs before and after P100 in ms (the middles of 70 to 80, 90 to 110 and 130 to 140 ms), and their depths
# as parts of the height of P100, which are choices.
WANTED = (25.0, 35.0, 0.35, 0.60)
P100_TOP_MS, LATE_PART, LATE_SIZE = 45.0, 1.75, 0.12


def solve() -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Times and sizes of the generators of N75, P100, N135 and the late positivity."""
    found = optimize.least_squares(
        lambda x: (np.array(measured(*generators(x))) - WANTED) * (1, 1, 20, 20),
        [28, 80, 0.6, 0.8],
        diff_step=1e-2,
        bounds=([8, 50, 0.05, 0.05], [44, 140, 5, 5]),
    )
    return generators(found.x)


def generators(x: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """From what is solved for: times of the two troughs' generators, and their sizes."""
    first, second, before, after = x.tolist()
    return (first, P100_TOP_MS, second, LATE_PART * second), (-before, 1.0, -after, LATE_SIZE)


def measured(top_ms: tuple[float, ...], size: tuple[float, ...]) -> tuple[float, ...]:
    """What `WANTED` says, of the healthy response."""
    eye = vep_response(Delays(), cortex=Cortex(100.0, 10.0, top_ms, size))
    at = [np.interp(ms, eye.time_ms, eye.uv) for ms in (eye.n75_ms, eye.latency_ms, eye.n135_ms)]
    return (
        eye.latency_ms - eye.n75_ms,
        eye.n135_ms - eye.latency_ms,
        -at[0] / at[1],
        -at[2] / at[1],
    )


def report() -> str:
    """The solution beside what the package holds."""
    top_ms, size = solve()
    rows = zip(("N75", "P100", "N135", "late"), top_ms, TOP_MS, size, SIZE, strict=True)
    lines = ["| generator | top, solved, ms | top, packaged, ms | size, solved | size, packaged |"]
    lines.append("| --- | --- | --- | --- | --- |")
    lines += [f"| {name} | {a:.1f} | {b:g} | {c:.3f} | {d:g} |" for name, a, b, c, d in rows]
    return "\n".join(lines)
