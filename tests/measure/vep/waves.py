"""Recordings of known latency. No pulse is Gaussian: what is measured is not drawn from what measures it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.fft import next_fast_len
from scipy.interpolate import CubicSpline

RATE_HZ = 1.98  # reversals a second
START_MS, END_MS = -50.0, 400.0
GRID_MS = np.arange(60.0, 220.0, 0.01)


@dataclass(frozen=True)
class Response:
    """Pulses (height in uV, time of the top in ms, rise and fall in ms)."""

    pulses: np.ndarray

    def at(self, ms: np.ndarray) -> np.ndarray:
        """Each pulse is a hyperbolic secant that rises faster than it falls; nothing before 25 ms."""
        wave = np.zeros_like(ms, dtype=float)
        for height, top, rise, fall in self.pulses:
            after = ms - top
            wave += height / np.cosh(np.clip(after / np.where(after < 0, rise, fall), -40, 40))
        return wave / (1 + np.exp(-(ms - 35) / 3))

    @property
    def latency_ms(self) -> float:
        """Time of the highest point."""
        return float(GRID_MS[self.at(GRID_MS).argmax()])

    @property
    def size_uv(self) -> float:
        """Height of that point."""
        return float(self.at(GRID_MS).max())


def drawn(rng: np.random.Generator, size_uv: float = 6.0, *, delay_ms: float | None = None) -> Response:
    """N75, P100, N135 and a late wave; delayed by 0 to 35 ms, and then wider, unless that is given."""
    delay = rng.uniform(0, 35) if delay_ms is None else delay_ms
    wide = (1 + delay / 100 * rng.uniform(0.3, 1)) * rng.lognormal(0, 0.12)
    top = rng.normal(104, 5) + delay
    pulses = [
        _pulse(rng, 1.0, top, 10 * wide),
        _pulse(rng, -rng.uniform(0.2, 0.6), top - rng.normal(29, 2) * wide, 7 * wide),
        _pulse(rng, -rng.uniform(0.4, 0.9), top + rng.normal(40, 4) * wide, 12 * wide),
        _pulse(rng, rng.uniform(0, 0.3), top + rng.normal(95, 10) * wide, 20 * wide),
    ]
    return scaled(Response(np.array(pulses)), size_uv)


def bifid(size_uv: float, first_ms: float = 108.0, apart_ms: float = 28.0, second: float = 0.8) -> Response:
    """Two humps, the first the higher one."""
    pulses = [
        (1.0, first_ms, 6, 7),
        (second, first_ms + apart_ms, 6, 8),
        (-0.4, first_ms - 28, 6, 8),
        (-0.6, first_ms + apart_ms + 38, 10, 13),
    ]
    return scaled(Response(np.array(pulses)), size_uv)


def scaled(response: Response, size_uv: float) -> Response:
    pulses = response.pulses.copy()
    pulses[:, 0] *= size_uv / response.size_uv
    return Response(pulses)


def _pulse(rng: np.random.Generator, height: float, top: float, width: float) -> tuple[float, ...]:
    skew = rng.uniform(0.75, 1.0)
    return float(height), float(top), float(width * skew), float(width * (2 - skew))


def times_ms(sfreq: float = 1000.0, start_ms: float = START_MS, end_ms: float = END_MS) -> np.ndarray:
    return start_ms + 1000 / sfreq * np.arange(round((end_ms - start_ms) * sfreq / 1000))


def noise(
    rng: np.random.Generator, n: int, times: np.ndarray, sd_uv: float = 11.7, alpha: float = 1.0
) -> np.ndarray:
    """(sweep, sample) of one continuous recording: 1/f from 1 to 80 Hz and an alpha rhythm.

    It is drawn at 1 kHz and read at `times` (ms after each reversal) between its samples, so that two
    sampling rates can see the same noise.
    """
    onset = 500 + np.arange(n) * 1000 / RATE_HZ
    length = next_fast_len(int(onset[-1]) + 1000)
    f = np.fft.rfftfreq(length, 1e-3)
    size = np.where((f >= 1) & (f <= 80), np.maximum(f, 1) ** -0.5, 0)
    size += alpha * np.exp(-0.5 * ((f - 10) / 0.7) ** 2)
    x = np.fft.irfft(size * (rng.standard_normal(f.size) + 1j * rng.standard_normal(f.size)), length)
    at = onset[:, None] + times
    return np.asarray(CubicSpline(np.arange(length), x * sd_uv / x.std())(at))


def recording(
    rng: np.random.Generator,
    response: Response | None,
    n: int = 100,
    *,
    shift_ms: float = 0.0,
    gain: float = 1.0,
    sd_uv: float = 11.7,
    times: np.ndarray | None = None,
    alpha: float = 1.0,
) -> np.ndarray:
    """Sweeps of a visit; the response comes at its time, give or take 2 ms from sweep to sweep."""
    ms = times_ms() if times is None else times
    sweeps = noise(rng, n, ms, sd_uv, alpha)
    if response is not None:
        late = shift_ms + rng.normal(0, 2, n)
        sweeps += gain * response.at(ms - late[:, None])
    return sweeps
