"""Random numbers inside a kernel: splitmix64, whose whole state is one number that the caller holds.

Source: Steele, Lea, Flood 2014, 10.1145/2660193.2660195 (constants recalled; the tests hold known values).
"""

from __future__ import annotations

import numpy as np
from numba import njit

_STEP, _FIRST, _SECOND = (
    np.uint64(each) for each in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
)
_30, _27, _31, _32 = (np.uint64(each) for each in (30, 27, 31, 32))
_LOW = np.uint64(0xFFFFFFFF)
_UNIT = 2.0**-32


@njit(cache=True, nogil=True)
def bits(state):  # type: ignore[no-untyped-def]
    """64 random bits; `state` (1,) of uint64 moves on."""
    z = state[0] + _STEP
    state[0] = z
    z = (z ^ (z >> _30)) * _FIRST
    z = (z ^ (z >> _27)) * _SECOND
    return z ^ (z >> _31)


@njit(cache=True, nogil=True)
def low(z):  # type: ignore[no-untyped-def]
    """0 to 1, from the lower 32 bits."""
    return np.float64(z & _LOW) * _UNIT


@njit(cache=True, nogil=True)
def high(z, n):  # type: ignore[no-untyped-def]
    """0 to `n` - 1, from the upper 32 bits."""
    return np.int64(((z >> _32) * np.uint64(n)) >> _32)


@njit(cache=True, nogil=True)
def chance(state):  # type: ignore[no-untyped-def]
    """0 to 1."""
    return low(bits(state))


@njit(cache=True, nogil=True)
def pick(state, n):  # type: ignore[no-untyped-def]
    """0 to `n` - 1."""
    return high(bits(state), n)


@njit(cache=True, nogil=True)
def whole(state, mean):  # type: ignore[no-untyped-def]
    """One of the two whole numbers about a mean, 0 or more, so that it is the mean on average."""
    down = int(mean)
    return down + (chance(state) < mean - down)
