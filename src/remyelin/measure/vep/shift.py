"""By how much a response came earlier or later from one visit to another: the endpoint of a trial.

Two visits are explained together by one response, delayed by a shift and scaled by a gain in the second. No
peak is picked: every part of the wave tells the shift, and the noise of each visit counts by its covariance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from remyelin.errors import InputError

from .average import Average, average
from .conditional import Conditional, joined, pairwise
from .evidence import Posterior, explain
from .joint import Joint
from .prior import FloatArray

# A choice, between the published SDs of a change of P100 (2.4 to 12.4 ms): so wide that it hardly moves an
# eye whose shift is known to 3 ms, and keeps one with hardly any response from being taken for a huge change.
_PRIOR_SD_MS = 10.0
# No response is quite the same at two visits: a part of its size is the visit's own. This part and the prior
# were chosen on real sweeps of the people that benchmarks/vep/real.py uses.
_OWN_PART = 0.2
_LEVEL = 0.95
# Where the shape stays the same, the room for what is a visit's own makes the density too wide: the SD of the
# error was 0.81 of that of the density in 480 simulated eyes that no benchmark uses, at an own part of 0.15
# (for 0.2 it was set a little below the 0.85 of then, and not measured again).
_CALIBRATION = 0.82


@dataclass(frozen=True, slots=True)
class Shift:
    """A shift of the response between visits of one eye.

    Parameters
    ----------
    ms
        Last less first visit: negative is faster.
    se_ms, ci_ms
        Standard error and 95 % interval.
    gain
        Amplitude at the last visit over that at the first.
    by_visit_ms
        Of each visit against the first, which is 0.
    time_ms, density
        How likely each shift is.
    """

    ms: float
    se_ms: float
    ci_ms: tuple[float, float]
    gain: float
    by_visit_ms: tuple[float, ...]
    time_ms: FloatArray = field(repr=False, compare=False)
    density: FloatArray = field(repr=False, compare=False)

    def __str__(self) -> str:
        low, high = self.ci_ms
        return f"{self.ms:+.1f} ms (95 % CI {low:+.1f} to {high:+.1f}), gain {self.gain:.2f}"


def latency_shift(
    visits: Sequence[FloatArray],
    sfreq_hz: float | Sequence[float],
    start_ms: float | Sequence[float],
    *,
    prior_sd_ms: float = _PRIOR_SD_MS,
) -> Shift:
    """Measure the shift of the response of one eye from the first to the last of its visits.

    Parameters
    ----------
    visits
        (sweep, sample) in uV of each visit, in the order of time; two or more. Visits between the first and
        the last help to know the shape of the response.
    sfreq_hz, start_ms
        Sampling rate, and the time of the first sample after the stimulus; one number, or one a visit.
    prior_sd_ms
        SD of the shifts that are thought possible, around 0.

    Raises
    ------
    InputError
        Fewer than two visits, or a visit that `p100` would refuse.

    Notes
    -----
    The shape of the response is not assumed: each component of `prior` is conditioned on both visits at every
    shift and gain, and they are weighted by their evidence.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> time_ms = np.arange(-50, 400)
    >>> def visit(latency_ms):
    ...     wave = np.exp(-0.5 * ((time_ms - latency_ms) / 13) ** 2)
    ...     return 10 * wave + rng.normal(0, 10, (100, 450))
    >>> print(latency_shift([visit(112), visit(108)], 1000, -50))
    -... ms (95 % CI ...), gain ...
    """
    if len(visits) < 2:
        raise InputError(
            "", "visits", f"{len(visits)}", "two visits or more", "give a list of sweeps a visit"
        )
    rates = np.broadcast_to(np.asarray(sfreq_hz, float), len(visits))
    starts = np.broadcast_to(np.asarray(start_ms, float), len(visits))
    recorded = [one_of_several(*visit) for visit in zip(visits, rates.tolist(), starts.tolist(), strict=True)]
    return shift_between(recorded, [explain(one.information()) for one in recorded], prior_sd_ms)


def one_of_several(sweeps_uv: FloatArray, sfreq_hz: float, start_ms: float) -> Average:
    """The average of a visit, with room for what is that visit's own."""
    return average(sweeps_uv, sfreq_hz, start_ms).loosened(_OWN_PART)


def shift_between(
    recorded: Sequence[Average], explained: Sequence[Posterior], prior_sd_ms: float = _PRIOR_SD_MS
) -> Shift:
    """The shift from the first to the last of averages (`one_of_several`) that were explained one by one."""
    joint = Joint(recorded, explained)
    pairs = [pairwise(joint, visit, prior_sd_ms) for visit in range(1, len(recorded))]
    last: Conditional = pairs[0] if len(pairs) == 1 else joined(joint, pairs, prior_sd_ms)
    fine, density = last.density()
    ms = float(density @ fine)
    fine = ms + _CALIBRATION * (fine - ms)
    tail = (1 - _LEVEL) / 2
    low, high = np.interp([tail, 1 - tail], np.cumsum(density), fine)
    return Shift(
        ms=ms,
        se_ms=float(np.sqrt(density @ (fine - ms) ** 2)),
        ci_ms=(float(low), float(high)),
        gain=last.gain,
        by_visit_ms=(0.0, *(pair.mean_ms for pair in pairs[:-1]), ms),
        time_ms=fine,
        density=density,
    )
