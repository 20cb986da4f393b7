"""What a plan is asked, as tables: sizes, curves, and what each assumption is worth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from remyelin.trial.power.layout import Layout
from remyelin.trial.power.noncentral import FloatArray, t_power
from remyelin.trial.power.size import detectable

SITES = (1, 2, 3, 5, 10, 20, 30, 50, 100, 200)


@dataclass(frozen=True, slots=True)
class Question:
    """A comparison, its effect, and what it costs to recruit for it.

    `active` counts the arms that are compared with the first one; each takes as many as the second group.
    """

    layout: Layout
    effect: float
    active: int = 1
    dropout: float = 0.0
    per_participant: float = 0.0
    per_visit: float = 0.0
    visits: int = 0

    def total(self, n: Sequence[int]) -> int:
        """Participants in all arms."""
        return n[0] + self.active * n[-1] if len(n) > 1 else n[0]

    def recruited(self, n: Sequence[int]) -> tuple[int, ...]:
        """Participants a group to begin with."""
        return tuple(math.ceil(each / (1 - self.dropout) - 1e-9) for each in n)

    def cost(self, n: Sequence[int]) -> float:
        """Of all who are recruited, each at every visit: those who are lost cost as much."""
        return self.total(self.recruited(n)) * (self.per_participant + self.visits * self.per_visit)

    def needed(self, power: float, layout: Layout | None = None) -> tuple[int, ...]:
        """Participants a group."""
        own = layout or self.layout
        return own.rounded(own.needed(self.effect, power))


def sizes(question: Question, powers: Sequence[float]) -> pd.DataFrame:
    """A row a power; `naive` takes all sites as independent.

    Columns ``power, n_first, n_second, total, recruit_first, recruit_second, recruit_total, achieved,
    naive_total, naive_power, cost``.
    """
    clean = replace(question.layout, carry_over=0.0)
    rows = []
    for power in powers:
        n = question.needed(power, clean)
        recruit = question.recruited(n)
        naive = clean.naive(question.effect, power)
        rows.append(
            {
                "power": power,
                "n_first": n[0],
                "n_second": n[-1],
                "total": question.total(n),
                "recruit_first": recruit[0],
                "recruit_second": recruit[-1],
                "recruit_total": question.total(recruit),
                "achieved": clean.power(question.effect, *n),
                "naive_total": math.nan if naive is None else question.total(naive),
                "naive_power": math.nan if naive is None else clean.power(question.effect, *naive),
                "cost": question.cost(n),
            }
        )
    return pd.DataFrame(rows)


def curve(question: Question, highest: int) -> pd.DataFrame:
    """Power by participants a group: ``n_first, total, power``."""
    low = max(2, math.ceil(question.layout.least) + 1)
    first = np.unique(np.linspace(low, max(highest, low + 1), 60).astype(int))
    rows = []
    for each in first:
        n = question.layout.rounded(float(each))
        rows.append(
            {"n_first": n[0], "total": question.total(n), "power": question.layout.power(question.effect, *n)}
        )
    return pd.DataFrame(rows)


def effects(question: Question, n: tuple[float, ...]) -> pd.DataFrame:
    """Power of `n` participants a group by effect: ``effect, power``, from 0 to what is found for sure."""
    sure = detectable(question.layout, n, 0.99)
    sign = math.copysign(1.0, question.effect)
    values = np.linspace(0.02, 1.0, 50) * max(sure, abs(question.effect))
    return pd.DataFrame(
        {"effect": sign * values, "power": [question.layout.power(value, *n) for value in values]}
    )


def by_sites(question: Question, power: float) -> pd.DataFrame:
    """A row a number of sites: ``sites, n_first, total, above_floor``; the last row is their limit.

    However many lesions a participant has, 2 (z + z)^2 su^2 / d^2 participants an arm are needed.
    """
    if question.layout.spread.site == 0:
        return pd.DataFrame()
    floor = question.layout.rounded(question.layout.floor(question.effect, power))
    rows = []
    for m in (1, 2) if question.layout.spread.unit == "eye" else (*SITES, math.inf):
        n = (
            floor
            if m == math.inf
            else question.needed(power, replace(question.layout, spread=question.layout.spread.with_sites(m)))
        )
        rows.append({"sites": m, "n_first": n[0], "total": question.total(n), "above_floor": n[0] - floor[0]})
    return pd.DataFrame(rows)


def enough_sites(question: Question, power: float) -> int | None:
    """The number of sites beyond which more save at most one participant an arm; None if over 10,000."""
    floor = question.layout.rounded(question.layout.floor(question.effect, power))[0]

    def spares(m: int) -> bool:
        return (
            question.needed(power, replace(question.layout, spread=question.layout.spread.with_sites(m)))[0]
            - floor
            <= 1
        )

    high = 1
    while not spares(high):
        high *= 2
        if high > 10_000:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if spares(middle) else (middle, high)
    return high


def by_measurement(question: Question, power: float, relative: Sequence[float] = ()) -> pd.DataFrame:
    """What measuring better buys: ``factor, weighted, measurement_sd, sd, n_first, total``.

    A row a factor on the error; then, where the error variances of sites relative to each other are known,
    one whose sites are weighed by precision instead of all alike.
    """
    spread = question.layout.spread
    if spread.measurement == 0:
        return pd.DataFrame()
    cases = [(factor, False, spread.with_measurement(factor)) for factor in (1.0, 0.75, 0.5, 0.25, 0.0)]
    if len(relative):
        cases.append((1.0, True, spread.weighted(relative)))
    rows = []
    for factor, weighted, own in cases:
        layout = replace(question.layout, spread=own)
        n = question.needed(power, layout)
        rows.append(
            {
                "factor": factor,
                "weighted": weighted,
                "measurement_sd": factor * spread.measurement,
                "sd": own.sd(layout.summary),
                "n_first": n[0],
                "total": question.total(n),
            }
        )
    return pd.DataFrame(rows)


def by_carry_over(question: Question, n: tuple[float, ...], power: float) -> pd.DataFrame:
    """A crossover with a part of the effect left: ``carry_over, left, lost, power, total_needed``."""
    if question.layout.design != "crossover":
        return pd.DataFrame()
    shares = sorted({0.0, 0.25, 0.5, 0.75, 1.0, question.layout.carry_over})
    rows = []
    for share in shares:
        own = replace(question.layout, carry_over=share)
        left = own.left(question.effect)
        rows.append(
            {
                "carry_over": share,
                "left": left,
                "lost": question.effect - left,
                "power": own.power(question.effect, *n),
                "total_needed": question.total(question.needed(power, own)),
            }
        )
    return pd.DataFrame(rows)


def assurance(
    question: Question, n: tuple[float, ...], effect_sd: float = 0.0, sd_df: float | None = None
) -> float:
    """Probability of a significant result in the direction of the effect, over what is uncertain.

    The effect is normal about the one assumed (O'Hagan 2005, 10.1002/pst.175); the variance is sd^2 sd_df /
    chi-square(sd_df), as an estimate from `sd_df` degrees of freedom leaves it.
    """
    layout = question.layout
    true = layout.left(abs(question.effect))
    nodes, weights = np.polynomial.hermite_e.hermegauss(61)
    thetas: FloatArray = true + layout.left(effect_sd) * nodes if effect_sd else np.array([true])
    share = weights / weights.sum() if effect_sd else np.ones(1)
    scale = np.ones(1)
    if sd_df:
        from scipy.special import chdtri

        # chdtri is the upper tail: the order of the nodes does not matter.
        scale = np.sqrt(sd_df / chdtri(sd_df, (np.arange(101) + 0.5) / 101))
    ncp = thetas[:, None] / (layout.se(*n) * scale)
    return float(share @ t_power(ncp, layout.df(*n), layout.alpha, layout.sided).mean(axis=1))
