"""The EEG that goes on while a response is recorded: noise."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from remyelin.errors import InputError
from remyelin.evidence.load import parameter
from remyelin.number import check_generator, check_number
from remyelin.signal.grid import FloatArray

# The passband in which `sd_uv` is measured: 1 to 100 Hz, two poles at either end.
_LOW_HZ, _HIGH_HZ, _POLES = 1.0, 100.0, 2
_ALPHA_WIDTH_HZ = 0.7
_BLINK_MS = 300.0
_SWELL_S = 3.0


@dataclass(frozen=True, slots=True)
class EegNoise:
    """Background EEG between Oz and Fz after an amplifier of 1 to 100 Hz.

    Power falls as a power of frequency; an alpha rhythm waxes and wanes in it; the size of the whole swells
    and sinks over seconds. The defaults are means over 12 people of the UCI EEG database (single visual
    trials, Oz less Fz, the mean response taken off; benchmarks/signal/vep.py measures them): picture onset,
    not pattern reversal, and trials beyond 80 uV left out.

    Parameters
    ----------
    sd_uv
        SD of the voltage, all parts together, blinks apart. 0: no noise.
    exponent
        Power falls as 1 / f to this.
    alpha_share
        Part of the power that is alpha, 0 to 1.
    alpha_hz
        Its frequency.
    swell
        SD of the logarithm of the size, over seconds.
    blinks_per_min, blink_uv
        How many blinks, and how high one is in this channel (0.3 s). None by default: trials with blinks were
        left out of the data.

    Raises
    ------
    InputError
        If a number cannot be.
    """

    sd_uv: float = field(default_factory=lambda: parameter("eeg_sd").value)
    exponent: float = field(default_factory=lambda: parameter("eeg_power_exponent").value)
    alpha_share: float = field(default_factory=lambda: parameter("eeg_alpha_share").value)
    alpha_hz: float = 10.0
    swell: float = 0.15
    blinks_per_min: float = 0.0
    blink_uv: float = 0.0

    def __post_init__(self) -> None:
        check_number("sd_uv", self.sd_uv, least=0, most=500)
        check_number("exponent", self.exponent, least=0, most=4)
        check_number("alpha_share", self.alpha_share, least=0, most=1)
        check_number("alpha_hz", self.alpha_hz, least=5, most=20)
        check_number("swell", self.swell, least=0, most=1)
        check_number("blinks_per_min", self.blinks_per_min, least=0, most=120)
        check_number("blink_uv", self.blink_uv, least=-1000, most=1000)

    @classmethod
    def person(cls, rng: np.random.Generator) -> EegNoise:
        """The background of one person, as the 12 differ: SD log-normal, the others normal within bounds.

        Examples
        --------
        >>> noise = EegNoise.person(np.random.default_rng(1))
        >>> round(noise.sd_uv, 1), round(noise.exponent, 1)
        (8.8, 1.8)
        """
        check_generator(rng)
        mean, sd = _people("eeg_sd")
        spread = np.sqrt(np.log1p((sd / mean) ** 2))
        size = mean * np.exp(spread * rng.standard_normal() - spread**2 / 2)
        exponent = np.clip(rng.normal(*_people("eeg_power_exponent")), 0.5, 2.5)
        share = np.clip(rng.normal(*_people("eeg_alpha_share")), 0.0, 0.5)
        return cls(float(size), float(exponent), float(share), float(rng.uniform(8.5, 11.5)))

    def draw(self, samples: int, sfreq_hz: float, rng: np.random.Generator) -> FloatArray:
        """(samples,) of continuous noise, uV.

        Raises
        ------
        InputError
            If there is no sample, the sampling rate is below 200 Hz, or `rng` is no generator.

        Examples
        --------
        >>> noise = EegNoise(sd_uv=10).draw(60_000, 1000, np.random.default_rng(1))
        >>> noise.shape, bool(8 < noise.std() < 12)
        ((60000,), True)
        """
        check_generator(rng)
        check_number("samples", samples, least=1, whole=True)
        check_number("sfreq_hz", sfreq_hz, least=2 * _HIGH_HZ)
        if self.sd_uv == 0 and not self.blinks_per_min:
            return np.zeros(samples)
        long = _fast(samples + int(sfreq_hz))  # a second more: the transform joins end and beginning
        hz = np.asarray(np.fft.rfftfreq(long, 1 / sfreq_hz), dtype=np.float64)
        background = _coloured(_background(hz, self.exponent), long, rng)[:samples]
        alpha = _coloured(_bell(hz, self.alpha_hz), long, rng)[:samples]
        waxing = np.abs(_slow(samples, sfreq_hz, 1.0, rng))  # mean square 1
        size = np.exp(self.swell * _slow(samples, sfreq_hz, _SWELL_S, rng) - self.swell**2)
        share = self.alpha_share
        noise = self.sd_uv * size * (np.sqrt(1 - share) * background + np.sqrt(share) * waxing * alpha)
        return np.asarray(noise + self._blinks(samples, sfreq_hz, rng))

    def _blinks(self, samples: int, sfreq_hz: float, rng: np.random.Generator) -> FloatArray:
        found = np.zeros(samples)
        long = int(_BLINK_MS / 1000 * sfreq_hz)
        for start in rng.integers(0, samples, rng.poisson(self.blinks_per_min / 60 * samples / sfreq_hz)):
            stop = min(start + long, samples)
            found[start:stop] += self.blink_uv * np.hanning(long)[: stop - start]
        return found


def _people(name: str) -> tuple[float, float]:
    """Mean and SD between people."""
    return parameter(name).value, parameter(f"{name}_between_people").value


def _background(hz: FloatArray, exponent: float) -> FloatArray:
    """(frequency,) root of the power, 1 to 100 Hz."""
    safe = np.maximum(hz, 1e-3)
    passed = 1 / (1 + (_LOW_HZ / safe) ** (2 * _POLES)) / (1 + (safe / _HIGH_HZ) ** (2 * _POLES))
    return np.asarray(np.sqrt(safe**-exponent * passed))


def _bell(hz: FloatArray, centre_hz: float) -> FloatArray:
    return np.asarray(np.exp(-0.25 * ((hz - centre_hz) / _ALPHA_WIDTH_HZ) ** 2))


def _coloured(root: FloatArray, samples: int, rng: np.random.Generator) -> FloatArray:
    """(samples,) of Gaussian noise of this spectrum and of expected variance 1."""
    parts = rng.standard_normal((2, len(root)))
    values = np.fft.irfft(root * (parts[0] + 1j * parts[1]), samples)
    return np.asarray(values * samples / np.sqrt(4 * (root**2).sum()))


def _slow(samples: int, sfreq_hz: float, every_s: float, rng: np.random.Generator) -> FloatArray:
    """(samples,) a standard normal that changes over so many seconds."""
    step = every_s * sfreq_hz
    knots = rng.standard_normal(int(samples / step) + 3)
    place = np.arange(samples) / step
    row = place.astype(np.int64)
    part = place - row
    # Between knots the weights are the cosine and sine of an angle, so that the variance stays 1.
    return np.asarray(np.cos(part * np.pi / 2) * knots[row] + np.sin(part * np.pi / 2) * knots[row + 1])


def _fast(samples: int) -> int:
    from scipy.fft import next_fast_len

    return int(next_fast_len(samples, real=True))


def check_noise(noise: object) -> None:
    """Refuse what is no `EegNoise`."""
    if not isinstance(noise, EegNoise):
        raise InputError("", "noise", f"of type {type(noise).__name__}", "an EegNoise", "give EegNoise(...)")
