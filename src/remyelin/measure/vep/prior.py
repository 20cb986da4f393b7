"""What a pattern-reversal response may look like: a mixture of Gaussian processes.

Each component is a triplet N75, P100, N135 (and the late wave after it) at one latency and one dilation,
whose amplitudes vary, plus a smooth deviation of its own. Some have a second hump. One more component is any
smooth wave at all: it takes over where no triplet fits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline

FloatArray = npt.NDArray[np.float64]

# Widths and distances in ms at dilation 1; amplitudes in units of P100. They span published waveforms (Odom
# 2016, doi 10.1007/s10633-016-9553-y, for the sequence of peaks) and were set on simulated responses.
_P100_WIDTH, _N75_WIDTH, _N135_WIDTH, _LATE_WIDTH, _HUMP_WIDTH = 13.0, 9.0, 17.0, 28.0, 11.0
_N75_BEFORE, _N135_AFTER, _LATE_AFTER = 29.0, 40.0, 95.0
_MEAN = np.array([1.0, 0.35, 0.65, 0.15])
_SD = np.array([0.3, 0.25, 0.35, 0.25])
_HUMP_MEAN, _HUMP_SD = 0.7, 0.25
_DEVIATION, _SMOOTHNESS_MS = 0.25, 10.0
_FREE_SD, _FREE_SMOOTHNESS_MS = 0.6, 11.0
# Weights before the data are seen: any smooth wave, and a second hump among the triplets.
_FREE_WEIGHT, _BIFID_WEIGHT = 0.25, 0.15

LATENCIES_MS = np.arange(74.0, 186.0, 4.0)
_SINGLE = tuple((dilation, 0.0) for dilation in (0.75, 0.95, 1.2, 1.5, 1.85))
_BIFID = tuple((dilation, gap) for dilation in (0.8, 1.1, 1.5) for gap in (20.0, 27.0, 34.0))
KINDS = _SINGLE + _BIFID
"""Dilation and distance of the second hump in ms (0: none) of the triplets."""
AMPLITUDES_UV = np.array([1.2, 2.0, 3.3, 5.5, 9.0, 15.0])

_NODES_MS = np.arange(-30.0, 421.0, 3.0)
_BASIS, _RANK = 48, 22


@dataclass(frozen=True, slots=True)
class Prior:
    """The mixture, written in one basis of smooth waves.

    Parameters
    ----------
    basis
        (node, basis) the waves, at `nodes_ms`.
    mean, root
        (component, basis) and (component, basis, rank): mean and a root of the covariance of a response of
        1 uV, components ordered as (kind, latency).
    log_weight
        (component,) prior weight.
    gap_ms
        (component,) distance of the second hump; 0 where there is none.
    free_root
        (1, basis, basis) root of the covariance of any smooth wave.
    free_log_weight
        Its prior weight.
    """

    basis: FloatArray
    mean: FloatArray
    root: FloatArray
    log_weight: FloatArray
    gap_ms: FloatArray
    free_root: FloatArray
    free_log_weight: float

    def waves(self, time_ms: FloatArray) -> FloatArray:
        """(time, basis) the waves at any time; 0 outside -30 to 420 ms."""
        time = np.asarray(time_ms, float)
        inside = (time >= _NODES_MS[0]) & (time <= _NODES_MS[-1])
        values = _spline()(np.clip(time, _NODES_MS[0], _NODES_MS[-1]))
        return np.asarray(np.where(inside[:, None], values, 0.0))


@cache
def _spline() -> CubicSpline:
    return CubicSpline(_NODES_MS, prior().basis)


@cache
def prior() -> Prior:
    """The mixture, made once in a process."""
    means, covariances, weights, gaps = [], [], [], []
    share = _BIFID_WEIGHT / (1 - _BIFID_WEIGHT) * len(_SINGLE) / len(_BIFID)
    for dilation, gap in KINDS:
        for latency in LATENCIES_MS:
            mean, covariance = _component(latency, dilation, gap)
            means.append(mean)
            covariances.append(covariance)
            weights.append(_plausible(latency + gap / 2, dilation) + (np.log(share) if gap else 0.0))
            gaps.append(gap)
    log_weight = np.array(weights)
    log_weight += np.log(1 - _FREE_WEIGHT) - np.log(np.exp(log_weight).sum())
    free = _free()
    basis = _basis(np.array(means), np.array(covariances), log_weight, free)
    inner = np.einsum("nk,cnm,ml->ckl", basis, np.array(covariances), basis, optimize=True)
    return Prior(
        basis=basis,
        mean=np.array(means) @ basis,
        root=_root(inner, _RANK),
        log_weight=log_weight,
        gap_ms=np.array(gaps),
        free_root=_root((basis.T @ free @ basis)[None], _BASIS),
        free_log_weight=float(np.log(_FREE_WEIGHT)),
    )


def triplet(time_ms: FloatArray, latency_ms: float, dilation: float, gap_ms: float) -> FloatArray:
    """(time, peak) P100, N75, N135, the late wave and, with a gap, the second hump, each 1 high."""

    def peak(centre: float, width: float) -> FloatArray:
        return np.exp(-0.5 * ((time_ms - centre) / (width * dilation)) ** 2)

    peaks = [
        peak(latency_ms, _HUMP_WIDTH - 1.5 if gap_ms else _P100_WIDTH),
        -peak(latency_ms - _N75_BEFORE * dilation, _N75_WIDTH),
        -peak(latency_ms + gap_ms + _N135_AFTER * dilation, _N135_WIDTH),
        peak(latency_ms + gap_ms + _LATE_AFTER * dilation, _LATE_WIDTH),
    ]
    return np.stack([*peaks, peak(latency_ms + gap_ms, _HUMP_WIDTH)] if gap_ms else peaks, axis=1)


def typical_wave(after_p100_ms: FloatArray, dilation: float) -> FloatArray:
    """The mean response, P100 about 1 uV at 0 ms."""
    return np.asarray(triplet(after_p100_ms, 0.0, dilation, 0.0) @ _MEAN)


def _component(latency_ms: float, dilation: float, gap_ms: float) -> tuple[FloatArray, FloatArray]:
    """Mean and covariance, at the nodes, of a response whose P100 is about 1 uV."""
    shapes = triplet(_NODES_MS, latency_ms, dilation, gap_ms)
    mean = np.append(_MEAN, _HUMP_MEAN) if gap_ms else _MEAN
    sd = np.append(_SD, _HUMP_SD) if gap_ms else _SD
    begin = 1 / (1 + np.exp(-(_NODES_MS - latency_ms + 50 * dilation) / (7 * dilation)))
    end = 1 / (1 + np.exp((_NODES_MS - latency_ms - gap_ms - 140 * dilation) / (20 * dilation)))
    smooth = _smooth(_SMOOTHNESS_MS * dilation, _DEVIATION * begin * end)
    return shapes @ mean, (shapes * sd**2) @ shapes.T + smooth


def _free() -> FloatArray:
    begin = 1 / (1 + np.exp(-(_NODES_MS - 35) / 6))
    end = 1 / (1 + np.exp((_NODES_MS - 330) / 20))
    return _smooth(_FREE_SMOOTHNESS_MS, _FREE_SD * begin * end)


def _smooth(length_ms: float, sd: FloatArray) -> FloatArray:
    apart = (_NODES_MS[:, None] - _NODES_MS) / length_ms
    return np.asarray(np.exp(-0.5 * apart**2) * np.outer(sd, sd))


def _plausible(latency_ms: float, dilation: float) -> float:
    """Log weight: any latency from 88 to 150 ms is as likely; earlier is rare, later less common."""
    early, late = max(0.0, 88 - latency_ms) / 8, max(0.0, latency_ms - 150) / 25
    return float(-0.5 * (early**2 + late**2 + ((np.log(dilation) - np.log(1.1)) / 0.3) ** 2))


def _basis(
    means: FloatArray, covariances: FloatArray, log_weight: FloatArray, free: FloatArray
) -> FloatArray:
    """The leading eigenvectors of the mixture, in which rare components count as well."""
    weight = np.exp(log_weight)
    likely = (
        np.tensordot(weight, covariances, 1)
        + (means.T * weight) @ means
        + np.exp(np.log(_FREE_WEIGHT)) * free
    )
    rare = covariances.mean(axis=0) + free / len(covariances)
    _, vectors = np.linalg.eigh(likely / np.trace(likely) + rare / np.trace(rare))
    return np.asarray(_signed(vectors[:, ::-1][:, :_BASIS]))


def _root(covariance: FloatArray, rank: int) -> FloatArray:
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors[..., -rank:] * np.sqrt(np.maximum(values[..., None, -rank:], 0.0)))


def _signed(vectors: FloatArray) -> FloatArray:
    """Eigenvectors have no sign of their own: the largest entry is made positive."""
    largest = np.abs(vectors).argmax(axis=0)
    return np.asarray(vectors * np.sign(vectors[largest, np.arange(vectors.shape[1])]))
