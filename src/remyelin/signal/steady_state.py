"""The steady state of two exchanging pools under periodic pulses, in closed form, voxel by voxel."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def relaxed(
    ratio: float,
    free_r1: float,
    bound_r1: float,
    exchange: float,
    free_loss: float,
    bound_loss: float,
    seconds: float,
) -> tuple[float, float, float, float, float, float]:
    """What a stretch makes of the longitudinal magnetisation (free, bound), which is (1, ratio) at rest.

    Returns the matrix (four values, row by row) and the point to which the stretch leads: the distance to
    that point is multiplied by the matrix.
    """
    there = exchange * ratio
    free, bound = free_r1 + there + free_loss, bound_r1 + exchange + bound_loss
    det = free * bound - there * exchange
    s1 = (bound * free_r1 + exchange * bound_r1 * ratio) / det
    s2 = (there * free_r1 + free * bound_r1 * ratio) / det
    # exp(-t [[free, -exchange], [-there, bound]]) by its two rates, the slow one without cancellation.
    mean, half = (free + bound) / 2, (free - bound) / 2
    gap = math.sqrt(half * half + there * exchange)
    slow, fast = math.exp(-(det / (mean + gap)) * seconds), math.exp(-(mean + gap) * seconds)
    even, odd = (slow + fast) / 2, (slow - fast) / (2 * gap)
    return even - odd * half, odd * exchange, odd * there, even + odd * half, s1, s2


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def free_steady_state(
    ratio: FloatArray,
    free_r1: FloatArray,
    bound_r1: FloatArray,
    exchange: FloatArray,
    left: FloatArray,
    free_loss: FloatArray,
    bound_loss: FloatArray,
    durations: tuple[float, float, float],
    saturated: tuple[bool, bool, bool],
    out: FloatArray,
) -> None:
    """Longitudinal magnetisation of the free pool just before the pulse, of 1 at rest.

    A period is: the free pool is multiplied by `left`; then come three stretches of `durations` seconds,
    each with or without the rates of saturation `free_loss` and `bound_loss`. Each is an affine map of the
    plane, and so is their composition; its fixed point is the answer. All arrays (voxel,).
    """
    for k in range(len(out)):
        # The map so far: x -> p x + q.
        p11, p12, p21, p22, q1, q2 = left[k], 0.0, 0.0, 1.0, 0.0, 0.0
        for i in range(3):
            if durations[i] <= 0:
                continue
            free = free_loss[k] if saturated[i] else 0.0
            bound = bound_loss[k] if saturated[i] else 0.0
            e11, e12, e21, e22, s1, s2 = relaxed(
                ratio[k], free_r1[k], bound_r1[k], exchange[k], free, bound, durations[i]
            )
            d1, d2 = q1 - s1, q2 - s2
            q1, q2 = s1 + e11 * d1 + e12 * d2, s2 + e21 * d1 + e22 * d2
            p11, p21 = e11 * p11 + e12 * p21, e21 * p11 + e22 * p21
            p12, p22 = e11 * p12 + e12 * p22, e21 * p12 + e22 * p22
        a, d = 1 - p11, 1 - p22
        out[k] = (d * q1 + p12 * q2) / (a * d - p12 * p21)
