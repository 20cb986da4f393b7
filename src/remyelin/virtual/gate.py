"""Whether forecasts have earned a probability of success: judged on published trials, each left out in turn.

The rule was written down before it was first computed. For each published P100 result in turn, the model is
calibrated on the results of the other trials and predicts the one left out; so does the competitor, "the mean
of the others": a random-effects mean (DerSimonian & Laird 1986, 10.1016/0197-2456(86)90046-2), whose
predictive distribution has the variance between trials, that of the mean, and that of the result. Both are
scored by the logarithm of the density at the published estimate, and by the continuous ranked probability
score (Gneiting & Raftery 2007, 10.1198/016214506000001437). The gate opens if both mean scores are better
than the competitor's, and the 90 % interval of the mean difference in log score (Student's t over trials)
lies above 0.

MTR is not in it: one result in pu has no others to be predicted from.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from remyelin.errors import InputError
from remyelin.evidence.load import read_data
from remyelin.virtual.assumptions import Worlds
from remyelin.virtual.comparison import LATENCY
from remyelin.virtual.published import (
    Published,
    effective,
    follow_published,
    predicted,
    published,
    weights,
)

FloatArray = npt.NDArray[np.float64]
FILE = "evidence/forecast_gate.toml"
LEVEL = 0.9


@dataclass(frozen=True, slots=True)
class Judged:
    """One published result, predicted from the others by the model and by their mean.

    Attributes
    ----------
    trial, estimate, se
        The result that was left out.
    model_mean, model_sd, mean_mean, mean_sd
        Of the two predictive distributions, error of the result included.
    model_log, mean_log
        Logarithm of the predictive density at the estimate; higher is better.
    model_crps, mean_crps
        Continuous ranked probability score in ms; lower is better.
    worlds
        Equally probable worlds that the calibration left.
    """

    trial: str
    estimate: float
    se: float
    model_mean: float
    model_sd: float
    mean_mean: float
    mean_sd: float
    model_log: float
    mean_log: float
    model_crps: float
    mean_crps: float
    worlds: float


@dataclass(frozen=True, slots=True)
class Gate:
    """The verdict, computed from the scores.

    Attributes
    ----------
    judged
        Each result.
    log_gain, low, high
        Mean difference in log score, model less competitor, and its 90 % interval over trials.
    crps_gain
        Mean CRPS of the competitor less that of the model, ms; above 0 the model is better.
    """

    judged: tuple[Judged, ...]
    log_gain: float
    low: float
    high: float
    crps_gain: float

    @property
    def open(self) -> bool:
        """Whether a probability of success may be printed."""
        return self.low > 0 and self.crps_gain > 0

    def __str__(self) -> str:
        state = "Open" if self.open else "Closed, so no probability of success is given"
        better = "better" if self.crps_gain > 0 else "worse"
        return (
            f"{state}: on {len(self.judged)} published P100 results, each left out in turn, forecasts "
            f"score {self.log_gain:+.2f} in log density against the mean of the others (90 % {self.low:+.2f} "
            f"to {self.high:+.2f}; it must lie above 0), and {abs(self.crps_gain):.2f} ms {better} in CRPS."
        )

    def to_dict(self) -> dict[str, Any]:
        """For machines."""
        return {**asdict(self), "open": self.open}


@cache
def gate() -> Gate:
    """The verdict on record, computed anew from the scores in the evidence file.

    Examples
    --------
    >>> gate().open
    False
    """
    return verdict([Judged(**row) for row in read_data("forecast_gate.toml")["judged"]])


def verdict(judged: Sequence[Judged]) -> Gate:
    """From the scores of several results to the verdict.

    Raises
    ------
    InputError
        For fewer than 2 results.

    Examples
    --------
    >>> one = Judged("a", -1, 1, -1, 1.1, 0, 2, -1.0, -1.6, 0.3, 0.5, 50)
    >>> verdict([one, one, one]).open
    True
    """
    from scipy.stats import t

    if len(judged) < 2:
        raise InputError(
            FILE, "judged", f"{len(judged)} results", "2 or more", "run benchmarks/forecast/gate.py"
        )
    gain = np.array([each.model_log - each.mean_log for each in judged])
    half = float(t.ppf((1 + LEVEL) / 2, len(gain) - 1) * gain.std(ddof=1) / math.sqrt(len(gain)))
    crps = float(np.mean([each.mean_crps - each.model_crps for each in judged]))
    mean = float(gain.mean())
    return Gate(tuple(judged), mean, mean - half, mean + half, crps)


def judge(worlds: Worlds) -> list[Judged]:
    """Leave each published P100 result out, and predict it from the other trials.

    Raises
    ------
    InputError
        If no world is possible.
    """
    every = published()
    followed = follow_published(every, worlds)
    return [_judged(left_out, every, followed, worlds) for left_out in every if left_out.measure == LATENCY]


def _judged(left_out: Published, every: Sequence[Published], followed: Any, worlds: Worlds) -> Judged:
    # A trial's other result is left out with it: the same people.
    others = [each for each in every if each.trial != left_out.trial]
    weight = weights(others, followed, worlds)
    effect = predicted(left_out, followed, worlds)
    mean = float(weight @ effect)
    sd = math.sqrt(float(weight @ (effect - mean) ** 2) + left_out.se**2)
    alike = [each for each in others if each.measure == LATENCY]
    centre, spread = others_mean([each.estimate for each in alike], [each.se for each in alike], left_out.se)
    one = np.ones(1)
    return Judged(
        left_out.trial,
        left_out.estimate,
        left_out.se,
        mean,
        sd,
        centre,
        spread,
        log_score(left_out.estimate, effect, weight, left_out.se),
        log_score(left_out.estimate, centre * one, one, spread),
        crps(left_out.estimate, effect, weight, left_out.se),
        crps(left_out.estimate, centre * one, one, spread),
        effective(weight),
    )


def others_mean(estimates: Sequence[float], ses: Sequence[float], se: float) -> tuple[float, float]:
    """Mean and SD of the competitor's predictive distribution for a result with standard error `se`."""
    from remyelin.trial import meta_analysis

    fit = meta_analysis(estimates, [each**2 for each in ses], method="DL", test="z", units="ms")
    return float(fit.estimate), math.sqrt(float(fit.tau2) + float(fit.se) ** 2 + se**2)


def log_score(found: float, means: FloatArray, weight: FloatArray, sd: float) -> float:
    """Logarithm of the density that a mixture of normals of one SD has at what was found.

    Examples
    --------
    >>> round(log_score(0.0, np.zeros(1), np.ones(1), 1.0), 4)
    -0.9189
    """
    from scipy.special import logsumexp

    log = -0.5 * ((found - means) / sd) ** 2 - math.log(sd * math.sqrt(2 * math.pi))
    return float(logsumexp(log, b=weight))


def crps(found: float, means: FloatArray, weight: FloatArray, sd: float) -> float:
    """Continuous ranked probability score of a mixture of normals (Grimit 2006, 10.1256/qj.05.235).

    Examples
    --------
    >>> round(crps(0.0, np.zeros(1), np.ones(1), 1.0), 4)
    0.2337
    """
    kept = weight > 1e-9 * weight.max()
    mean, part = means[kept], weight[kept] / weight[kept].sum()
    between = 0.0
    for start in range(0, len(mean), 512):
        rows = slice(start, start + 512)
        apart = mean[rows, None] - mean[None]
        between += float(part[rows] @ _spread(apart, math.sqrt(2) * sd) @ part)
    return float(part @ _spread(found - mean, sd)) - 0.5 * between


def _spread(mean: FloatArray, sd: float) -> FloatArray:
    """Expectation of the absolute value of a normal."""
    from scipy.special import ndtr

    z = mean / sd
    return np.asarray(mean * (2 * ndtr(z) - 1) + 2 * sd * np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi))
