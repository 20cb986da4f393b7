"""A trial under way: what an interim look says, and what can be estimated once it stops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

from remyelin.errors import InputError
from remyelin.trial.sequential import checks
from remyelin.trial.sequential.boundaries import spending
from remyelin.trial.sequential.design import SequentialDesign
from remyelin.trial.sequential.spending import spent
from remyelin.trial.sequential.walk import FloatArray, exits

GO, REJECT, FUTILE, KEPT = "go on", "stop: reject", "stop: futility", "end: not rejected"


@dataclass(frozen=True, slots=True)
class Monitored:
    """What the looks so far say.

    Attributes
    ----------
    table
        Index `stage`; columns `information, information_rate, critical_z, futility_z, z, decision`.
    decision
        ``"go on"``, ``"stop: reject"``, ``"stop: futility"`` or ``"end: not rejected"``.
    p
        Stage-wise adjusted p value (one-sided or two-sided as the design), None while the trial goes on.
    estimate, ci_low, ci_high
        Median unbiased estimate and interval by stage-wise ordering, per unit of information: the effect
        itself where information is 1 / se^2. None while the trial goes on.
    """

    design: SequentialDesign
    table: pd.DataFrame
    decision: str
    p: float | None
    estimate: float | None
    ci_low: float | None
    ci_high: float | None

    def to_frame(self) -> pd.DataFrame:
        """The table with the stage as a column."""
        return self.table.reset_index()

    def __str__(self) -> str:
        last = self.table.iloc[-1]
        bound = "|z|" if self.design.sided == 2 else "z"
        text = (
            f"Stage {self.table.index[-1]} at {last['information_rate']:.4g} of the information: "
            f"z = {last['z']:.4g}, critical {bound} {last['critical_z']:.4f}: {self.decision}"
        )
        if self.p is None:
            return text
        level = 100 * (1 - 2 * self.design.alpha / self.design.sided)
        return (
            f"{text}\n  stage-wise p = {self.p:.3g}, median unbiased estimate {self.estimate:.4g} "
            f"({level:g} % CI {self.ci_low:.4g} to {self.ci_high:.4g})"
        )

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self))}</p>{self.table.to_html()}"


def monitor(
    design: SequentialDesign,
    z: Sequence[float],
    information: Sequence[float],
    *,
    maximum: float = 1.0,
    final: bool | None = None,
) -> Monitored:
    """What to do after a look, and what is known once the trial has stopped.

    Designs that spend alpha (as...) are computed again for the information that was reached, and may have
    more or fewer looks than planned; the last look spends all that is left. The others hold only at the
    information rates of the plan.

    Parameters
    ----------
    z
        (look,) the test statistic of each look so far; positive favours the treatment.
    information
        (look,) in any unit: participants, or 1 / se^2 of the effect.
    maximum
        The greatest information that was planned, in that unit.
    final
        Whether the last of these looks ends the trial; if absent, whether `maximum` is reached.

    Raises
    ------
    InputError
        For lists of different length, information that does not rise, a look after the trial had to stop, or
        looks that the plan does not have and the design cannot take.

    Notes
    -----
    Ordering by stages: Tsiatis, Rosner & Mehta (1984), 10.2307/2531153; estimates as in Jennison & Turnbull
    (2000), chapter 8. Futility bounds that are not binding do not enter them.

    Examples
    --------
    >>> from remyelin.trial.sequential import group_sequential
    >>> print(monitor(group_sequential(2), [3.1], [0.6]))
    Stage 1 at 0.6 of the information: z = 3.1, critical z 2.6686: stop: reject
      stage-wise p = 0.000968, median unbiased estimate 4.002 (95 % CI 1.472 to 6.532)
    """
    times, values = _observed(z, information, maximum)
    end = times[-1] >= 1 - 1e-9 if final is None else final
    upper, lower = _bounds(design, times, end)
    decisions = [
        _decide(design, value, high, low, end and look == len(times) - 1)
        for look, (value, high, low) in enumerate(zip(values, upper, lower, strict=True))
    ]
    _still_running(design, decisions, lower)
    table = pd.DataFrame(
        {
            "information": np.asarray(information, dtype=np.float64),
            "information_rate": times,
            "critical_z": upper,
            "futility_z": np.where(np.isfinite(lower), lower, np.nan),
            "z": values,
            "decision": decisions,
        },
        index=pd.RangeIndex(1, len(times) + 1, name="stage"),
    )
    if decisions[-1] == GO:
        return Monitored(design, table, GO, None, None, None, None)
    seen = _Seen(design, times, upper, lower, values[-1], decisions[-1])
    side = design.alpha / design.sided
    p = seen.above(0.0)
    if design.sided == 2:
        p = 2 * min(p, 1 - p)
    middle, low, high = (seen.effect(share) / np.sqrt(maximum) for share in (0.5, side, 1 - side))
    return Monitored(design, table, decisions[-1], float(min(p, 1.0)), middle, low, high)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A trial that has stopped, and the outcomes that would have favoured the treatment at least as much."""

    design: SequentialDesign
    times: tuple[float, ...]
    upper: FloatArray
    lower: FloatArray
    z: float
    decision: str

    def above(self, drift: float) -> float:
        """Probability of the outcome seen or a better one."""
        two, binding = self.design.sided == 2, self.design.binding
        lower = -self.upper if two else self.lower if binding else np.full(len(self.upper), -np.inf)
        below = (two and self.z < 0 and self.decision == REJECT) or (binding and self.decision == FUTILE)
        last = len(self.times) - 1
        if below:
            up, down = exits(np.append(lower[:last], self.z), self.upper, self.times, drift)
            return float(1 - down.sum())
        up, down = exits(lower, np.append(self.upper[:last], self.z), self.times, drift)
        return float(up.sum())

    def effect(self, share: float) -> float:
        """Drift with which the outcome seen or a better one has probability `share`."""
        from scipy.optimize import brentq

        guess, width = self.z / np.sqrt(self.times[-1]), 4 / np.sqrt(self.times[0])
        low, high = guess - width, guess + width
        while self.above(low) > share:
            low -= width
        while self.above(high) < share:
            high += width
        return float(brentq(lambda drift: self.above(drift) - share, low, high, xtol=1e-10))


def _observed(
    z: Sequence[float], information: Sequence[float], maximum: float
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    if not 0 < maximum < np.inf:
        raise InputError("", "maximum", f"{maximum}", "the greatest information planned", "give it")
    if len(z) != len(information) or not len(z):
        raise InputError(
            "", "z, information", f"{len(z)} and {len(information)} values", "one of each for every look",
            "give all looks, the first one first",
        )  # fmt: skip
    values = tuple(float(each) for each in z)
    if not np.isfinite(values).all():
        raise InputError("", "z", str(list(values)), "finite numbers", "leave out a look that had no test")
    times = tuple(float(each) / maximum for each in information)
    if not np.all(np.diff([0.0, *times]) >= checks.SHORTEST):
        raise InputError(
            "", "information", str(list(information)),
            f"values that rise by {checks.SHORTEST:g} of {maximum:g} or more",
            "give the information gathered up to each look, not that between looks",
        )  # fmt: skip
    return times, values


def _bounds(design: SequentialDesign, times: tuple[float, ...], end: bool) -> tuple[FloatArray, FloatArray]:
    """Critical and futility z values of the looks that took place."""
    planned = design.information_rates
    if design.kind not in checks.SPENDING:
        if len(times) > len(planned) or not np.allclose(times, planned[: len(times)], rtol=0, atol=1e-6):
            raise InputError(
                "", "information", f"at the rates {[round(t, 4) for t in times]}",
                f"the plan's {[round(t, 4) for t in planned]}",
                "plan with kind asOF, asP, asKD or asHSD, which may look at other times",
            )  # fmt: skip
        stop = [*(design.futility_z or [-np.inf] * (len(planned) - 1)), -np.inf]
        return np.array(design.critical_z[: len(times)]), np.array(stop[: len(times)])
    rates = np.array(times)
    if end:
        rates[-1] = max(rates[-1], 1.0)
    alpha_spent = spent(checks.shape(design.kind), rates.tolist(), design.alpha / design.sided, design.gamma)
    if isinstance(design.futility, str):
        beta_spent = spent(checks.shape(design.futility), rates.tolist(), design.beta, design.gamma_futility)
        upper, lower = spending(
            times, alpha_spent, beta_spent=beta_spent, drift=design.drift, binding=design.binding, ends=end
        )
    else:
        futility = _given(design, len(times) - end)
        upper, lower = spending(
            times, alpha_spent, sided=design.sided, futility=futility, binding=design.binding, ends=end
        )
    found = np.full(len(times), -np.inf)
    if lower is not None:
        found[: len(lower)] = lower
    return upper, found


def _given(design: SequentialDesign, looks: int) -> FloatArray | None:
    if design.futility_z is None:
        return None
    if looks > len(design.futility_z):
        raise InputError(
            "", "information", f"of {looks} interim looks",
            f"the {len(design.futility_z)} that have futility bounds",
            "plan with futility that spends beta (bsOF, ...), or design without futility bounds",
        )  # fmt: skip
    return np.array(design.futility_z[:looks])


def _decide(design: SequentialDesign, z: float, upper: float, lower: float, last: bool) -> str:
    if z >= upper or (design.sided == 2 and z <= -upper):
        return REJECT
    if last:
        return KEPT
    return FUTILE if z <= lower else GO


def _still_running(design: SequentialDesign, decisions: list[str], lower: FloatArray) -> None:
    for look, decision in enumerate(decisions[:-1]):
        if decision == REJECT or (decision == FUTILE and design.binding):
            raise InputError(
                "", "z", f"with looks after stage {look + 1}, where the rule was '{decision}'",
                "no look after the one that stops the trial", "give the looks up to that one",
            )  # fmt: skip
