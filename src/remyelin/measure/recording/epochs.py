"""Sweeps: a continuous channel cut at its reversals, on one grid of times, artefacts left out and counted.

No filter is applied: the estimators of latency weigh frequencies by the noise that the sweeps show. Drift is
taken off (`drift`), and from all sweeps of a condition one constant, so that their average is 0 before the
stimulus.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from remyelin.errors import InputError

from .continuous import FloatArray
from .drift import drift_uv

START_MS = -50.0
END_MS = 400.0
# Half the taps of the filter that shifts by a part of a sample, and the shape of its window: delays up to 0.8
# of half the sampling rate are right to 1e-3 samples.
_TAPS = 16
_BETA = 8.0
# A position closer to a sample than this (in samples) is on it.
_ON_SAMPLE = 1e-3
# Less than the noise of any amplifier.
_FLAT_UV = 0.5
REASONS = (
    "cut off",
    "marked bad",
    "not finite",
    "clipped",
    "flat",
    "drift",
    "peak-to-peak",
    "next too early",
)


@dataclass(frozen=True, slots=True)
class Window:
    """(from, to) in ms after the light; the last sample lies before the next reversal."""

    start_ms: float
    end_ms: float

    def samples(self, sfreq_hz: float) -> int:
        """Number of samples from the first to the last, both within the window."""
        return int(np.floor((self.end_ms - self.start_ms) * sfreq_hz / 1000 + 1e-6)) + 1


@dataclass(frozen=True, slots=True)
class Cut:
    """All sweeps of a channel.

    Parameters
    ----------
    sweeps_uv
        (event, sample) with 0 where a sweep does not lie within the recording.
    reasons
        (event,) why each is rejected; empty where it is not.
    """

    sweeps_uv: FloatArray
    reasons: tuple[str, ...]


def window(interval_s: float | None, *, start_ms: float = START_MS, end_ms: float = END_MS) -> Window:
    """The window of a sweep: it ends before the next reversal.

    Examples
    --------
    >>> window(0.5)
    Window(start_ms=-50.0, end_ms=400.0)
    >>> round(window(0.25).end_ms)
    249
    """
    if interval_s is None:
        return Window(start_ms, end_ms)
    return Window(start_ms, min(end_ms, 1000 * interval_s - 1.0))


def cut(
    signal_uv: FloatArray,
    sfreq_hz: float,
    lights_s: FloatArray,
    span: Window,
    interval_s: float | None,
    reject_uv: float,
    *,
    bad: Sequence[tuple[float, float]] = (),
    clipped: npt.NDArray[np.bool_] | None = None,
) -> Cut:
    """Cut a channel at its reversals.

    Parameters
    ----------
    signal_uv
        (sample,) the channel.
    lights_s
        (event,) when each reversal was seen, in s after the first sample; between samples too: each sweep is
        then shifted by the fraction, so that all lie on one grid of times after the light.
    span, interval_s
        From `window`; interval between reversals, None if there is one only.
    reject_uv
        Largest peak-to-peak amplitude, and largest drift over a sweep.
    bad
        Spans in s that overlap no sweep that is kept.
    clipped
        (sample,) where the channel is at a limit of its converter; None if that rejects nothing.
    """
    n, per_ms = span.samples(sfreq_hz), sfreq_hz / 1000
    position = lights_s * sfreq_hz + span.start_ms * per_ms
    first = np.rint(position).astype(int)
    inside = (first >= 0) & (first + n <= len(signal_uv))
    at = np.where(inside, first, 0)
    raw = _windows(signal_uv, at, n)
    sweeps = _shifted(signal_uv, at, position - first, n)
    knots, level = drift_uv(signal_uv, sfreq_hz, lights_s, interval_s or 1.0, reject_uv)
    times = position[:, None] + np.arange(n)
    slow = np.interp(times.ravel(), knots, level).reshape(times.shape)
    sweeps = np.where(inside[:, None], sweeps - slow, 0.0)
    spans = [(span.start_ms / 1000 + t, span.end_ms / 1000 + t) for t in lights_s]
    following = np.diff(lights_s, append=np.inf)
    finite = np.isfinite(sweeps).all(axis=1)
    tests = {
        "cut off": ~inside,
        "marked bad": np.array([any(a < stop and start < b for a, b in bad) for start, stop in spans], bool),
        "not finite": ~finite,
        "clipped": np.zeros(len(at), bool) if clipped is None else _windows(clipped, at, n).any(axis=1),
        "flat": np.ptp(raw, axis=1) < _FLAT_UV,
        "drift": np.abs(slow[:, -1] - slow[:, 0]) > reject_uv,
        "peak-to-peak": np.ptp(sweeps, axis=1) > reject_uv,
        "next too early": following * 1000 <= span.end_ms,
    }
    reasons = tuple(next((name for name in REASONS if tests[name][k]), "") for k in range(len(at)))
    return Cut(sweeps, reasons)


def condition_sweeps(
    whole: Cut, chosen: Sequence[int], span: Window, sfreq_hz: float, file: str, name: str
) -> tuple[FloatArray, dict[str, int]]:
    """The sweeps of one condition that are kept, 0 on average before the stimulus, and the counts rejected.

    Raises
    ------
    InputError
        Fewer than two sweeps are left.
    """
    kept = [k for k in chosen if not whole.reasons[k]]
    counts = Counter(whole.reasons[k] for k in chosen if whole.reasons[k])
    if len(kept) < 2:
        told = ", ".join(f"{reason} {count}" for reason, count in sorted(counts.items()))
        found = f"{'all' if not kept else 'all but one'} of {len(chosen)} rejected" + (
            f" ({told})" if told else ""
        )
        fix = "check electrodes and recording; the limit is the setting vep_reject_uv"
        raise InputError(file, f"sweeps of {name}", found, "at least two good sweeps", fix)
    sweeps = whole.sweeps_uv[kept]
    times_ms = span.start_ms + np.arange(sweeps.shape[1]) * 1000 / sfreq_hz
    before = times_ms < 0 if (times_ms < 0).any() else np.ones(len(times_ms), bool)
    return sweeps - sweeps[:, before].mean(), dict(counts)


def _windows(values: npt.NDArray[np.generic], first: npt.NDArray[np.int_], n: int) -> npt.NDArray[np.generic]:
    """(event, n) samples from each first one on; the last sample goes on where a recording is shorter."""
    if len(values) < n:
        values = np.pad(values, (0, n - len(values)), mode="edge")
    return np.lib.stride_tricks.sliding_window_view(values, n)[np.minimum(first, len(values) - n)]


def _shifted(signal: FloatArray, first: npt.NDArray[np.int_], part: FloatArray, n: int) -> FloatArray:
    """(event, n) the signal at `first + part + 0, 1, ...`: interpolated by a windowed sinc."""
    if not (np.abs(part) > _ON_SAMPLE).any():
        return np.asarray(_windows(signal, first, n), np.float64)
    padded = np.pad(signal, _TAPS, mode="edge")
    wide = np.asarray(_windows(padded, first, n + 2 * _TAPS), np.float64)
    lag = np.arange(-_TAPS, _TAPS + 1) - part[:, None]
    kernel = np.sinc(lag) * np.i0(_BETA * np.sqrt(np.clip(1 - (lag / (_TAPS + 0.5)) ** 2, 0, 1)))
    kernel /= kernel.sum(axis=1, keepdims=True)
    taps = np.lib.stride_tricks.sliding_window_view(wide, 2 * _TAPS + 1, axis=1)
    return np.asarray(np.einsum("ent,et->en", taps, kernel, optimize=True))
