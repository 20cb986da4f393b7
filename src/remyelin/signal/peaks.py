"""The peaks of a response that is known without noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from remyelin.signal.grid import STEP_MS, FloatArray

IntArray = npt.NDArray[np.int64]

# Rules. A second hump: so high, and so deep a dip before it, as parts of the height of the highest.
_HUMP_HEIGHT, _HUMP_DIP = 0.4, 0.03
_N75_BEFORE_MS, _N135_AFTER_MS = 70.0, 95.0


@dataclass(frozen=True, slots=True)
class Peaks:
    """Times of the peaks, in ms; P100 is the higher of two humps."""

    n75_ms: float
    p100_ms: float
    n135_ms: float
    amplitude_uv: float
    humps_ms: tuple[float, ...]


def find_peaks(uv: FloatArray, begin_ms: float, end_ms: float) -> Peaks | None:
    """The peaks of a wave on the grid, P100 between two times; None if nothing stands out above 0 there.

    A top lies at the highest point of the parabola through three samples, which on this grid is exact to
    0.01 ms.
    """
    tops = _tops(uv, int(max(begin_ms / STEP_MS, 1)), int(end_ms / STEP_MS))
    if not len(tops):
        return None
    highest = int(tops[uv[tops].argmax()])
    humps = _humps(uv, tops, highest)
    before = max(highest - int(_N75_BEFORE_MS / STEP_MS), 1)
    n75 = before + int(uv[before:highest].argmin())
    n135 = humps[-1] + int(uv[humps[-1] : humps[-1] + int(_N135_AFTER_MS / STEP_MS)].argmin())
    top_uv = _at(uv, highest)[1]
    return Peaks(
        n75_ms=_at(uv, n75)[0],
        p100_ms=_at(uv, highest)[0],
        n135_ms=_at(uv, n135)[0],
        amplitude_uv=top_uv - _at(uv, n75)[1],
        humps_ms=tuple(_at(uv, hump)[0] for hump in humps) if len(humps) > 1 else (),
    )


def _tops(uv: FloatArray, begin: int, end: int) -> IntArray:
    inside = uv[begin:end]
    higher = (inside > uv[begin - 1 : end - 1]) & (inside >= uv[begin + 1 : end + 1]) & (inside > 0)
    return begin + np.flatnonzero(higher)


def _humps(uv: FloatArray, tops: IntArray, highest: int) -> list[int]:
    """The highest top and, in order of time, another that a dip parts from it."""
    found = [highest]
    for other in tops[np.argsort(-uv[tops])]:
        first, last = sorted((highest, int(other)))
        dip = uv[other] - uv[first : last + 1].min()
        if uv[other] >= _HUMP_HEIGHT * uv[highest] and dip > _HUMP_DIP * uv[highest]:
            found.append(int(other))
            break
    return sorted(found)


def _at(uv: FloatArray, row: int) -> tuple[float, float]:
    """Time and height of the extremum near a sample."""
    left, middle, right = uv[row - 1 : row + 2]
    bend = left - 2 * middle + right
    part = 0.0 if bend == 0 else float(np.clip(0.5 * (left - right) / bend, -1, 1))
    return (row + part) * STEP_MS, float(middle - 0.25 * (left - right) * part)
