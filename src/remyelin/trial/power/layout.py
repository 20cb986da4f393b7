"""How participants are compared: the standard error and degrees of freedom that a number of them gives."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from remyelin.errors import InputError
from remyelin.trial.power.noncentral import smallest, t_power
from remyelin.trial.power.spread import SUMMARIES, Spread, Summary

Design = Literal["parallel", "crossover", "paired"]
DESIGNS = ("parallel", "crossover", "paired")


@dataclass(frozen=True, slots=True)
class Layout:
    """A comparison that is planned.

    Parameters
    ----------
    spread
        How much one participant varies.
    design
        ``"parallel"``: two arms. ``"crossover"``: 2x2, participants' differences compared between the two
        sequences, which takes the period out. ``"paired"``: one group, its differences against 0.
    alpha, sided
        Type I error, two-sided or one-sided.
    allocation
        Participants of the second arm for each one of the first; parallel and crossover.
    correlation
        Correlation of the outcome with the covariate (its baseline) that the analysis adjusts for. The
        variance falls by 1 - r^2 and rises by (N - 3) / (N - 4), since the arms' baselines differ by
        chance; one degree of freedom goes. 0 where the SD has the covariates already taken out.
    carry_over
        Part of the effect that is left in the second period of those who had treatment first (crossover).
    summary
        The estimator, see `Spread.variance`.
    """

    spread: Spread
    design: Design = "parallel"
    alpha: float = 0.05
    sided: int = 2
    allocation: float = 1.0
    correlation: float = 0.0
    carry_over: float = 0.0
    summary: Summary = "mean"

    def __post_init__(self) -> None:
        if not isinstance(self.spread, Spread):
            fix = "give Spread.of_participant(sd), or Spread.of_sites for lesions or eyes"
            raise InputError("", "spread", repr(self.spread), "an SD with whose it is", fix)
        if self.design not in DESIGNS:
            raise InputError(
                "", "design", repr(self.design), f"one of {', '.join(DESIGNS)}", "name one of these"
            )
        if self.summary not in SUMMARIES:
            raise InputError("", "summary", repr(self.summary), f"one of {', '.join(SUMMARIES)}", "name one")
        if self.sided not in (1, 2):
            raise InputError(
                "", "sided", repr(self.sided), "1 or 2", "write 2 unless the protocol says one-sided"
            )
        _between("alpha", self.alpha, 0, 1)
        _between("allocation", self.allocation, 0, math.inf)
        if not -1 < self.correlation < 1:
            raise InputError("", "correlation", f"{self.correlation:g}", "between -1 and 1", "correct it")
        if not 0 <= self.carry_over <= 1:
            raise InputError(
                "", "carry_over", f"{self.carry_over:g}", "0 to 1: the part of the effect that is left",
                "write 0.5 where half of it is left",
            )  # fmt: skip
        if self.carry_over and self.design != "crossover":
            raise InputError(
                "", "carry_over", f"{self.carry_over:g}", f"0 in a {self.design} trial", "take it out"
            )
        if self.allocation != 1 and self.design == "paired":
            raise InputError("", "allocation", f"{self.allocation:g}", "1: there is one group", "take it out")

    @property
    def groups(self) -> int:
        """Arms or sequences."""
        return 1 if self.design == "paired" else 2

    @property
    def least(self) -> float:
        """Fewest participants of the first group that leave a degree of freedom."""
        spent = self.groups + (self.correlation != 0) * 3
        return (spent + 1) / (1 + self.allocation) if self.groups == 2 else spent + 1

    def size(self, first: float) -> tuple[float, ...]:
        """Participants of each group, given those of the first."""
        return (first,) if self.groups == 1 else (first, self.allocation * first)

    def se(self, *n: float, variance: float | None = None) -> float:
        """Standard error of the effect with `n` participants a group."""
        own = self.spread.variance(self.summary) if variance is None else variance
        per = own * sum(1 / each for each in n) * (0.25 if self.design == "crossover" else 1.0)
        if self.correlation:
            total = sum(n)
            per *= (1 - self.correlation**2) * (1 + 1 / (total - self.groups - 2))
        return math.sqrt(per)

    def df(self, *n: float) -> float:
        """Degrees of freedom."""
        return sum(n) - self.groups - (self.correlation != 0)

    def can(self, *n: float) -> bool:
        """Whether so many leave a variance that can be estimated."""
        return min(n) > 0 and self.df(*n) >= 1 and (not self.correlation or sum(n) > self.groups + 2)

    def left(self, effect: float) -> float:
        """The effect that the comparison sees: carry-over takes half of what is left of it."""
        return effect * (1 - self.carry_over / 2)

    def power(self, effect: float, *n: float) -> float:
        """Power with `n` participants a group."""
        return float(t_power(abs(self.left(effect)) / self.se(*n), self.df(*n), self.alpha, self.sided))

    def needed(self, effect: float, power: float) -> float:
        """Participants of the first group, not rounded."""
        return smallest(lambda first: self.power(effect, *self.size(first)), power, self.least)

    def rounded(self, first: float) -> tuple[int, ...]:
        """Whole participants a group, none of the groups smaller than asked."""
        return tuple(math.ceil(each - 1e-6) for each in self.size(first))

    def naive(self, effect: float, power: float) -> tuple[int, ...] | None:
        """What a calculation gets that takes all sites as independent; None where there is one site each."""
        variance, m = self.spread.naive_variance, self.spread.mean_sites
        if variance is None:
            return None

        def power_at(first: float) -> float:
            n = self.size(first)
            ncp = abs(effect) / self.se(*n, variance=variance)
            return float(t_power(ncp, sum(n) * m - self.groups, self.alpha, self.sided))

        return self.rounded(smallest(power_at, power, self.least))

    def floor(self, effect: float, power: float) -> float:
        """Participants of the first group that are needed however many sites each has."""
        variance = self.spread.between**2
        if variance == 0:
            return self.least

        def power_at(first: float) -> float:
            n = self.size(first)
            ncp = abs(self.left(effect)) / self.se(*n, variance=variance)
            return float(t_power(ncp, self.df(*n), self.alpha, self.sided))

        return smallest(power_at, power, self.least)


def _between(name: str, value: float, low: float, high: float) -> None:
    if not low < value < high:
        expected = f"above {low:g}" + ("" if high == math.inf else f" and below {high:g}")
        raise InputError("", name, f"{value:g}", expected, "correct it")
