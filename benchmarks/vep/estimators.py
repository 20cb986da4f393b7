"""The estimators that are compared: those of MNE, on the same sweeps, and ours.

Sweeps are (sweep, sample) in uV, from -100 ms on at 1 kHz unless another start is given.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import mne
import numpy as np
from noise import SFREQ_HZ, START_MS
from scipy import signal

mne.set_log_level("ERROR")
WINDOW_S = (0.075, 0.180)
LOW_PASS_HZ = 30.0
IIR = {"order": 4, "ftype": "butter"}  # forwards and backwards: 6 dB down at the cut-off


def evoked(sweeps_uv: np.ndarray, start_ms: float = START_MS) -> mne.EvokedArray:
    """The average as MNE keeps it, in V."""
    average = sweeps_uv.mean(axis=0, keepdims=True) * 1e-6
    return mne.EvokedArray(average, _info(), tmin=start_ms / 1000, nave=len(sweeps_uv), verbose=False)


@cache
def _info() -> mne.Info:
    return mne.create_info(["Oz"], SFREQ_HZ, "eeg", verbose=False)


def mne_peak_ms(average: mne.EvokedArray) -> float:
    """`Evoked.get_peak`, positive, 75 to 180 ms. It raises where all is negative: then the highest point."""
    data = average.data[0][average.time_as_index(WINDOW_S[0])[0] : average.time_as_index(WINDOW_S[1])[0] + 1]
    if data.max() <= 0:
        return 1000 * WINDOW_S[0] + float(data.argmax())
    return 1000 * average.get_peak(tmin=WINDOW_S[0], tmax=WINDOW_S[1], mode="pos")[1]


def low_passed(average: mne.EvokedArray) -> mne.EvokedArray:
    """A copy after MNE's filter."""
    return average.copy().filter(None, LOW_PASS_HZ, method="iir", iir_params=dict(IIR), verbose=False)


def peers_latency(sweeps_uv: np.ndarray, start_ms: float = START_MS) -> dict[str, float]:
    """P100 latency by both recipes, ms."""
    average = evoked(sweeps_uv, start_ms)
    return {"get_peak": mne_peak_ms(average), "lp30": mne_peak_ms(low_passed(average))}


def peers_shift(first: np.ndarray, last: np.ndarray, start_ms: float = START_MS) -> dict[str, float]:
    """Last less first visit by the two differences, and by cross-correlation, ms."""
    before, after = peers_latency(first, start_ms), peers_latency(last, start_ms)
    found = {name: after[name] - before[name] for name in before}
    return found | {"xcorr": cross_correlation_ms(first, last, start_ms)}


def cross_correlation_ms(first: np.ndarray, last: np.ndarray, start_ms: float = START_MS) -> float:
    """The shift at which the low-passed averages are most alike from 50 to 230 ms, within 25 ms."""
    times = start_ms + np.arange(first.shape[1])
    before, after = (low_passed(evoked(x, start_ms)).data[0] for x in (first, last))
    inside = (times >= 50) & (times <= 230)
    tried = np.arange(-25, 25.25, 0.5)
    alike = np.array(
        [np.corrcoef(before[inside], np.interp(times[inside] + s, times, after))[0, 1] for s in tried]
    )
    k = int(alike.argmax())
    if k in (0, len(tried) - 1):
        return float(tried[k])
    left, top, right = alike[k - 1 : k + 2]
    return float(tried[k] + 0.25 * (left - right) / (left - 2 * top + right))


def ours_missing() -> str:
    """Empty, or why the package's own functions cannot be called."""
    try:
        from remyelin.measure.vep import detect, latency_shift, p100  # noqa: F401
    except ImportError as error:
        return str(error)
    return ""


def ours_latency(sweeps_uv: np.ndarray, start_ms: float = START_MS) -> dict[str, Any]:
    """P100 latency, its interval, and what the package thinks of the response."""
    from remyelin.measure.vep import p100

    found = p100(sweeps_uv, SFREQ_HZ, start_ms)
    return {
        "ours": found.latency_ms,
        "low": found.ci_ms[0],
        "high": found.ci_ms[1],
        "state": str(found.state),
        "shape": str(found.shape),
        "uv": found.amplitude_uv,
    }


def ours_shift(visits: list[np.ndarray], start_ms: float = START_MS) -> dict[str, Any]:
    """Shift between visits and its interval."""
    from remyelin.measure.vep import latency_shift

    found = latency_shift(visits, SFREQ_HZ, start_ms)
    return {"ours": found.ms, "low": found.ci_ms[0], "high": found.ci_ms[1], "se": found.se_ms}


def fsp(sweeps_uv: np.ndarray, inside: np.ndarray) -> float:
    """Variance of the average in the window by that of one point over sweeps (Elberling & Don 1984).

    The point is the middle of the window.
    """
    x = sweeps_uv[:, inside]
    point = x[:, x.shape[1] // 2]
    return float(x.mean(axis=0).var(ddof=1) / (point.var(ddof=1) / len(x)))


def split_half_r(sweeps_uv: np.ndarray, inside: np.ndarray) -> float:
    """Correlation of the averages of odd and even sweeps, low-passed."""
    sos = signal.butter(4, LOW_PASS_HZ, fs=SFREQ_HZ, output="sos")
    odd, even = (signal.sosfiltfilt(sos, sweeps_uv[k::2].mean(axis=0))[inside] for k in (0, 1))
    return float(np.corrcoef(odd, even)[0, 1])
