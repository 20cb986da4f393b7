"""Noise of a recording, continuous, so that neighbouring sweeps belong together: three kinds, 1 kHz.

`pink`: 1/f power and an alpha rhythm of slowly varying size. `eeg`: nonstationary; alpha in bursts that
drift in frequency; 1/f noise of varying size with heavy tails; rests of blinks that a peak-to-peak limit
lets pass; bursts of muscle. `real`: single trials of the UCI EEG database (visual, 256 Hz) less the mean
of their condition, set end to end in random order and sign with overlaps of 60 ms; it needs
`data/vep/uci_visual` of `REMYELIN_SHARED`.

All pass a 1 to 100 Hz filter, then are scaled to `sd_uv`.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import numpy as np
from scipy import interpolate, signal

SFREQ_HZ = 1000.0
RATE_HZ = 1.98  # reversals a second, so that no harmonic falls on 50 Hz
START_MS, END_MS = -100.0, 400.0
TIMES_MS = np.arange(START_MS, END_MS)
SD_UV = 11.7
NOISES = ("pink", "eeg", "real")
BAND = signal.butter(2, [1, 100], "bandpass", fs=SFREQ_HZ, output="sos")
SHARED = Path(os.environ.get("REMYELIN_SHARED", Path(__file__).parents[3] / "shared"))
UCI = SHARED / "data" / "vep" / "uci_visual"


def available(kind: str) -> str:
    """Empty, or the reason why this kind cannot be made here."""
    if kind == "real" and not (UCI / "uci_visual_trials.npz").exists():
        return "skipped: data/vep/uci_visual is not in REMYELIN_SHARED"
    return ""


def continuous(rng: np.random.Generator, kind: str, samples: int, sd_uv: float = SD_UV) -> np.ndarray:
    """Noise of one recording, uV at 1 kHz."""
    make = {"pink": _pink_alpha, "eeg": _eeg_like, "real": _real}[kind]
    ends = 2000  # the filter swings in
    x = signal.sosfiltfilt(BAND, make(rng, samples + 2 * ends))[ends : ends + samples]
    return x * sd_uv / x.std()


def reversals(n: int, first: int = 1000) -> np.ndarray:
    """Samples at which the pattern reverses."""
    return first + np.round(np.arange(n) * SFREQ_HZ / RATE_HZ).astype(int)


def noise_sweeps(rng: np.random.Generator, kind: str, n: int, sd_uv: float = SD_UV) -> np.ndarray:
    """(sweep, sample) cut from one continuous recording, from -100 to 400 ms around each reversal."""
    starts = reversals(n)
    x = continuous(rng, kind, int(starts[-1]) + 1500, sd_uv)
    return x[starts[:, None] + TIMES_MS.astype(int)]


def _coloured(rng: np.random.Generator, n: int, power: float, low_hz: float = 0.3) -> np.ndarray:
    f = np.fft.rfftfreq(n, 1 / SFREQ_HZ)
    size = np.zeros_like(f)
    size[f > low_hz] = f[f > low_hz] ** (-power / 2)
    x = np.fft.irfft(size * (rng.standard_normal(f.size) + 1j * rng.standard_normal(f.size)), n)
    return x / x.std()


def _pink_alpha(rng: np.random.Generator, n: int) -> np.ndarray:
    f = np.fft.rfftfreq(n, 1 / SFREQ_HZ)
    bell = np.exp(-0.5 * ((f - 10.0) / 0.7) ** 2)
    alpha = np.fft.irfft(bell * (rng.standard_normal(f.size) + 1j * rng.standard_normal(f.size)), n)
    return 10 * _coloured(rng, n, 1.0) + 6 * alpha / alpha.std()


def _slow(rng: np.random.Generator, n: int, every: int) -> np.ndarray:
    """A standard normal that changes over `every` samples."""
    knots = rng.standard_normal(n // every + 4)
    return interpolate.CubicSpline(np.arange(len(knots)) * every, knots)(np.arange(n))


def _eeg_like(rng: np.random.Generator, n: int) -> np.ndarray:
    x = 9 * _coloured(rng, n, rng.uniform(1.0, 1.6)) * np.exp(0.35 * _slow(rng, n, 3000))
    phase = 2 * np.pi * np.cumsum(rng.uniform(8.5, 11.5) + 0.5 * _slow(rng, n, 1500)) / SFREQ_HZ
    x += rng.uniform(4, 14) * np.sqrt(2) * np.clip(_slow(rng, n, 800), 0, None) * np.sin(phase)
    for start in np.flatnonzero(rng.random(n) < 1 / 6000):  # the rest of a blink, one in 6 s
        long = int(rng.uniform(180, 350))
        stop = min(start + long, n)
        x[start:stop] += rng.exponential(14) * np.hanning(long)[: stop - start]
    muscle = signal.sosfilt(
        signal.butter(2, [25, 100], "bandpass", fs=SFREQ_HZ, output="sos"), rng.normal(size=n)
    )
    x += 6 * muscle / muscle.std() * np.clip(_slow(rng, n, 700) - 1.0, 0, None)
    lump = int(SFREQ_HZ / 4)
    tail = np.sqrt(5 / rng.chisquare(5, n // lump + 2))  # every quarter of a second its own size: heavy tails
    return x * np.interp(np.arange(n), np.arange(len(tail)) * lump, tail)


@cache
def people() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Of each person (trial, sample), mean of OZ, O1 and O2, uV at 256 Hz, and (trial,) its condition.

    Trials beyond 80 uV are left out.
    """
    import pandas as pd

    with np.load(UCI / "uci_visual_trials.npz") as kept:
        uv = kept["uv_x100"][:, :3].mean(axis=1) / 100.0
    rows = pd.read_csv(UCI / "trials.tsv", sep="\t")
    good = np.abs(uv - uv.mean(axis=1, keepdims=True)).max(axis=1) < 80
    return {
        str(name): (uv[part.index][good[part.index]], part["condition"].to_numpy(str)[good[part.index]])
        for name, part in rows.groupby("subject")
        if good[part.index].sum() >= 20
    }


@cache
def _residuals() -> dict[str, np.ndarray]:
    """Trials of each person less the mean of their condition, at 1 kHz."""
    found = {}
    for name, (trials, conditions) in people().items():
        left = trials.copy()
        for condition in np.unique(conditions):
            own = conditions == condition
            n = max(int(own.sum()), 2)
            left[own] = (trials[own] - trials[own].mean(axis=0)) * np.sqrt(n / (n - 1))
        found[name] = signal.resample_poly(left, 125, 32, axis=1, padtype="line")
    return found


def _real(rng: np.random.Generator, n: int) -> np.ndarray:
    """One person's trials, end to end."""
    names = sorted(_residuals())
    trials = _residuals()[names[rng.integers(len(names))]]
    overlap = 60
    rise = np.sin(np.linspace(0, np.pi / 2, overlap))
    long = trials.shape[1]
    x = np.zeros(n + long)
    at = -int(rng.integers(0, long - 2 * overlap))
    window = np.ones(long)
    window[:overlap], window[-overlap:] = rise, rise[::-1]
    while at < n:
        piece = trials[rng.integers(len(trials))] * window * rng.choice([-1, 1])
        begin = max(at, 0)
        x[begin : at + long] += piece[begin - at :]
        at += long - overlap
    return x[:n]
