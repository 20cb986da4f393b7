"""A participant's waveforms as a table: averages, their error, and the fit, for page and readers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .responses import Response
from .vep import P100

COLUMNS = ("visit", "site", "condition", "time_ms", "average_uv", "se_uv", "fit_uv")
_STEP_MS = 1.0
_FIRST_MS, _LAST_MS = -50.0, 400.0


def waveform_rows(response: Response) -> list[dict[str, str]]:
    """Lines of the table for the replicates together and for each."""
    start, sfreq = response.start_ms, response.sfreq_hz
    found = list(_lines(response, response.condition(), response.sweeps_uv, response.pooled, start, sfreq))
    runs = {one.run for one in response.replicates}
    for k, (one, peak) in enumerate(zip(response.replicates, response.each, strict=False)):
        name = (one.run if len(runs) == len(response.replicates) else "") or str(k + 1)
        condition = response.condition(run=name)
        found += _lines(response, condition, one.sweeps_uv, peak, one.start_ms, one.sfreq_hz)
    return found


def _lines(
    response: Response, condition: str, sweeps_uv: np.ndarray, peak: P100, start_ms: float, sfreq_hz: float
) -> Iterator[dict[str, str]]:
    own = start_ms + 1000 * np.arange(sweeps_uv.shape[1]) / sfreq_hz
    time = np.arange(max(_FIRST_MS, np.ceil(own[0])), min(_LAST_MS, own[-1]) + 1e-9, _STEP_MS)
    average = np.interp(time, own, sweeps_uv.mean(axis=0))
    n = len(sweeps_uv)
    se = (
        np.interp(time, own, sweeps_uv.std(axis=0, ddof=1) / np.sqrt(n))
        if n > 1
        else np.full(len(time), np.nan)
    )
    fit = np.interp(time, peak.time_ms, peak.fit_uv, left=np.nan, right=np.nan)
    # The constant of an average is unknown, and no part of the fit.
    fit += np.nanmean(average - fit) if np.isfinite(peak.latency_ms) else np.nan
    for values in zip(time, average, se, fit, strict=True):
        numbers = dict(zip(COLUMNS[3:], (_number(value) for value in values), strict=True))
        yield {"visit": response.visit, "site": response.site, "condition": condition, **numbers}


def _number(value: float) -> str:
    return "n/a" if not np.isfinite(value) else f"{value:.3f}".rstrip("0").rstrip(".")
