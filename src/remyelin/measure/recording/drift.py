"""Slow drift: the straight lines between the means of whole reversal intervals.

A response that repeats at every reversal has the same mean over each interval, wherever the interval begins.
Lines between these means therefore hold nothing of it but a constant, and taking them off shifts no peak: a
high-pass filter, with half its effect near 0.6 of the reversal rate, that is blind to the response. The mean
of a short stretch before the stimulus would add the alpha rhythm of that stretch to the whole sweep.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .continuous import FloatArray


def drift_uv(
    signal_uv: FloatArray, sfreq_hz: float, lights_s: FloatArray, interval_s: float, reject_uv: float
) -> tuple[FloatArray, FloatArray]:
    """Where the drift is known, and what it is there; between, it is linear.

    Parameters
    ----------
    signal_uv
        (sample,) one channel.
    lights_s
        (event,) when each reversal was seen.
    interval_s
        Between reversals.
    reject_uv
        Intervals of more than this from peak to peak hold artefacts; the line passes over them.

    Returns
    -------
    (knot,) samples from the start, and (knot,) uV; at least one knot.

    Examples
    --------
    >>> t = np.arange(4000) / 1000
    >>> at, level = drift_uv(np.sin(4 * np.pi * t) + 10 * t, 1000.0, np.arange(0.1, 3, 0.5), 0.5, 200.0)
    >>> bool(np.allclose(np.interp(2000, at, level), 20.0, atol=0.01))
    True
    """
    width = max(round(interval_s * sfreq_hz), 1)
    starts = np.rint(lights_s * sfreq_hz).astype(int)
    starts = starts[(starts >= 0) & (starts + width <= len(signal_uv))]
    if not len(starts):
        return np.zeros(1), np.full(1, float(np.mean(signal_uv)))
    cycles = np.lib.stride_tricks.sliding_window_view(signal_uv, width)[starts]
    calm: npt.NDArray[np.bool_] = np.ptp(cycles, axis=1) <= reject_uv
    if not calm.any():
        calm[:] = True
    return starts[calm] + (width - 1) / 2, cycles[calm].mean(axis=1)
