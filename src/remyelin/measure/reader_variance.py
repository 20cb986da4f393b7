"""How much of a latency is the reader: components of variance over traces and readers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from remyelin.errors import InputError

from .readings import ADJUDICATOR, Reading

if TYPE_CHECKING:
    import pandas as pd

FloatArray = npt.NDArray[np.float64]
_SDC = 1.96 * np.sqrt(2.0)


@dataclass(frozen=True, slots=True)
class Component:
    """A standard deviation in ms with its 95 % interval; 0 where the variance comes out negative."""

    name: str
    sd_ms: float
    low_ms: float
    high_ms: float

    def __str__(self) -> str:
        return f"{self.name} {self.sd_ms:.2f} ({self.low_ms:.2f} to {self.high_ms:.2f}) ms"


@dataclass(frozen=True, slots=True)
class ReaderVariance:
    """What `reader_variance` found.

    Parameters
    ----------
    between, reader, residual
        SD between traces, between readers (who reads late throughout), and what is left: the reader's own
        whim at a trace, a second look included.
    repeatability
        SD of one reader at one trace, from repeated readings; None without any.
    change_same_ms, change_other_ms
        Smallest detectable change of an eye by reading alone, 1.96 sqrt(2) SD, where one reader reads both
        visits and where two do. What the eye and the recording vary from day to day comes on top.
    n_traces, n_readers, n_left_out
        Traces read by every reader, the readers, and traces left out because a reader is missing.
    """

    between: Component
    reader: Component
    residual: Component
    repeatability: Component | None
    change_same_ms: float
    change_other_ms: float
    n_traces: int
    n_readers: int
    n_left_out: int = 0

    @property
    def components(self) -> tuple[Component, ...]:
        """The components that were estimated."""
        known = (self.between, self.reader, self.residual, self.repeatability)
        return tuple(one for one in known if one is not None)

    def __str__(self) -> str:
        lines = [f"{self.n_traces} traces, {self.n_readers} readers, {self.n_left_out} traces left out"]
        lines += [f"  SD {one}" for one in self.components]
        lines += [
            f"  detectable change: {self.change_same_ms:.1f} ms by the same reader, "
            f"{self.change_other_ms:.1f} ms by another"
        ]
        return "\n".join(lines)

    def to_frame(self) -> pd.DataFrame:
        """One row a component."""
        import pandas as pd

        return pd.DataFrame([asdict(one) for one in self.components])


def reader_variance(readings: Iterable[Reading], peak: str = "P100") -> ReaderVariance:
    """Components of variance of a peak's latency over readers.

    Parameters
    ----------
    readings
        Those of the adjudicator are left out, for they are not made of all traces. First readings give the
        components, repeated ones the repeatability.
    peak
        ``"P100"``, ``"N75"`` or ``"N135"``.

    Notes
    -----
    Two-way random effects, ``latency = mean + trace + reader + residual``, by analysis of variance on the
    traces that every reader read (the estimators are unbiased and, where none is negative, those of REML).
    The interval of the residual is exact; those of the other two are modified large-sample intervals, which
    also hold with few readers. Two readers tell little of readers in general, and the interval shows it.

    Raises
    ------
    InputError
        Fewer than two readers, or fewer than three traces that all of them read.

    References
    ----------
    Burdick RK, Graybill FA. Confidence intervals on variance components. 1992.
    Bland JM, Altman DG. BMJ 1996;312:1654 (repeatability). 10.1136/bmj.312.7047.1654

    Examples
    --------
    >>> rng = np.random.default_rng(4)
    >>> late = rng.normal(118, 10, 40)[:, None] + rng.normal(0, 1.5, 3) + rng.normal(0, 2, (40, 3))
    >>> print(reader_variance([
    ...     Reading(f"sub-{n:02d}", "M00", "OD", 60.0, "", who, "P100", late[n, r], 7.0, "2026-03-09", "")
    ...     for n in range(40) for r, who in enumerate(("AB", "CD", "EF"))]))
    40 traces, 3 readers, 0 traces left out
      SD between 10.43 (8.52 to 13.42) ms
      SD reader 1.35 (0.66 to 8.70) ms
      SD residual 1.85 (1.60 to 2.20) ms
      detectable change: 5.1 ms by the same reader, 6.4 ms by another
    """
    kept = [one for one in readings if one.peak == peak and np.isfinite(one.latency_ms)]
    kept = [one for one in kept if one.reader != ADJUDICATOR]
    table, left_out = _table([one for one in kept if one.repeat == 1])
    traces, readers = table.shape
    between, reader, residual = _mean_squares(table)
    df = (traces - 1, readers - 1, (traces - 1) * (readers - 1))
    residual_sd = _from_chi2("residual", residual, df[2])
    reader_sd = _difference("reader", (reader, residual), (df[1], df[2]), traces)
    same = float(_SDC * residual_sd.sd_ms)
    return ReaderVariance(
        _difference("between", (between, residual), (df[0], df[2]), readers),
        reader_sd,
        residual_sd,
        _repeatability(kept),
        same,
        float(_SDC * np.hypot(residual_sd.sd_ms, reader_sd.sd_ms)),
        traces,
        readers,
        left_out,
    )


def _table(readings: Sequence[Reading]) -> tuple[FloatArray, int]:
    """(trace, reader) latencies of the traces that every reader read, and how many were left out."""
    readers = sorted({one.reader for one in readings})
    values = {(one.trace, one.reader): one.latency_ms for one in readings}
    traces = sorted({one.trace for one in readings})
    whole = [trace for trace in traces if all((trace, who) in values for who in readers)]
    if len(readers) < 2 or len(whole) < 3:
        found = f"{len(readers)} readers and {len(whole)} traces that all of them read"
        fix = "have the same traces read by two people or more"
        raise InputError("", "readings", found, "2 readers and 3 traces or more", fix)
    table = [[values[trace, who] for who in readers] for trace in whole]
    return np.array(table, np.float64), len(traces) - len(whole)


def _mean_squares(table: FloatArray) -> tuple[float, float, float]:
    """Of traces, readers and the residual."""
    n, k = table.shape
    rows, columns, grand = table.mean(1), table.mean(0), table.mean()
    rest = table - rows[:, None] - columns + grand
    between = k * np.sum((rows - grand) ** 2) / (n - 1)
    reader = n * np.sum((columns - grand) ** 2) / (k - 1)
    return float(between), float(reader), float(np.sum(rest**2) / ((n - 1) * (k - 1)))


def _from_chi2(name: str, variance: float, df: float) -> Component:
    from scipy.special import chdtri

    low, high = np.sqrt(df * variance / chdtri(df, [0.025, 0.975]))
    return Component(name, float(np.sqrt(variance)), float(low), float(high))


def _difference(name: str, squares: tuple[float, float], df: tuple[int, int], weight: int) -> Component:
    """Of the variance ``(first - second) / weight``, by the modified large-sample method (Ting 1990)."""
    from scipy.stats import chi2, f

    first, second = squares
    alpha = 0.025
    g1, g2 = (1 - n / chi2.ppf(1 - alpha, n) for n in df)
    h1, h2 = (n / chi2.ppf(alpha, n) - 1 for n in df)
    upper, lower = f.ppf(1 - alpha, *df), f.ppf(alpha, *df)
    g12 = ((upper - 1) ** 2 - g1**2 * upper**2 - h2**2) / upper
    h12 = ((1 - lower) ** 2 - h1**2 * lower**2 - g2**2) / lower
    variance = (first - second) / weight
    below = g1**2 * first**2 + h2**2 * second**2 + g12 * first * second
    above = h1**2 * first**2 + g2**2 * second**2 + h12 * first * second
    low = variance - np.sqrt(max(below, 0.0)) / weight
    high = variance + np.sqrt(max(above, 0.0)) / weight
    sd, low, high = np.sqrt(np.maximum([variance, low, high], 0.0)).tolist()
    return Component(name, sd, low, high)


def _repeatability(readings: Sequence[Reading]) -> Component | None:
    cells: dict[object, list[float]] = {}
    for one in readings:
        cells.setdefault((one.trace, one.reader), []).append(one.latency_ms)
    repeated = [np.array(values) for values in cells.values() if len(values) > 1]
    df = sum(len(values) - 1 for values in repeated)
    if not df:
        return None
    return _from_chi2("repeatability", sum(float(v.var() * len(v)) for v in repeated) / df, df)
