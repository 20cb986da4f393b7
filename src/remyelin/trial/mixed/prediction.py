"""Random intercepts as the fit predicts them, and what it says of other rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from remyelin.trial.design import FloatArray

if TYPE_CHECKING:
    from remyelin.trial.mixed.fit import MixedFit


def intercepts(fit: MixedFit) -> pd.DataFrame:
    """Best linear unbiased predictions: variance times the sum of V^-1 (y - X beta) over the group."""
    layout, (outer_variance, inner_variance, _) = fit.layout, fit.solution.theta
    pull = _weighted_residual(fit)
    columns = [fit.design.data[name].astype(str).to_numpy() for name in fit.spec.groups]
    first = layout.order[layout.ends[:-1]]
    outer = outer_variance * np.bincount(layout.outer_of_row, pull)
    frames = [_blups(fit.spec.names[0], columns[0][first[layout.outer[:-1]]], outer)]
    if layout.nested:
        inner = inner_variance * np.bincount(layout.inner_of_row, pull)
        pairs = [f"{a}:{b}" for a, b in zip(columns[0][first], columns[1][first], strict=True)]
        frames.append(_blups(fit.spec.names[1], np.array(pairs), inner))
    return pd.concat(frames)


def predicted(fit: MixedFit, frame: pd.DataFrame) -> FloatArray:
    """(row,) the intercepts of the groups of each row; 0 for a group without one."""
    found = intercepts(fit)["blup"]
    labels = frame[fit.spec.groups[0]].astype(str)
    total = np.zeros(len(frame))
    for k, term in enumerate(fit.spec.names):
        if k:
            labels = labels + ":" + frame[fit.spec.groups[k]].astype(str)
        total += labels.map(found.loc[term]).fillna(0.0).to_numpy(dtype=np.float64)
    return total


def _weighted_residual(fit: MixedFit) -> FloatArray:
    """(row,) V^-1 (y - X beta), by the formulas of `remyelin.trial.mixed.moments`."""
    layout, (outer_variance, inner_variance, residual) = fit.layout, fit.solution.theta
    outer, inner = layout.outer_of_row, layout.inner_of_row
    w = 1 / (residual + fit.known)
    left = w * (fit.design.y - fit.design.X @ fit.solution.beta)
    shrunk = 1 / (1 + inner_variance * np.bincount(inner, w))
    left = left - w * (inner_variance * shrunk * np.bincount(inner, left))[inner]
    m = w * shrunk[inner]
    share = outer_variance / (1 + outer_variance * np.bincount(outer, m))
    return np.asarray(left - m * (share * np.bincount(outer, left))[outer])


def _blups(term: str, levels: np.ndarray, values: FloatArray) -> pd.DataFrame:
    index = pd.MultiIndex.from_arrays([[term] * len(levels), levels], names=["term", "level"])
    return pd.DataFrame({"blup": values}, index=index)
