"""Doubts about a channel as a whole: no signal, a converter at its limit, mains."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from remyelin.errors import Flag, InputError

from .continuous import FloatArray

_LINES_HZ = (50.0, 60.0)
# A line this many times its neighbourhood is one; less is chance.
_LINE_RATIO = 5.0
# Mains of 5 uV are common and average out; what is in step with the reversals does not, and 0.5 uV of it
# already moves the peak of a small response by a millisecond.
_LINE_UV = 5.0
_LOCKED_UV = 0.5
_SECONDS = 2.0
# A peak touches the limit for a sample or two; a converter that is full stays there.
_AT_LIMIT = 3
_CLIPPED_MS = 4.0
_CLIPPED_RUNS = 3
_CONSTANT = 0.9


def check_alive(signal: FloatArray, label: str, file: str) -> None:
    """A channel must have a signal.

    Raises
    ------
    InputError
        Constant, or unchanged from sample to sample nearly always.
    """
    steps = np.diff(signal)
    if len(steps) and np.isfinite(steps).all() and float((steps != 0).mean()) > 1 - _CONSTANT:
        return
    found = "flat (no signal)" if np.isfinite(signal).all() else "flat or not a number (no signal)"
    fix = "check the electrode and the unit of the export, then repeat the recording"
    raise InputError(file, f"channel {label}", found, "an EEG", fix)


def clipped(signal: FloatArray, sfreq_hz: float, limits: tuple[float, float] | None) -> npt.NDArray[np.bool_]:
    """(sample,) whether the channel stays at the limit of its converter.

    Parameters
    ----------
    limits
        Of the file; without them (and inside them, for an amplifier may be full before the file is) the
        extremes of the signal, if it stays there several times.

    Examples
    --------
    >>> wave = np.clip(np.sin(np.arange(1000) / 20), -0.8, 0.8)
    >>> bool(clipped(wave, 1000.0, None).any()), bool(clipped(np.sin(np.arange(1000.0)), 1000.0, None).any())
    (True, False)
    """
    full = np.zeros(len(signal), bool)
    low, high = float(signal.min()), float(signal.max())
    for extreme, limit in ((low, limits and limits[0]), (high, limits and limits[1])):
        starts, ends = _runs(signal == extreme)
        at_limit = limit is not None and abs(extreme - limit) <= 1e-4 * (high - low)
        least = _AT_LIMIT if at_limit else max(_AT_LIMIT, round(_CLIPPED_MS * sfreq_hz / 1000))
        long = ends - starts >= least
        if at_limit or long.sum() >= _CLIPPED_RUNS:
            for start, end in zip(starts[long], ends[long], strict=True):
                full[start:end] = True
    return full


def clipping_flag(share: float, label: str, file: str) -> Flag:
    """The flag of a channel that is clipped in so many sweeps that they cannot be left out."""
    found = f"clipped (saturated) in {share:.0%} of the sweeps"
    fix = "lower the gain and repeat the recording; a cut peak has no latency"
    return Flag(file, f"channel {label}", found, "a signal within the range of its converter", fix, "fail")


def mains_flags(
    signal_uv: FloatArray,
    sfreq_hz: float,
    average_uv: FloatArray,
    stated_hz: float | None,
    label: str,
    file: str,
) -> list[Flag]:
    """Flags for mains: how much there is, and how much of it is in step with the reversals.

    Parameters
    ----------
    signal_uv
        (sample,) the continuous channel.
    average_uv
        (sample,) average of the sweeps.
    stated_hz
        Frequency of the mains; None looks at 50 and 60 Hz.
    """
    spectrum, step = _spectrum(signal_uv, sfreq_hz)
    if not len(spectrum):
        return []
    total = float(spectrum[round(1 / step) :].sum())
    for line in (stated_hz,) if stated_hz in _LINES_HZ else _LINES_HZ:
        if line is None or line + 7 > sfreq_hz / 2:
            continue
        power, floor = _line(spectrum, step, line)
        if power <= _LINE_RATIO * floor:
            continue
        amplitude = float(np.sqrt(2 * (power - floor)))
        locked = min(_locked(average_uv, sfreq_hz, line), amplitude)
        if amplitude > _LINE_UV or locked > _LOCKED_UV:
            severe = power - floor > total / 2 or locked > 4 * _LOCKED_UV
            found = f"{amplitude:.1f} uV at {line:g} Hz, {locked:.1f} uV of it in step with the reversals"
            fix = "check the ground electrode; take a reversal rate that does not divide the mains"
            expected = f"at most {_LINE_UV:g} uV, none in step"
            quality = "fail" if severe else "flag"
            return [Flag(file, f"mains in channel {label}", found, expected, fix, quality)]
    return []


def _spectrum(signal: FloatArray, sfreq_hz: float) -> tuple[FloatArray, float]:
    """Mean power (uV^2 a bin) of stretches of 2 s under a Hann window, and Hz a bin."""
    n = round(_SECONDS * sfreq_hz)
    if len(signal) < n or n < 8:
        return np.zeros(0), 1.0
    parts = signal[: len(signal) // n * n].reshape(-1, n)
    parts = (parts - parts.mean(axis=1, keepdims=True)) * np.hanning(n)
    power = (np.abs(np.fft.rfft(parts, axis=1)) ** 2).mean(axis=0)
    # One-sided, so that the sum over bins is the variance.
    return 2 * power / (n * float((np.hanning(n) ** 2).sum())), sfreq_hz / n


def _line(spectrum: FloatArray, step: float, line: float) -> tuple[float, float]:
    """Power within 1 Hz of a line, and what its neighbourhood lets expect there."""
    frequency = np.arange(len(spectrum)) * step
    away = np.abs(frequency - line)
    near, around = spectrum[away <= 1.0], spectrum[(away >= 2.0) & (away <= 6.0)]
    return float(near.sum()), float(np.median(around) * len(near))


def _locked(average: FloatArray, sfreq_hz: float, line: float) -> float:
    """Amplitude at a line in the average of the sweeps, beyond that beside it."""
    cycles = int(len(average) / sfreq_hz * line)
    n = round(cycles * sfreq_hz / line)
    if cycles < 5 or n > len(average):
        return 0.0
    part = (average[:n] - average[:n].mean()) * np.hanning(n)
    times = np.arange(n) / sfreq_hz
    found = [
        2 * abs(np.sum(part * np.exp(-2j * np.pi * f * times))) / np.hanning(n).sum()
        for f in (line, line - 10, line + 10)
    ]
    return float(max(found[0] - max(found[1:]), 0.0))


def _runs(mask: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.int_], npt.NDArray[np.int_]]:
    """Where stretches of True begin, and where they end (exclusive)."""
    edges = np.diff(np.concatenate(([0], mask.astype(np.int8), [0])))
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
