"""Compiled loops that allocate one participant after the other, for many replicates."""

from __future__ import annotations

import numpy as np
from numba import njit

# Two sums of imbalances that differ by less are a tie.
TIE = 1e-9


@njit(cache=True)
def minimised(codes, weights, arms, probability, by_range, uniform, out):  # type: ignore[no-untyped-def]
    """Pocock & Simon 1975; codes (participant, factor), uniform and out (replicate, participant)."""
    people, factors = codes.shape
    size = codes.max() + 1
    counts = np.empty((factors, size, arms))
    total = np.empty(arms)
    for r in range(uniform.shape[0]):
        counts[:] = 0.0
        for i in range(people):
            for k in range(arms):
                total[k] = 0.0
                for f in range(factors):
                    total[k] += weights[f] * _imbalance(counts[f, codes[i, f]], k, by_range)
            lowest = total.min()
            tied = 0
            for k in range(arms):
                tied += total[k] - lowest < TIE
            rest = (1.0 - probability) / (arms - 1)
            best = (probability + (tied - 1) * rest) / tied
            left = uniform[r, i]
            chosen = arms - 1
            for k in range(arms):
                left -= best if total[k] - lowest < TIE else rest
                if left < 0.0:
                    chosen = k
                    break
            out[r, i] = chosen
            for f in range(factors):
                counts[f, codes[i, f], chosen] += 1.0


@njit(cache=True)
def _imbalance(counts, extra, by_range):  # type: ignore[no-untyped-def]
    """Range or variance of the counts of the arms (arm,) with one more in the arm `extra`."""
    arms = counts.size
    low, high, mean = np.inf, -np.inf, (counts.sum() + 1.0) / arms
    square = 0.0
    for k in range(arms):
        value = counts[k] + (k == extra)
        low, high = min(low, value), max(high, value)
        square += (value - mean) ** 2
    return high - low if by_range else square / (arms - 1)


@njit(cache=True)
def blocked(strata, sizes, ratio, uniform, out):  # type: ignore[no-untyped-def]
    """Permuted blocks: draws without replacement from what is left of the block of a stratum."""
    arms = ratio.size
    left = np.empty((strata.max() + 1, arms))
    for r in range(uniform.shape[0]):
        left[:] = 0.0
        for i in range(strata.size):
            urn = left[strata[i]]
            if urn.sum() == 0.0:
                block = sizes[min(int(uniform[r, i, 0] * sizes.size), sizes.size - 1)]
                for k in range(arms):
                    urn[k] = block // ratio.sum() * ratio[k]
            mark = uniform[r, i, 1] * urn.sum()
            chosen = arms - 1
            for k in range(arms):
                mark -= urn[k]
                if mark < 0.0:
                    chosen = k
                    break
            out[r, i] = chosen
            urn[chosen] -= 1.0
