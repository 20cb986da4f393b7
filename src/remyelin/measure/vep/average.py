"""The average of a recording's sweeps, and the covariance of its error."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from remyelin.errors import InputError

from .prior import FloatArray, prior

_Number = TypeVar("_Number", np.float64, np.complex128)
# The response is looked for here. Later waves differ from sweep to sweep, earlier ones are not cortical.
FIRST_MS, LAST_MS = 20.0, 330.0
_STEP_MS = 2.0
# Sweeps follow one another within one rhythm of the alpha waves: neighbours are averaged before their scatter
# is taken, so that their correlation counts; fewer groups than this are too few.
_FEWEST_GROUPS = 16
# White noise, as a part of the noise's variance, that keeps a band-limited covariance regular.
_FLOOR = 5e-3
# Sweeps that differ by less than this part of their square differ by rounding.
_SAME = 1e-20
# A constant is unknown to this SD: amplifiers and baselines shift it.
_OFFSET_UV = 3.0
# What is a visit's own in its response is as smooth as the response.
_OWN_SMOOTHNESS_MS = 12.0
# A single average has no scatter; the correlation time of electroencephalographic noise after 1-100 Hz.
_LONE_CORRELATION_MS = 8.0


@dataclass(frozen=True)
class Average:
    """An average, whitened by the covariance of its error.

    Parameters
    ----------
    time_ms
        (sample,) after the stimulus, in the window of the response, about 2 ms apart.
    uv
        (sample,) the average.
    autocovariance_uv2
        (sample,) of its error, by lag.
    n_sweeps
        How many sweeps it has.
    """

    time_ms: FloatArray
    uv: FloatArray
    autocovariance_uv2: FloatArray
    n_sweeps: int

    @property
    def noise_uv(self) -> float:
        """SD of the error of one sample."""
        return float(np.sqrt(self.autocovariance_uv2[0]))

    @cached_property
    def _root(self) -> FloatArray:
        from scipy.linalg import cholesky, toeplitz

        covariance = toeplitz(self.autocovariance_uv2) + _OFFSET_UV**2
        covariance[np.diag_indices_from(covariance)] += _FLOOR * self.autocovariance_uv2[0]
        return np.asarray(cholesky(covariance, lower=True))

    def whiten(self, values: FloatArray) -> FloatArray:
        """(sample, ...) values in units in which the error is white, of variance 1."""
        from scipy.linalg import solve_triangular

        return np.asarray(solve_triangular(self._root, values, lower=True))

    @cached_property
    def whitened(self) -> FloatArray:
        """(sample,) the average, whitened."""
        return self.whiten(self.uv)

    def loosened(self, part: float) -> Average:
        """The same average of a response that differs from that of other visits by a part of its own size."""
        middle = (self.time_ms > 50) & (self.time_ms < 250)
        square = max(0.0, float(self.uv[middle].var()) - self.autocovariance_uv2[0])
        lag = self.time_ms - self.time_ms[0]
        own = part**2 * square * np.exp(-0.5 * (lag / _OWN_SMOOTHNESS_MS) ** 2)
        return replace(self, autocovariance_uv2=self.autocovariance_uv2 + own)

    def information(self, shift_ms: float = 0.0) -> tuple[FloatArray, FloatArray]:
        """What the data say of the coefficients of a response that comes `shift_ms` later.

        Returns
        -------
        (basis, basis) information matrix, (basis,) its product with the best coefficients.
        """
        waves = self.whiten(prior().waves(self.time_ms - shift_ms))
        return waves.T @ waves, waves.T @ self.whitened


def average(sweeps_uv: FloatArray, sfreq_hz: float, start_ms: float) -> Average:
    """Average sweeps and estimate the error from their scatter.

    Parameters
    ----------
    sweeps_uv
        (sweep, sample) in uV. One sweep is taken as an average made elsewhere: its error is then estimated
        from its own samples before 30 ms and after 330 ms.
    sfreq_hz, start_ms
        Sampling rate, and the first sample's time after the stimulus.

    Raises
    ------
    InputError
        Not a finite table of sweeps, a sampling rate below 200 Hz, sweeps that end before 200 ms or begin
        after 50 ms, or without scatter.
    """
    sweeps = checked(sweeps_uv, sfreq_hz)
    every = max(1, int(_STEP_MS * sfreq_hz / 1000 + 1e-9))
    count = sweeps.shape[1] // every
    blocks = sweeps[:, : count * every].reshape(len(sweeps), count, every).mean(axis=2)
    step = 1000 * every / sfreq_hz
    time = start_ms + 500 * (every - 1) / sfreq_hz + step * np.arange(count)
    window = (time >= FIRST_MS) & (time <= LAST_MS)
    if not window.any() or time[-1] < 200 or time[0] > 50:
        found = f"{time[0]:.0f} to {time[-1]:.0f} ms after the stimulus"
        raise InputError("", "sweeps", found, "50 to 200 ms, in ms", "give start_ms in ms, and longer sweeps")
    error = _error(blocks, time) if len(blocks) > 1 else _lone_error(blocks[0], time, step)
    if not error[0] > _SAME * np.square(blocks).mean():
        raise InputError(
            "", "sweeps", "without scatter (all the same)", "sweeps with noise", "check the file"
        )
    return Average(time[window], blocks.mean(axis=0)[window], error[: int(window.sum())], len(blocks))


def checked(sweeps_uv: FloatArray, sfreq_hz: float) -> FloatArray:
    """The sweeps as a table of finite numbers; InputError if they are none."""
    sweeps = np.asarray(sweeps_uv, float)
    if sweeps.ndim != 2 or not sweeps.size or not np.isfinite(sweeps).all():
        found = f"of shape {sweeps.shape}" if sweeps.ndim != 2 or not sweeps.size else "not finite everywhere"
        raise InputError("", "sweeps_uv", found, "(sweep, sample) finite numbers", "leave bad sweeps out")
    if not 200 <= sfreq_hz <= 1e5:
        raise InputError("", "sfreq_hz", f"{sfreq_hz:g}", "200 Hz or more", "give the sampling rate in Hz")
    return sweeps


def paired(sweeps: npt.NDArray[_Number], together: int = 2) -> npt.NDArray[_Number]:
    """Means of neighbouring sweeps, `together` each; the sweeps themselves where they are few."""
    if len(sweeps) < _FEWEST_GROUPS * together:
        return sweeps
    even = len(sweeps) // together * together
    return np.asarray(sweeps[:even].reshape(-1, together, *sweeps.shape[1:]).mean(axis=1), sweeps.dtype)


def _error(sweeps: FloatArray, time_ms: FloatArray) -> FloatArray:
    """Autocovariance of the error of the mean, from the scatter of (pairs of) sweeps; stationary noise."""
    rows = paired(sweeps)
    residual = rows - rows.mean(axis=0)
    residual -= residual.mean(axis=1, keepdims=True)
    n, samples = residual.shape
    power = (np.abs(np.fft.rfft(residual, 2 * samples, axis=1)) ** 2).sum(axis=0)
    return np.asarray(np.fft.irfft(power)[:samples] / samples / (n - 1) / n)


def _lone_error(wave: FloatArray, time_ms: FloatArray, step_ms: float) -> FloatArray:
    quiet = wave[(time_ms < 30) | (time_ms > LAST_MS)]
    if quiet.size * step_ms < 60:
        found = f"one average with {quiet.size * step_ms:.0f} ms outside 30 to 330 ms"
        fix = "give the sweeps, two replicates, or an average that begins before the stimulus"
        raise InputError("", "sweeps", found, "60 ms or more, to tell its noise", fix)
    lag = step_ms * np.arange(len(wave))
    return np.asarray(quiet.var(ddof=1) * np.exp(-lag / _LONE_CORRELATION_MS))
