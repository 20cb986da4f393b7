"""Visits of one eye explained together: what responses could have made them, and how late each came."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import logsumexp

from .average import Average
from .evidence import Posterior, Seen, fit, seen
from .prior import AMPLITUDES_UV, KINDS, LATENCIES_MS, FloatArray, prior

# The components that explain the visits best are followed; all others are hopeless.
_TRIPLETS, _FREE = 40, 2
_ONE_UV = np.ones(1)

Sight = tuple[Seen, Seen]
"""What a visit tells, as the triplets and any smooth wave see it."""


class Joint:
    """The components that may explain all visits of an eye, and the evidence of shifts and gains.

    Parameters
    ----------
    recorded
        The average of each visit, the first one being the reference.
    explained
        Each visit by itself.
    """

    def __init__(self, recorded: Sequence[Average], explained: Sequence[Posterior]) -> None:
        model = prior()
        self._recorded = recorded
        amplitude, component = _likely(explained)
        self._root = AMPLITUDES_UV[amplitude][:, None, None] * model.root[component]
        self._mean = AMPLITUDES_UV[amplitude][:, None] * model.mean[component]
        free = sum(one.free.log_evidence[:, 0] for one in explained)
        kept = np.argsort(-np.asarray(free), kind="stable")[:_FREE]
        self._free_root = AMPLITUDES_UV[kept][:, None, None] * model.free_root[0]
        self._free_mean = np.zeros((len(kept), model.basis.shape[1]))
        self._log_weight = model.log_weight[component]
        self._free_log_weight = np.full(len(kept), model.free_log_weight)
        self.first = self.sight(0, 0.0)

    def sight(self, visit: int, shift_ms: float) -> Sight:
        """What a visit tells if its response comes `shift_ms` later than at the first."""
        information = self._recorded[visit].information(shift_ms)
        return seen(information, self._root, self._mean), seen(information, self._free_root, self._free_mean)

    def log_evidence(self, known: Sight, other: Sight, gains: FloatArray) -> FloatArray:
        """(gain,) log evidence of a visit's response being `gain` times that of what is known already."""
        parts = []
        for base, more, weight in zip(known, other, (self._log_weight, self._free_log_weight), strict=True):
            both = stacked([base.plus(more, gain) for gain in gains])
            found = fit(both, _ONE_UV).log_evidence[0].reshape(len(gains), -1)
            parts.append(found + weight)
        return np.asarray(logsumexp(np.concatenate(parts, axis=1), axis=1))


def stacked(sights: Sequence[Seen]) -> Seen:
    """Several sights of the same components, one after the other."""
    names = ("inner", "linear", "mean_inner", "mean_linear", "mean_square")
    return Seen(*(np.concatenate([getattr(one, name) for one in sights]) for name in names))


def _likely(explained: Sequence[Posterior]) -> tuple[np.ndarray, np.ndarray]:
    """Amplitude and component (at the first visit) of the triplets that explain all visits best.

    A triplet's evidence at a later visit is taken where it comes later or earlier, and larger or smaller.
    """
    model = prior()
    shape = (len(AMPLITUDES_UV), len(KINDS), len(LATENCIES_MS))
    total = explained[0].triplets.log_evidence.reshape(shape)
    for one in explained[1:]:
        own = one.triplets.log_evidence.reshape(shape)
        gains = np.stack([own, np.concatenate([own[1:], own[-1:]]), np.concatenate([own[:1], own[:-1]])])
        total = total + _any_shift(logsumexp(gains, axis=0))
    order = np.argsort(-(total.reshape(shape[0], -1) + model.log_weight).ravel(), kind="stable")[:_TRIPLETS]
    amplitude, component = np.unravel_index(order, (shape[0], shape[1] * shape[2]))
    return amplitude, component


def _any_shift(log_evidence: FloatArray) -> FloatArray:
    """Log of the summed evidence over all latencies within 40 ms of each."""
    apart = np.abs(LATENCIES_MS[:, None] - LATENCIES_MS) <= 40
    return np.asarray(logsumexp(np.where(apart, log_evidence[..., None, :], -np.inf), axis=-1))
