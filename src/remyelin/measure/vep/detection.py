"""Is there a response? Phase-locking at the harmonics of a sweep (T2circ, Victor and Mast 1991)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from .average import checked, paired
from .prior import FloatArray, typical_wave

State = Literal["present", "absent", "indeterminate"]
ComplexArray = npt.NDArray[np.complex128]

# The band that holds a pattern-reversal response: below it drift, above it mostly muscle and mains.
_BAND_HZ = (3.0, 18.0)
_FALSE_ALARM = 0.01
_POWER = 0.9
_ABSENT_UV = 4.0
_DRAWS = 1000
_FEWEST = 4
# Alpha rhythm stays correlated over more than two sweeps: with pairs 2.6 % of recordings without a response
# were present, with threes 1.8 % (500 of pink noise, 100 sweeps each).
_TOGETHER = 3
_DISPERSED = 1.2
_EARLY = 0.8
# Components that scatter by less than this part of their square scatter by rounding.
_SAME = 1e-20


@dataclass(frozen=True, slots=True)
class Detection:
    """Whether a response was seen.

    Parameters
    ----------
    state
        ``"present"`` (p below 0.01), ``"absent"`` (not seen although one of `amplitude_uv` would have been
        with a power of 90 %) or ``"indeterminate"``.
    p
        That sweeps without a response would be so alike.
    power
        To see a response of `amplitude_uv` in this noise.
    amplitude_uv
        From the baseline to P100.
    """

    state: State
    p: float
    power: float
    amplitude_uv: float

    def __str__(self) -> str:
        return (
            f"{self.state} (p = {self.p:.2g}; power for {self.amplitude_uv:g} uV: {100 * self.power:.0f} %)"
        )


def detect(sweeps_uv: FloatArray, sfreq_hz: float, *, amplitude_uv: float = _ABSENT_UV) -> Detection:
    """Decide whether sweeps hold a response to the stimulus.

    The Fourier component of each sweep at each of its harmonics between 3 and 18 Hz is compared with its
    scatter from sweep to sweep (T2circ of Victor and Mast, doi 10.1016/0013-4694(91)90099-P), and the
    probabilities are combined by Fisher's method, scaled for harmonics that are correlated (Brown 1975, doi
    10.2307/2529826). A taper keeps the alpha rhythm in its own harmonics. Neighbouring sweeps are averaged
    first, because their rhythms are correlated.

    Parameters
    ----------
    sweeps_uv
        (sweep, sample) in uV.
    sfreq_hz
        Sampling rate.
    amplitude_uv
        A response is called absent only if one of this size would have been seen.

    Raises
    ------
    InputError
        No finite table of sweeps, or a sampling rate below 200 Hz.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> time_ms = np.arange(-50, 400)
    >>> wave = 8 * np.exp(-0.5 * ((time_ms - 104) / 13) ** 2)
    >>> print(detect(wave + rng.normal(0, 10, (100, 450)), 1000))
    present (p = ...; power for 4 uV: 100 %)
    >>> detect(rng.normal(0, 10, (100, 450)), 1000).state
    'absent'
    """
    sweeps = checked(sweeps_uv, sfreq_hz)
    if len(sweeps) < _FEWEST:
        return Detection("indeterminate", float("nan"), float("nan"), amplitude_uv)
    harmonics, hz = _harmonics(sweeps, sfreq_hz)
    rows = paired(harmonics, _TOGETHER)
    n = len(rows)
    mean = rows.mean(axis=0)
    residual = rows - mean
    square = (np.abs(residual) ** 2).sum(axis=0)
    if not (square > _SAME * np.abs(mean) ** 2).all():
        return Detection("indeterminate", float("nan"), float("nan"), amplitude_uv)
    spread, freedom = _brown(residual, square)
    p = _tail(float(_fisher(mean, square, n)) / spread, freedom)
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (_DRAWS, n))
    response = signs @ residual / n + _expected(hz, sweeps.shape[1], sfreq_hz, amplitude_uv)
    power = float((_fisher(response, square, n) / spread > _critical(freedom)).mean())
    if p < _FALSE_ALARM:
        return Detection("present", p, power, amplitude_uv)
    return Detection("absent" if power >= _POWER else "indeterminate", p, power, amplitude_uv)


def _harmonics(sweeps: FloatArray, sfreq_hz: float) -> tuple[ComplexArray, FloatArray]:
    """(sweep, harmonic) Fourier components of the tapered sweeps without their lines, and frequencies."""
    samples = sweeps.shape[1]
    ramp = np.arange(samples) - (samples - 1) / 2
    level = sweeps - sweeps.mean(axis=1, keepdims=True)
    level = level - np.outer(level @ ramp / (ramp @ ramp), ramp)
    hz = np.fft.rfftfreq(samples, 1 / sfreq_hz)
    band = (hz >= _BAND_HZ[0]) & (hz <= _BAND_HZ[1])
    return np.fft.rfft(level * _taper(samples), axis=1)[:, band], np.asarray(hz[band], float)


def _taper(samples: int) -> FloatArray:
    """A Hann window whose top lies before the middle, where the response is."""
    return np.asarray(np.sin(np.pi * np.linspace(0, 1, samples) ** _EARLY) ** 2)


def _fisher(mean: ComplexArray, square: FloatArray, n: int) -> FloatArray:
    """(...) Fisher's sum over the harmonics; n |mean|^2 / variance ~ F(2, 2n - 2) without a response."""
    from scipy.stats import f

    ratio = n * np.abs(mean) ** 2 / (square / (n - 1))
    return np.asarray(-2 * np.maximum(f.logsf(ratio, 2, 2 * n - 2), -700.0).sum(axis=-1))


def _brown(residual: ComplexArray, square: FloatArray) -> tuple[float, float]:
    """Scale and degrees of freedom of the sum: two harmonics of coherence c^2 have a covariance of 4 c^2."""
    n, harmonics = residual.shape
    coherence = np.abs(residual.conj().T @ residual) ** 2 / np.outer(square, square)
    pairs = harmonics * (harmonics - 1)
    # Independent harmonics have a coherence of 1 / (n - 1) by chance.
    excess = coherence.sum() - harmonics - pairs / (n - 1)
    scale = 1 + max(0.0, float(excess)) / harmonics
    return scale, 2 * harmonics / scale


def _tail(statistic: float, freedom: float) -> float:
    from scipy.stats import chi2

    return float(chi2.sf(statistic, freedom))


def _critical(freedom: float) -> float:
    from scipy.stats import chi2

    return float(chi2.isf(_FALSE_ALARM, freedom))


def _expected(hz: FloatArray, samples: int, sfreq_hz: float, amplitude_uv: float) -> ComplexArray:
    """Components of a typical response of this size, slightly dispersed, after a third of the sweep."""
    time = np.arange(samples) / sfreq_hz * 1000
    wave = typical_wave(time - time[-1] / 3, _DISPERSED)
    phase = np.exp(-2j * np.pi * np.outer(hz, time / 1000))
    return np.asarray(phase @ (wave * _taper(samples)) * (amplitude_uv / wave.max()))
