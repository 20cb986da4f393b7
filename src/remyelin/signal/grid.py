"""The times at which a response is computed, and how arrivals are written on them."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex128]

STEP_MS = 0.5
# A second from the reversal on. What arrives in its second half is not drawn, so nothing comes round again.
SAMPLES = 2048
LAST_MS = 500.0


@cache
def times_ms() -> FloatArray:
    """(SAMPLES,) from the reversal on."""
    times = np.asarray(np.arange(SAMPLES) * STEP_MS, dtype=np.float64)
    times.flags.writeable = False
    return times


@cache
def angular_per_ms() -> FloatArray:
    """(SAMPLES / 2 + 1,) angular frequencies of `spectrum`, radians per ms."""
    found = np.asarray(2 * np.pi * np.fft.rfftfreq(SAMPLES, STEP_MS), dtype=np.float64)
    found.flags.writeable = False
    return found


def spectrum(values: FloatArray) -> ComplexArray:
    """Discrete Fourier transform of what stands on the grid."""
    return np.asarray(np.fft.rfft(values, SAMPLES))


def wave(transformed: ComplexArray) -> FloatArray:
    """(SAMPLES,) back from `spectrum`."""
    return np.asarray(np.fft.irfft(transformed, SAMPLES))


def shifted(by_ms: float) -> ComplexArray:
    """What delays by any time, whole steps or not, when a spectrum is multiplied by it."""
    return np.asarray(np.exp(-1j * angular_per_ms() * by_ms))


def density(at_ms: FloatArray, weight: FloatArray) -> FloatArray:
    """(SAMPLES,) weights at their times, each shared between its two samples: exact in sum and mean time.

    What comes after `LAST_MS` is left out.
    """
    kept = at_ms < LAST_MS
    place = at_ms[kept] / STEP_MS
    row = place.astype(np.int64)
    late = place - row
    return np.asarray(
        np.bincount(row, weight[kept] * (1 - late), SAMPLES)
        + np.bincount(row + 1, weight[kept] * late, SAMPLES)
    )
