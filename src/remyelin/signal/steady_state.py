"""The steady state of two exchanging pools under periodic pulses, in closed form, voxel by voxel."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@njit(cache=True, nogil=True)
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

    A period is: the free pool is multiplied by `left`; then come three stretches of `durations` seconds, each
    with or without the rates of saturation `free_loss` and `bound_loss`. Each is an affine map of the plane, and
    so is their composition; its fixed point is the answer. All arrays (voxel,).
    """
    for k in range(len(out)):
        there = exchange[k] * ratio[k]
        # The map so far: x -> p x + q.
        p11, p12, p21, p22, q1, q2 = left[k], 0.0, 0.0, 1.0, 0.0, 0.0
        for i in range(3):
            t = durations[i]
            if t <= 0:
                continue
            free, bound = free_r1[k] + there, bound_r1[k] + exchange[k]
            if saturated[i]:
                free += free_loss[k]
                bound += bound_loss[k]
            # Where this stretch alone would lead.
            det = free * bound - there * exchange[k]
            s1 = (bound * free_r1[k] + exchange[k] * bound_r1[k] * ratio[k]) / det
            s2 = (there * free_r1[k] + free * bound_r1[k] * ratio[k]) / det
            # exp(-t A) of A = [[free, -exchange], [-there, bound]] by its two rates.
            mean, half = (free + bound) / 2, (free - bound) / 2
            gap = math.sqrt(half * half + there * exchange[k])
            slow, fast = math.exp(-(det / (mean + gap)) * t), math.exp(-(mean + gap) * t)
            even, odd = (slow + fast) / 2, (slow - fast) / (2 * gap)
            e11, e12 = even - odd * half, odd * exchange[k]
            e21, e22 = odd * there, even + odd * half
            d1, d2 = q1 - s1, q2 - s2
            q1, q2 = s1 + e11 * d1 + e12 * d2, s2 + e21 * d1 + e22 * d2
            p11, p21 = e11 * p11 + e12 * p21, e21 * p11 + e22 * p21
            p12, p22 = e11 * p12 + e12 * p22, e21 * p12 + e22 * p22
        a, d = 1 - p11, 1 - p22
        out[k] = (d * q1 + p12 * q2) / (a * d - p12 * p21)
