"""Is there a response? Phase-locking at the harmonics of a sweep (T2circ, Victor and Mast 1991)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from .average import checked, paired
from .prior import FloatArray, typical_wave

State = Literal["present", "absent", "indeterminate"]

# The band that holds a pattern-reversal response: below it drift, above it mostly muscle and mains.
_BAND_HZ = (3.0, 18.0)
_FALSE_ALARM = 0.01
_POWER = 0.9
_ABSENT_UV = 4.0
_DRAWS = 4000
_FEWEST = 4
_DISPERSED = 1.2
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
    probabilities are combined by Fisher's method. Neighbouring sweeps are averaged first, because their
    rhythms are correlated.

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
    rows = paired(harmonics)
    n = len(rows)
    mean = rows.mean(axis=0)
    scatter = (np.abs(rows - mean) ** 2).sum(axis=0) / (n - 1)
    if not (scatter > _SAME * np.abs(mean) ** 2).all():
        return Detection("indeterminate", float("nan"), float("nan"), amplitude_uv)
    p = _combined(n * np.abs(mean) ** 2 / scatter, n)
    power = _power(n * _expected(hz, sweeps.shape[1], sfreq_hz, amplitude_uv) / scatter, n)
    if p < _FALSE_ALARM:
        return Detection("present", p, power, amplitude_uv)
    return Detection("absent" if power >= _POWER else "indeterminate", p, power, amplitude_uv)


def _harmonics(sweeps: FloatArray, sfreq_hz: float) -> tuple[npt.NDArray[np.complex128], FloatArray]:
    """(sweep, harmonic) Fourier components without the straight line of each sweep, and their frequencies."""
    samples = sweeps.shape[1]
    ramp = np.arange(samples) - (samples - 1) / 2
    level = sweeps - sweeps.mean(axis=1, keepdims=True)
    level = level - np.outer(level @ ramp / (ramp @ ramp), ramp)
    hz = np.fft.rfftfreq(samples, 1 / sfreq_hz)
    band = (hz >= _BAND_HZ[0]) & (hz <= _BAND_HZ[1])
    return np.fft.rfft(level, axis=1)[:, band], np.asarray(hz[band], float)


def _combined(ratio: FloatArray, n: int) -> float:
    """Fisher's combination of the T2circ tests, ratio ~ F(2, 2n - 2) without a response."""
    from scipy.stats import chi2, f

    log_p = np.maximum(f.logsf(ratio, 2, 2 * n - 2), -700.0)
    return float(chi2.sf(-2 * log_p.sum(), 2 * len(ratio)))


def _expected(hz: FloatArray, samples: int, sfreq_hz: float, amplitude_uv: float) -> FloatArray:
    """|component|^2 of a typical response of this size (that of the prior, slightly dispersed)."""
    time = np.arange(samples) / sfreq_hz * 1000
    wave = typical_wave(time - time[-1] / 2, _DISPERSED)
    phase = np.exp(-2j * np.pi * np.outer(hz, time / 1000))
    return np.asarray(np.abs(phase @ (wave * amplitude_uv / wave.max())) ** 2)


def _power(noncentrality: FloatArray, n: int) -> float:
    """How often responses of this size would be seen: draws of the noncentral F ratios, seed fixed."""
    from scipy.stats import chi2, f

    rng = np.random.default_rng(0)
    signal = rng.noncentral_chisquare(2, 2 * noncentrality, (_DRAWS, len(noncentrality))) / 2
    noise = rng.chisquare(2 * n - 2, signal.shape) / (2 * n - 2)
    statistic = -2 * np.maximum(f.logsf(signal / noise, 2, 2 * n - 2), -700.0).sum(axis=1)
    return float((statistic > chi2.isf(_FALSE_ALARM, 2 * len(noncentrality))).mean())
